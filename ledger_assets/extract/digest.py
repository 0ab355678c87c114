"""The hashes of a table's manifest and its index, from what is really in the store: every page is read back once.

Memory stays flat: of each record only its id, its time and its hashes are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ledger_assets.errors import StoreError
from ledger_assets.extract.export import page_key, read_lines
from ledger_assets.extract.index import index_of, pack_index
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Digest:
    """Counts and SHA-256 (hex) of a table's records, each id once, the first text delivered counting; and the bytes of
    its index."""

    records: int
    duplicates: int
    ids_sha256: str
    content_sha256: str
    index: bytes = field(repr=False)


def digest(
    store: ObjectStore, export_id: str, table_id: str, pages: Sequence[Sequence[str]], revision: int = 0
) -> Digest:
    """Hash the table whose ``pages`` hold these record ids. Raises :class:`StoreError` for a damaged page."""
    index = index_of(_read_back(store, export_id, table_id, pages, revision))
    ids, content = _hashes(index)
    delivered = sum(map(len, pages))
    return Digest(index.height, delivered - index.height, ids, content, pack_index(index))


def _read_back(
    store: ObjectStore, export_id: str, table_id: str, pages: Sequence[Sequence[str]], revision: int
) -> Iterator[list[str]]:
    for number, page in enumerate(pages):
        lines = read_lines(store, page_key(export_id, table_id, number, revision))
        if len(lines) != len(page):
            raise StoreError(
                f"page {number} of table {table_id} in export {export_id} is damaged; export again"
            )
        yield lines


def _hashes(index: pl.DataFrame) -> tuple[str, str]:
    """Of the sorted ids, and of the ids with their texts' hashes."""
    import polars as pl

    ordered = index.select("record_id", text=pl.col("sha256").bin.encode("hex")).sort("record_id")
    ids, content = hashlib.sha256(), hashlib.sha256()
    for record_id, text in ordered.iter_rows():
        ids.update(f"{record_id}\n".encode())
        content.update(f"{record_id} {text}\n".encode())
    return ids.hexdigest(), content.hexdigest()
