"""The final sync of a cut-over: the export, its files, and the ledger made of both, in one go.

What belongs here: that order. What does not: a sync (``lane_sync``), the tables (``ledger``).

Invariant: what a migration's blocking checks would stop stops here, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger_assets.environment import Settings
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    from ledger_assets.lane_sync import Brought
    from ledger_assets.ledger.store import LedgerManifest
    from ledger_assets.tables.fields import TableSpec


@dataclass(frozen=True)
class Fetched:
    """What a load needs. ``ledger`` is None where there are no table modules."""

    brought: Brought
    ledger: LedgerManifest | None


def fetch(
    settings: Settings, store: ObjectStore, specs: Sequence[TableSpec], *, final: bool = True
) -> Fetched:
    """Sync (``final``: and scan all ids once more), fetch the files, build the ledger. Raises SourceError, CheckFailed."""
    from ledger_assets.extract import pinned
    from ledger_assets.lane import checked
    from ledger_assets.lane_sync import bring_over
    from ledger_assets.ledger.build import build_ledger
    from ledger_assets.ledger.store import Ledger

    brought = bring_over(settings, specs, final=final)
    if not specs:
        return Fetched(brought, None)
    ledger = build_ledger(
        store,
        brought.export,
        specs=specs,
        mappings=settings.mappings,
        inventory=brought.inventory,
        pinned=pinned.read(settings.pin_folder),
    )
    checked(Ledger(store, ledger.ledger_id))
    return Fetched(brought, ledger)
