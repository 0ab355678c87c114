"""Resource: the Airtable base of the environment, real or the local server's."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import dagster as dg

from ledger_assets.connections import airtable_client
from ledger_assets.environment import Environment, read_settings

if TYPE_CHECKING:
    from ledger_assets.extract.client import AirtableClient


class AirtableResource(dg.ConfigurableResource["AirtableResource"]):
    """Gives clients; reads its settings when used, so that no key ever stands in a run's configuration."""

    environment: str

    def client(self) -> "AbstractContextManager[AirtableClient]":
        """A client behind this machine's token bucket; the local server starts when no real base is named."""
        return airtable_client(read_settings(Environment(self.environment)))
