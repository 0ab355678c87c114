"""The export as it lies in the store, read beside Postgres: hashes of every text, cells counted from the text itself.

What belongs here: reading pages and comments in a thread, while the database judges what does not need them. What
does not: comparing anything.

Invariants: memory does not grow with the base (what COPY takes waits in a temporary file); no number of a cell is
ever converted (texts are counted, not read).
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import Any

from ledger_assets import progress
from ledger_assets.errors import StoreError
from ledger_assets.extract.export import Export, TableManifest

KEPT_BYTES = 8 * 1024 * 1024
"""Rows that wait in memory before they wait in a file."""
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_COMMENT = re.compile(r'\{\s*"record_id":\s*"([A-Za-z0-9]+)",\s*"comment":\s*(\{.*\})\s*\}', re.DOTALL)


@dataclass
class Counted:
    """What the export's text holds of one table. A cell is a key with a value other than null."""

    records: int = 0
    cells: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    comments: int = 0
    comment_lines: int = 0
    """Comments as they were delivered: one may have been delivered twice."""


@dataclass
class Delivered:
    """An export as it was read: what was counted by table id, and the rows of two tables as COPY takes them."""

    counted: dict[str, Counted]
    records: SpooledTemporaryFile[bytes]
    """Of ``proof_export``: table id, record id, hash of the exact text."""
    comments: SpooledTemporaryFile[bytes]
    """Of ``proof_comments``: the same of every comment, each once."""


@contextmanager
def export_being_read(export: Export) -> Iterator[Future[Delivered]]:
    """Read the export in a thread. Leaving the block ends it and throws its rows away."""
    stop = threading.Event()
    with (
        SpooledTemporaryFile(KEPT_BYTES) as records,
        SpooledTemporaryFile(KEPT_BYTES) as comments,
        ThreadPoolExecutor(1, thread_name_prefix="proof-export") as reader,
    ):
        try:
            yield reader.submit(_read, export, Delivered({}, records, comments), stop)
        finally:
            stop.set()


def _read(export: Export, found: Delivered, stop: threading.Event) -> Delivered:
    for table in export.manifest.tables:
        counted = found.counted[table.id] = Counted()
        _read_comments(export, table, counted, found.comments)
        seen: set[str] = set()
        for page in export.pages(table.id):
            if stop.is_set():
                return found
            try:
                rows = _rows(table, page, counted, seen)
            except (ValueError, LookupError, TypeError):
                raise StoreError(
                    f"export {export.export_id}: a record of table {table.id} cannot be read; export again"
                ) from None
            found.records.write(rows.encode())
            progress.report("proof", table.name, counted.records, table.records)
    return found


def _rows(table: TableManifest, page: Iterable[str], counted: Counted, seen: set[str]) -> str:
    """Count a page; its rows for COPY: ids hold letters and digits only, there is nothing to escape."""
    lines: list[str] = []
    names: list[Iterable[str]] = []
    for raw in page:
        record, _ = _DECODER.raw_decode(raw)
        record_id: str = record["id"]
        if record_id in seen:
            continue
        if table.duplicates:
            seen.add(record_id)
        lines.append(f"{table.id}\t{record_id}\t\\\\x{hashlib.sha256(raw.encode()).hexdigest()}\n")
        names.append(_cells(raw, record["fields"], counted.errors))
    counted.records += len(lines)
    counted.cells.update(chain.from_iterable(names))
    return "".join(lines)


def _cells(raw: str, fields: dict[str, Any], errors: Counter[str]) -> Iterable[str]:
    """The names of the cells; a text that spells neither word can hold no null and no error."""
    escaped = "\\u" in raw
    if escaped or "error" in raw or "specialValue" in raw:
        errors.update(name for name, value in fields.items() if _is_error(value))
    return [name for name, value in fields.items() if value is not None] if "null" in raw else fields


def _is_error(value: object) -> bool:
    if type(value) is list:
        return any(map(_is_one_error, value))
    return _is_one_error(value)


def _is_one_error(value: object) -> bool:
    return type(value) is dict and ("error" in value or "specialValue" in value)


def _read_comments(
    export: Export, table: TableManifest, counted: Counted, rows: SpooledTemporaryFile[bytes]
) -> None:
    found: set[tuple[str, str]] = set()
    for line in export.comments(table.id):
        parts = _COMMENT.fullmatch(line)
        if parts is None:
            raise StoreError(
                f"export {export.export_id}: a line of table {table.id}'s comments is not one; export again"
            )
        found.add((parts[1], hashlib.sha256(parts[2].encode()).hexdigest()))
        counted.comment_lines += 1
    counted.comments = len(found)
    rows.write("".join(f"{table.id}\t{record_id}\t\\\\x{sha}\n" for record_id, sha in found).encode())
