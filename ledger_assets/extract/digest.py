"""The hashes of a table's manifest, from what is really in the store: every page is read back once.

Memory stays flat: of each record only its own hash is kept, and the table's content hash is of those.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from ledger_assets.errors import StoreError
from ledger_assets.extract.export import page_key, read_lines
from ledger_assets.storage import ObjectStore


@dataclass(frozen=True)
class Digest:
    """Counts and SHA-256 (hex) of a table's records, each id once, the first text delivered counting."""

    records: int
    duplicates: int
    ids_sha256: str
    content_sha256: str


def digest(store: ObjectStore, export_id: str, table_id: str, pages: Sequence[Sequence[str]]) -> Digest:
    """Hash the table whose ``pages`` hold these record ids. Raises :class:`StoreError` for a damaged page."""
    hashes = bytearray()
    for number, page in enumerate(pages):
        lines = read_lines(store, page_key(export_id, table_id, number))
        if len(lines) != len(page):
            raise StoreError(
                f"page {number} of table {table_id} in export {export_id} is damaged; export again"
            )
        for raw in lines:
            hashes += hashlib.sha256(raw.encode()).digest()
    delivered = [record_id for page in pages for record_id in page]
    ids, content = hashlib.sha256(), hashlib.sha256()
    unique = _first_of_each(delivered)
    for at in unique:
        ids.update(f"{delivered[at]}\n".encode())
        content.update(f"{delivered[at]} {hashes[32 * at : 32 * at + 32].hex()}\n".encode())
    return Digest(len(unique), len(delivered) - len(unique), ids.hexdigest(), content.hexdigest())


def _first_of_each(delivered: Sequence[str]) -> list[int]:
    """Where each id stands first, in the ids' order."""
    first: dict[str, int] = {}
    for at, record_id in enumerate(delivered):
        first.setdefault(record_id, at)
    return [first[record_id] for record_id in sorted(first)]
