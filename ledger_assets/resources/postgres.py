"""Resource: the environment's target database, real or embedded."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import dagster as dg

from ledger_assets.connections import database
from ledger_assets.environment import Environment, read_settings

if TYPE_CHECKING:
    import psycopg


class PostgresResource(dg.ConfigurableResource["PostgresResource"]):
    """Gives connections; reads its settings when used, so that no password ever stands in a run's configuration."""

    environment: str

    def connect(self, run_id: str) -> "AbstractContextManager[psycopg.Connection]":
        """A connection named after the run, as the role that is not superuser."""
        return database(read_settings(Environment(self.environment)), purpose=run_id[:8])
