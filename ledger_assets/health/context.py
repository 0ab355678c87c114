"""What a measure looks at: the settings, one connection, the object store, the snapshots, the facts of the runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from ledger_assets.environment import Settings
from ledger_assets.health.facts import RunFacts
from ledger_assets.health.settings import HealthSettings
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.backup.catalogue import Catalogue


@dataclass(frozen=True)
class Context:
    """Handed to every measure. ``runs`` None: Dagster was not asked."""

    settings: Settings
    limits: HealthSettings
    connection: psycopg.Connection
    store: ObjectStore
    now: datetime
    runs: RunFacts | None

    @cached_property
    def snapshots(self) -> Catalogue:
        """The list of snapshots, read once. Raises LedgerError."""
        from ledger_assets.backup import catalogue
        from ledger_assets.backup.place import open_place

        return catalogue.read(open_place(self.settings))
