"""An export's comments and files as rows of schema airtable, and the load of both and of the records (``records``).

What belongs here: which rows an export delivers. What does not: how rows are written (``raw``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from ledger_assets.errors import StoreError
from ledger_assets.extract.export import Export
from ledger_assets.load.jsontext import member
from ledger_assets.load.merge import Scope
from ledger_assets.load.raw import ATTACHMENTS, COMMENTS, RECORDS, RawLoad, Row, content_hash
from ledger_assets.load.records import load_records
from ledger_assets.load.report import CheckOutcome, TableCounts
from ledger_assets.load.sqlfiles import Cursor
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    from ledger_assets.extract.attachments import AttachmentEntry

_OF_LOADED_RECORD = sql.SQL(
    "(%(months)s::text[] is null or exists (select from {} k where k.table_id = d.table_id and "
    "k.record_id = d.record_id))"
).format(RECORDS.keys)
"""Comments and files have no month: those of the loaded records are in scope."""


@dataclass
class Delivered:
    """The raw part of a load, written and not yet verified."""

    records: dict[str, TableCounts]
    comments: TableCounts
    attachments: TableCounts
    missing_files: list[AttachmentEntry]
    _loads: list[tuple[RawLoad, sql.Composable]]

    def verify(self) -> list[CheckOutcome]:
        """One outcome for each of the three tables."""
        return [load.verify(in_scope) for load, in_scope in self._loads]


def load_delivered(cur: Cursor, store: ObjectStore, export: Export, scope: Scope) -> Delivered:
    """Load records, comments and the inventory of files."""
    _register(cur, export)
    records, comments = RawLoad(cur, RECORDS, scope), RawLoad(cur, COMMENTS, scope)
    attachments = RawLoad(cur, ATTACHMENTS, scope)
    load_records(records, export, scope)
    chosen = None if scope.months is None else _loaded_records(cur)
    for table in export.manifest.tables:
        comments.add(
            table.id, _comments(export, table.id, chosen), _comment_values, label="comments", total=None
        )
    inventory = _inventory(store, export)
    entries = [e for e in inventory or () if chosen is None or (e.table_id, e.record_id) in chosen]
    for table_id in sorted({e.table_id for e in entries}):
        rows = _attachments([e for e in entries if e.table_id == table_id])
        attachments.add(table_id, rows, _attachment_values, label="files", total=None)
    in_months = scope.rows("created_time")
    # An export whose files were never looked at says nothing about files: none of them is gone.
    in_files = _OF_LOADED_RECORD if inventory is not None else sql.SQL("false")
    return Delivered(
        records=records.finish(in_months),
        comments=_total(comments.finish(_OF_LOADED_RECORD)),
        attachments=_total(attachments.finish(in_files)),
        missing_files=[e for e in entries if e.problem is not None],
        _loads=[(records, in_months), (comments, _OF_LOADED_RECORD), (attachments, in_files)],
    )


def _register(cur: Cursor, export: Export) -> None:
    manifest, raw = export.manifest, export.metadata_text
    cur.execute(
        "insert into airtable.exports (export_id, base_id, final, started_at, finished_at, manifest) "
        "values (%s, %s, %s, %s, %s, %s) on conflict (export_id) do update set manifest = excluded.manifest "
        "where exports.manifest <> excluded.manifest",  # people were purged from it since
        (
            export.export_id,
            manifest.base_id,
            manifest.final,
            manifest.started_at,
            manifest.finished_at,
            manifest.to_json().decode(),
        ),
    )
    cur.execute(
        "insert into airtable.metadata (export_id, base_id, raw, sha256) values (%s, %s, %s, %s) "
        "on conflict (export_id) do nothing",
        (export.export_id, manifest.base_id, raw, hashlib.sha256(raw.encode()).digest()),
    )


def _comments(export: Export, table_id: str, chosen: set[tuple[str, str]] | None) -> Iterator[Row]:
    for line in export.comments(table_id):
        raw = member(line, "comment")
        if raw is None:
            raise StoreError(
                f"export {export.export_id}: a line of table {table_id}'s comments holds no comment"
            )
        record_id, comment_id = json.loads(line)["record_id"], json.loads(raw)["id"]
        if chosen is None or (table_id, record_id) in chosen:
            yield Row((record_id, comment_id), hashlib.sha256(raw.encode()).digest(), raw, len(raw))


def _comment_values(raw: Any) -> tuple[Any, ...]:
    return (raw,)


def _inventory(store: ObjectStore, export: Export) -> Sequence[AttachmentEntry] | None:
    from ledger_assets.extract.attachments import attempts, read_inventory

    if not attempts(store, export.export_id):
        return None
    return read_inventory(store, export.export_id).entries


def _attachments(entries: Sequence[AttachmentEntry]) -> Iterator[Row]:
    # A cell may hold the same attachment twice; it is one file.
    unique = {(e.record_id, e.field_id, e.attachment_id): e for e in entries}
    for key, entry in unique.items():
        yield Row(key, content_hash(vars(entry)), entry, 200)


def _attachment_values(entry: Any) -> tuple[Any, ...]:
    return entry.filename, entry.size, entry.content_type, entry.sha256, entry.object_key, entry.problem


def _loaded_records(cur: Cursor) -> set[tuple[str, str]]:
    rows = cur.execute(sql.SQL("select table_id, record_id from {}").format(RECORDS.keys))
    return {(table_id, record_id) for table_id, record_id in rows}


def _total(counts: dict[str, TableCounts]) -> TableCounts:
    names = TableCounts.__dataclass_fields__
    return TableCounts(**{name: sum(getattr(c, name) for c in counts.values()) for name in names})
