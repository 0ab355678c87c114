"""Fixtures of the ledger's tests: what a ledger makes of records that a test spells out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
from hypothesis import settings

from ledger_assets.ledger.build import build_ledger
from ledger_assets.ledger.store import Ledger, LedgerManifest
from ledger_assets.storage import ObjectStore
from ledger_assets.tables import SPECS

from .exports import Records, write_export

# No test here is about time: the machine may be busy.
settings.register_profile("ledger", deadline=None)
settings.load_profile("ledger")


@dataclass(frozen=True)
class Built:
    """A ledger, read back from the store."""

    manifest: LedgerManifest
    ledger: Ledger

    def rows(self, table: str) -> pl.DataFrame:
        """The rows of a target table."""
        return self.ledger.frame(table)

    def quarantined(self, field: str | None) -> list[tuple[str, str]]:
        """(record id, reason) of what was quarantined of a field (None: whole records)."""
        entries = self.ledger.quarantined.filter(pl.col("field").eq_missing(pl.lit(field, dtype=pl.String)))
        return entries.select("record_id", "reason").rows()

    def reported(self, kind: str) -> list[str]:
        """Record ids reported under a kind."""
        return self.ledger.reported.filter(pl.col("kind") == kind)["record_id"].to_list()

    def check(self, table: str, name: str) -> bool:
        """Whether a check passed."""
        return next(c.passed for c in self.manifest.checks if (c.table, c.name) == (table, name))


Build = Callable[..., Built]


@pytest.fixture
def build(store: ObjectStore) -> Build:
    """Build the ledger of an export of the given records (table name -> records)."""

    def build(
        records: dict[str, Records] | None = None, *, more: dict[str, Any] | None = None, **export: Any
    ) -> Built:
        written = write_export(store, records or {}, **export)
        manifest = build_ledger(store, written, specs=SPECS, **(more or {}))
        return Built(manifest, Ledger(store, manifest.ledger_id))

    return build
