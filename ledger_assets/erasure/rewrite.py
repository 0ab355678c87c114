"""An export written anew without the people who had themselves erased, under the same id.

What belongs here: one export. What does not: which exports, ledgers and files there are (``purge``).

Invariants: the new pages are written beside the old ones, and one put of the manifest changes from the old to the new:
killed at any write, the export is the one or the other, and the next purge finishes. What is left of every record is
exact, as in an export that was made after the erasure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ledger_assets.erasure.model import Erasure, records_of
from ledger_assets.extract.attachments import AttachmentEntry, attempts, inventory_key, read_inventory
from ledger_assets.extract.digest import digest
from ledger_assets.extract.export import (
    FOLDER,
    Export,
    ExportManifest,
    TableManifest,
    comments_key,
    folder,
    index_key,
    pack,
    page_key,
)
from ledger_assets.extract.leave_out import LeaveOut, LeftOut, furthest, linked, links_of, near
from ledger_assets.extract.slices import record
from ledger_assets.storage import ObjectStore


@dataclass
class Rewritten:
    """A new manifest that is not put yet, and the files that only the erased records held in this export."""

    manifest: ExportManifest
    files: set[str] = field(default_factory=set)


def pending(export: Export, erasures: Sequence[Erasure]) -> list[Erasure]:
    """The erasures whose records the export still holds."""
    done = {*export.manifest.erasures, *export.manifest.purged}
    waiting = [one for one in erasures if one.request_id not in done]
    wanted = records_of(waiting, export.manifest.base_id)
    held: set[str] = set()
    for table in export.manifest.tables:
        if table.id in wanted:
            ids = export.index(table.id)["record_id"]
            held |= set(ids.filter(ids.is_in(list(wanted[table.id]))))
    return [one for one in waiting if any(record_id in held for _, _, record_id in one.records)]


def rewrite(store: ObjectStore, export: Export, erasures: Sequence[Erasure]) -> Rewritten:
    """Write the export's pages, indexes, comments and inventory without the erased, beside those that count still."""
    before = export.manifest
    erased = records_of(erasures, before.base_id)
    revision = before.revision + 1
    _remove(store, f"{folder(export.export_id, revision)}/", keep=())
    leave_out = LeaveOut(export.metadata, erased, _near(export, erased))
    tables = tuple(_table(store, export, table, leave_out, revision) for table in before.tables)
    gone = sorted({one.request_id for one in erasures} - {*before.erasures, *before.purged})
    manifest = replace(before, tables=tables, purged=(*before.purged, *gone), revision=revision)
    return Rewritten(manifest, _inventory(store, export, erased, manifest))


def settle(store: ObjectStore, manifest: ExportManifest) -> None:
    """Make the new manifest count, and remove what only the old one meant."""
    store.put(f"{FOLDER}/{manifest.export_id}/MANIFEST.json", manifest.to_json())
    tidy(store, manifest)


def tidy(store: ObjectStore, manifest: ExportManifest) -> None:
    """Remove what the manifest does not mean: an interrupted purge may have left it."""
    if manifest.revision:
        base = f"{FOLDER}/{manifest.export_id}"
        _remove(
            store, f"{base}/", keep=(f"{base}/MANIFEST.json", f"{base}/metadata.json", f"{manifest.folder}/")
        )


def _remove(store: ObjectStore, prefix: str, keep: tuple[str, ...]) -> None:
    for entry in store.list(prefix):
        if not keep or not entry.key.startswith(keep):
            store.delete(entry.key)


def _near(export: Export, erased: Mapping[str, frozenset[str]]) -> dict[str, int]:
    fields = links_of(export.metadata)
    found: dict[str, list[str]] = {}
    for table in export.manifest.tables:
        for one in export.records(table.id) if fields.get(table.id) else ():
            found[one.id] = linked(fields[table.id], one.raw)
    return near(found, frozenset[str]().union(*erased.values()), furthest(export.metadata))


def _table(
    store: ObjectStore, export: Export, table: TableManifest, leave_out: LeaveOut, revision: int
) -> TableManifest:
    left_out = LeftOut(set(), {name: set(ids) for name, ids in table.redacted.items()})
    pages: list[list[str]] = []
    for number, page in enumerate(export.pages(table.id)):
        kept, left = leave_out.page(table.id, [record(raw) for raw in page])
        left_out.add(left)
        store.put(page_key(export.export_id, table.id, number, revision), pack(one.raw for one in kept))
        pages.append([one.id for one in kept])
    lines = _comments(export, table.id, leave_out.erased.get(table.id, frozenset()))
    if lines:
        store.put(comments_key(export.export_id, table.id, revision), pack(lines))
    found = digest(store, export.export_id, table.id, pages, revision)
    store.put(index_key(export.export_id, table.id, revision), found.index)
    return replace(
        table,
        records=found.records,
        duplicates=found.duplicates,
        comments=len(lines),
        ids_sha256=found.ids_sha256,
        content_sha256=found.content_sha256,
        index_sha256=hashlib.sha256(found.index).hexdigest(),
        erased=table.erased + len(left_out.records),
        redacted=left_out.named(),
    )


def _comments(export: Export, table_id: str, gone: frozenset[str]) -> list[str]:
    return [line for line in export.comments(table_id) if json.loads(line)["record_id"] not in gone]


def _inventory(
    store: ObjectStore, export: Export, erased: Mapping[str, frozenset[str]], manifest: ExportManifest
) -> set[str]:
    """Write the inventory without the erased records' files; keys of the files that were theirs."""
    if not attempts(store, export.export_id):
        return set()
    inventory = read_inventory(store, export.export_id)
    kept: list[AttachmentEntry] = []
    gone: set[AttachmentEntry] = set()
    for entry in inventory.entries:
        if entry.record_id in erased.get(entry.table_id, frozenset()):
            gone.add(entry)
        else:
            kept.append(entry)
    key = inventory_key(export.export_id, 1, manifest.revision)
    store.put(key, replace(inventory, entries=tuple(kept)).to_json())
    return {entry.object_key for entry in gone if entry.object_key is not None}


def held_files(entries: Sequence[AttachmentEntry], erased: Mapping[str, frozenset[str]]) -> set[str]:
    """Keys of the files that records hold which nobody had erased."""
    return {
        entry.object_key
        for entry in entries
        if entry.object_key is not None and entry.record_id not in erased.get(entry.table_id, frozenset())
    }
