"""The index of a table's records: which there are, on which page, and their hashes; a load reads it before any page.

    exports/<export id>/index/<table id>.parquet   record_id, created_time, page, content_sha256, sha256

What belongs here: making it of the pages' texts, and its bytes. What does not: where it lies and whether it may be
trusted (``export``), what a load does with it (``load``).

Invariants: one row per record, in Airtable's order; of a record that was delivered twice it is the first text, as
everywhere. ``sha256`` is of the exact text: whoever takes a text from a page compares it with this.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ledger_assets.extract.content import without_addresses
from ledger_assets.extract.slices import head

if TYPE_CHECKING:
    import polars as pl

CHUNK = 5_000


@dataclass
class _Chunk:
    """Rows on their way to columns, which take a third of the memory."""

    ids: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)

    def add(self, record_id: str, created_time: str, page: int, raw: str) -> None:
        exact = hashlib.sha256(raw.encode()).digest()
        content = without_addresses(raw)
        self.ids.append(record_id)
        self.created.append(created_time)
        self.pages.append(page)
        self.contents.append(exact if content is raw else hashlib.sha256(content.encode()).digest())
        self.hashes.append(exact)

    def columns(self) -> pl.DataFrame:
        import polars as pl

        return pl.DataFrame(
            {
                "record_id": pl.Series(self.ids, dtype=pl.String),
                "created_time": pl.Series(self.created, dtype=pl.String),
                "page": pl.Series(self.pages, dtype=pl.Int32),
                "content_sha256": pl.Series(self.contents, dtype=pl.Binary),
                "sha256": pl.Series(self.hashes, dtype=pl.Binary),
            }
        )


def index_of(pages: Iterable[Iterable[str]]) -> pl.DataFrame:
    """The index of a table by the exact texts of its pages. Raises :class:`BadBody` for a text that is no record."""
    import polars as pl

    seen: set[str] = set()
    chunk, frames = _Chunk(), []
    for number, page in enumerate(pages):
        for raw in page:
            record_id, created_time = head(raw)
            if record_id not in seen:
                seen.add(record_id)
                chunk.add(record_id, created_time, number, raw)
        if len(chunk.ids) >= CHUNK:
            frames.append(chunk.columns())
            chunk = _Chunk()
    return pl.concat([*frames, chunk.columns()])


def pack_index(index: pl.DataFrame) -> bytes:
    """The index as its object's bytes."""
    buffer = io.BytesIO()
    index.write_parquet(buffer, compression="zstd", compression_level=1, statistics=False)
    return buffer.getvalue()


def unpack_index(data: bytes) -> pl.DataFrame:
    """The index of :func:`pack_index`."""
    import polars as pl

    return pl.read_parquet(io.BytesIO(data))
