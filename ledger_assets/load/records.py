"""An export's records as rows of schema airtable: by the index which are new or changed, and only their pages read.

What belongs here: which records a load has to write, and their rows. What does not: how rows are written (``raw``).

Invariants: a page of which nothing is new or changed is not read; what is read of a page is what the index says, to
the byte, or nothing is loaded; memory does not grow with the base's texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from ledger_assets.errors import StoreError
from ledger_assets.extract.slices import head
from ledger_assets.load.ahead import ahead
from ledger_assets.load.jsontext import fields_json
from ledger_assets.load.months import month_key
from ledger_assets.load.raw import BATCH_BYTES, BATCH_ROWS, Columns, RawLoad
from ledger_assets.progress import report

if TYPE_CHECKING:
    from ledger_assets.extract.export import Export, TableManifest
    from ledger_assets.load.merge import Scope

Batch = tuple[bool, list[Columns]]
"""Whether they are new, and the rows."""


def load_table(raw: RawLoad, export: Export, table: TableManifest, scope: Scope) -> None:
    """Load the records of one Airtable table."""
    index = _in_scope(export.index(table.id), scope)
    keys = index.select("record_id", hash="content_sha256")
    if scope.months is None and raw.holds(table.id, keys):
        report("load", table.name, index.height, index.height)
        return
    raw.stage(table.id, keys)
    changes = raw.changes(table.id)
    wanted = (
        index.with_columns(new=pl.lit(True))
        if changes is None
        else index.join(changes, on="record_id", maintain_order="left")
    )
    done = index.height - wanted.height
    texts = (
        (is_new, len(rows), raw.text(table.id, rows, new=is_new))
        for is_new, rows in _batches(export, table.id, wanted)
    )
    # As text when they are made, in the other thread: row by row the two would wait for each other's turn in Python.
    for is_new, count, text in ahead(texts):
        raw.write_text(table.id, text, new=is_new, count=count)
        done += count
        report("load", table.name, done, index.height)


def _in_scope(index: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    if scope.months is None:
        return index
    created = map(datetime.fromisoformat, index["created_time"])
    return index.filter(
        pl.Series([month_key(one, scope.first_month) in scope.months for one in created], dtype=pl.Boolean)
    )


def _batches(export: Export, table_id: str, wanted: pl.DataFrame) -> Iterator[Batch]:
    """The rows of the wanted records, page by page, new ones and changed ones apart."""
    new: list[Columns] = []
    changed: list[Columns] = []
    size = 0
    for (page,), part in wanted.group_by("page", maintain_order=True):
        for is_new, row, length in _rows(export, table_id, int(str(page)), part):
            (new if is_new else changed).append(row)
            size += length
        if len(new) + len(changed) >= BATCH_ROWS or size >= BATCH_BYTES:
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
