"""A sync of one environment, without Dagster: what the export asset, a cut-over's step and the sensor do.

What belongs here: settings, the list of the erased, the files. What does not: how a sync works (``sync``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger_assets import connections, erased
from ledger_assets.environment import Settings
from ledger_assets.errors import CheckFailed, StoreError
from ledger_assets.storage import ObjectStore
from ledger_assets.tables.fields import TableSpec

if TYPE_CHECKING:
    from ledger_assets.erasure.model import Erasure
    from ledger_assets.extract.attachments import AttachmentInventory
    from ledger_assets.extract.client import AirtableClient
    from ledger_assets.extract.cursor import Cursor
    from ledger_assets.extract.export import Export
    from ledger_assets.sync.changes import Changes
    from ledger_assets.sync.run import Synced


@dataclass(frozen=True)
class Brought:
    """What a sync brought, with its files."""

    synced: Synced
    export: Export
    inventory: AttachmentInventory


def exported(settings: Settings, store: ObjectStore, client: AirtableClient, *, final: bool = False) -> str:
    """A full export of the settings' base, without its files; its id."""
    from ledger_assets.extract.run import export_base

    gone = _purged(settings, store)
    return export_base(
        client, store, environment=settings.environment.value, final=final, erased=gone
    ).export_id


def synced(settings: Settings, store: ObjectStore, client: AirtableClient, *, final: bool = False) -> Synced:
    """Sync the settings' base, without its files."""
    from ledger_assets.sync.run import sync_base

    gone = _purged(settings, store)
    return sync_base(client, store, environment=settings.environment.value, erased=gone, final=final)


def _purged(settings: Settings, store: ObjectStore) -> tuple[Erasure, ...]:
    """Who had themselves erased; the store holds them no more."""
    gone = erased.known(settings)
    if gone:
        erased.purge(settings, store, gone)
    return gone


def bring_over(settings: Settings, specs: Sequence[TableSpec], *, final: bool = False) -> Brought:
    """Sync the base, fetch the files that are new, and check what the assets' checks would.

    Raises SchemaChanged or SourceError as a sync does, CheckFailed when a file cannot be had or a field is not declared.
    """
    from ledger_assets.extract import pinned
    from ledger_assets.extract.attachments import download_attachments, problem_lines
    from ledger_assets.extract.export import Export
    from ledger_assets.extract.schema_check import DriftKind, undeclared

    store = connections.object_store(settings)
    with connections.airtable_client(settings) as client:
        done = synced(settings, store, client, final=final)
        export = Export(store, done.export_id)
        drift = undeclared(export.metadata, specs, pinned.read(settings.pin_folder))
        if found := [one for one in drift if one.kind is not DriftKind.RENAMED]:
            raise CheckFailed(
                f"the base's design is not the declared one ({'; '.join(one.detail for one in found[:5])}): "
                + found[0].remedy(settings.environment.value)
            )
        inventory = download_attachments(client, store, export)
    if inventory.problems:
        raise CheckFailed(
            f"{len(inventory.problems)} files cannot be had ({'; '.join(problem_lines(inventory, 3))}): run it again"
        )
    return Brought(done, export, inventory)


def changes(settings: Settings, export_id: str | None = None, after: Cursor | None = None) -> Changes:
    """What people changed in Airtable since an export, by default the newest; reads no record.

    Before any export everything is new, and cannot be told.
    """
    from ledger_assets.extract.export import latest_export
    from ledger_assets.sync.changes import Changes, changes_since

    store = connections.object_store(settings)
    if export_id is None:
        try:
            export_id = latest_export(store, settings.airtable.base_id).export_id
        except StoreError:
            return Changes(lost="there is no export yet")
    with connections.airtable_client(settings) as client:
        return changes_since(client, store, export_id, after)
