"""The final sync of a cut-over: the export, its files, and the ledger made of both, in one go.

What belongs here: that order, and what refuses it. What does not: a sync (``sync``), the tables (``ledger``).

Invariant: what a migration's blocking checks would stop stops here, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger_assets import connections, erased
from ledger_assets.environment import Settings
from ledger_assets.errors import CheckFailed
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    from ledger_assets.extract.attachments import AttachmentInventory
    from ledger_assets.extract.export import Export
    from ledger_assets.extract.schema_check import Drift
    from ledger_assets.ledger.store import LedgerManifest
    from ledger_assets.sync.run import Synced
    from ledger_assets.tables.fields import TableSpec

SHOWN = 5


@dataclass(frozen=True)
class Fetched:
    """What a load needs. ``ledger`` is None where there are no table modules."""

    synced: Synced
    export: Export
    inventory: AttachmentInventory
    drift: Sequence[Drift]
    ledger: LedgerManifest | None


def fetch(
    settings: Settings, store: ObjectStore, specs: Sequence[TableSpec], *, final: bool = True
) -> Fetched:
    """Sync (``final``: and scan all ids once more), fetch the files, build the ledger. Raises SourceError, CheckFailed."""
    from ledger_assets.extract import pinned
    from ledger_assets.extract.attachments import download_attachments
    from ledger_assets.extract.export import Export
    from ledger_assets.extract.schema_check import undeclared
    from ledger_assets.lane import checked
    from ledger_assets.ledger.build import build_ledger
    from ledger_assets.ledger.store import Ledger
    from ledger_assets.sync.run import sync_base

    gone = erased.known(settings)
    if gone:
        erased.purge(settings, store, gone)
    with connections.airtable_client(settings) as client:
        synced = sync_base(client, store, environment=settings.environment.value, erased=gone, final=final)
        export = Export(store, synced.export_id)
        inventory = download_attachments(client, store, export)
    drift = undeclared(export.metadata, specs, pinned.read(settings.pin_folder)) if specs else []
    if drift:
        raise CheckFailed(f"the base's tables or fields are not what was tested: {drift[0].detail}")
    missing = [entry.attachment_id for entry in inventory.entries if entry.sha256 is None]
    if missing:
        raise CheckFailed(
            f"{len(missing)} files could not be had from Airtable ({', '.join(missing[:SHOWN])})"
        )
    ledger = None
    if specs:
        ledger = build_ledger(
            store,
            export,
            specs=specs,
            mappings=settings.mappings,
            inventory=inventory,
            pinned=pinned.read(settings.pin_folder),
        )
        checked(Ledger(store, ledger.ledger_id))
    return Fetched(synced, export, inventory, drift, ledger)
