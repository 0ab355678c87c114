"""An export's records as rows of schema airtable: by the index which are new or changed, and only their pages read.

What belongs here: which records a load has to write, and their rows. What does not: how rows are written (``raw``).

Invariants: a page of which nothing is new or changed is not read; what is read of a page is what the index says, to
the byte, or nothing is loaded; memory does not grow with the base's texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from ledger_assets.errors import StoreError
from ledger_assets.extract.slices import head
from ledger_assets.load.ahead import ahead
from ledger_assets.load.jsontext import fields_json
from ledger_assets.load.months import month_key
from ledger_assets.load.raw import Columns, RawLoad
from ledger_assets.progress import report

if TYPE_CHECKING:
    from ledger_assets.extract.export import Export, TableManifest
    from ledger_assets.load.merge import Scope

PIECE_ROWS = 500
PIECE_BYTES = 1024 * 1024
"""Small: Postgres waits for the first piece, and has to take the last when all others are made."""

Batch = tuple[bool, list[Columns]]
"""Whether they are new, and the rows."""


@dataclass(frozen=True)
class _Wanted:
    """What has to be written of one Airtable table. ``rows`` None: the whole index, all of it new."""

    table: TableManifest
    total: int
    rows: pl.DataFrame | None


_Text = tuple[_Wanted, bool, int, bytes]


def load_records(raw: RawLoad, export: Export, scope: Scope) -> None:
    """Load the records of all Airtable tables."""
    # What is asked of the database first, for all tables: their rows are then made without a pause between two tables, in
    # which Postgres had nothing to do (0.2 of 4.3 s).
    wanted = [one for table in export.manifest.tables if (one := _wanted(raw, export, table, scope))]
    done = {one.table.id: 0 if one.rows is None else one.total - one.rows.height for one in wanted}
    # As text when they are made, in the other thread: row by row the two would wait for each other's turn in Python.
    texts = ahead(
        (one, is_new, len(rows), raw.text(one.table.id, rows, new=is_new))
        for one in wanted
        for is_new, rows in _batches(export, one)
    )

    def counted(pieces: Iterable[_Text]) -> Iterator[tuple[int, bytes]]:
        for one, _, count, text in pieces:
            yield count, text
            done[one.table.id] += count
            report("load", one.table.name, done[one.table.id], one.total)

    for (table_id, is_new), pieces in groupby(texts, key=lambda text: (text[0].table.id, text[1])):
        raw.write_texts(table_id, counted(pieces), new=is_new)


def _wanted(raw: RawLoad, export: Export, table: TableManifest, scope: Scope) -> _Wanted | None:
    """Stage the table's keys; None when it holds all of its records as they are."""
    index = _in_scope(export.index(table.id), scope)
    keys = index.select("record_id", hash="content_sha256")
    if scope.months is None and raw.holds(table.id, keys):
        report("load", table.name, index.height, index.height)
        return None
    raw.stage(table.id, keys)
    changes = raw.changes(table.id)
    if changes is not None:
        return _Wanted(table, index.height, index.join(changes, on="record_id", maintain_order="left"))
    # The whole index is read again when its turn comes: of all tables together it would be 75 MB at 500,000 records.
    return _Wanted(table, index.height, None if scope.months is None else _new(index))


def _new(index: pl.DataFrame) -> pl.DataFrame:
    return index.with_columns(new=pl.lit(True))


def _in_scope(index: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    if scope.months is None:
        return index
    created = map(datetime.fromisoformat, index["created_time"])
    return index.filter(
        pl.Series([month_key(one, scope.first_month) in scope.months for one in created], dtype=pl.Boolean)
    )


def _batches(export: Export, wanted: _Wanted) -> Iterator[Batch]:
    """The rows of the wanted records, page by page, new ones and changed ones apart."""
    table_id = wanted.table.id
    index = _new(export.index(table_id)) if wanted.rows is None else wanted.rows
    new: list[Columns] = []
    changed: list[Columns] = []
    size = 0
    for (page,), part in index.group_by("page", maintain_order=True):
        for is_new, row, length in _rows(export, table_id, int(str(page)), part):
            (new if is_new else changed).append(row)
            size += length
        if len(new) + len(changed) >= PIECE_ROWS or size >= PIECE_BYTES:
            yield from ((is_new, rows) for is_new, rows in ((True, new), (False, changed)) if rows)
            new, changed, size = [], [], 0
    yield from ((is_new, rows) for is_new, rows in ((True, new), (False, changed)) if rows)


def _rows(
    export: Export, table_id: str, page: int, part: pl.DataFrame
) -> Iterator[tuple[bool, Columns, int]]:
    """Whether it is new, the row, and about its size, of every wanted record of a page."""
    wanted = {
        record_id: rest
        for record_id, *rest in part.select("record_id", "content_sha256", "sha256", "new").iter_rows()
    }
    for raw in export.page(table_id, page):
        record_id, created_time = head(raw)
        if record_id not in wanted:
            continue
        content, exact, is_new = wanted.pop(record_id)
        if hashlib.sha256(raw.encode()).digest() != exact:
            raise _other(export, table_id, page)
        fields, lossy = fields_json(raw)
        yield is_new, (record_id, created_time, raw, fields, lossy, exact, content), len(raw)
    if wanted:
        raise _other(export, table_id, page)


def _other(export: Export, table_id: str, page: int) -> StoreError:
    return StoreError(
        f"page {page} of table {table_id} in export {export.export_id} is not what its index says: put a copy of it "
        "back, or export and migrate again"
    )
