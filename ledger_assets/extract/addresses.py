"""Addresses of attachments that still work. Airtable's expire about two hours after the response that held
them.

An expired one is read again from its record, together with those of up to 100 other records of the table
whose files are still to be fetched: one call instead of a hundred.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ledger_assets.extract.client import PAGE_SIZE, AirtableClient
from ledger_assets.extract.metadata import TableMeta
from ledger_assets.extract.slices import is_text, parse

FRESH_SECONDS = 90 * 60
"""Airtable promises two hours; half an hour is left for the transfer."""


@dataclass(frozen=True)
class Wanted:
    """A file to be fetched: its attachment, one cell that holds it, and the address read at ``read_at``
    (ISO).
    """

    attachment_id: str
    table: TableMeta
    record_id: str
    field_id: str
    size: int
    url: str = field(repr=False)
    read_at: str


@dataclass(frozen=True)
class Address:
    """Where a file can be fetched, and when Airtable said so (seconds)."""

    url: str = field(repr=False)
    read_at: float


class Addresses:
    """Current addresses of the wanted files. Safe to use from several threads."""

    def __init__(self, client: AirtableClient, wanted: Iterable[Wanted]) -> None:
        self._client = client
        self._found: dict[str, Address | None] = {}
        self._pending: dict[str, dict[str, dict[str, Wanted]]] = {}
        self._turn = threading.Lock()
        for one in wanted:
            read_at = datetime.fromisoformat(one.read_at).timestamp()
            self._found[one.attachment_id] = Address(one.url, read_at)
            self._pending.setdefault(one.table.id, {}).setdefault(one.record_id, {})[one.attachment_id] = one

    def get(self, one: Wanted, *, refused: Address | None = None) -> Address | None:
        """A fresh address of the file, None when its record holds it no longer.

        ``refused``: the address that has just not worked.
        """
        with self._turn:
            known = self._found[one.attachment_id]
            if known is None:
                return None
            stale = self._client.clock.now() - known.read_at > FRESH_SECONDS
            if stale or known == refused:
                self._read_again(one)
            return self._found[one.attachment_id]

    def done(self, one: Wanted) -> None:
        """The file needs no address any more."""
        with self._turn:
            records = self._pending[one.table.id]
            records[one.record_id].pop(one.attachment_id, None)
            if not records[one.record_id]:
                del records[one.record_id]

    def _read_again(self, one: Wanted) -> None:
        pending = self._pending[one.table.id]
        others = (record_id for record_id in pending if record_id != one.record_id)
        chosen = [
            one.record_id,
            *(record_id for record_id, _ in zip(others, range(PAGE_SIZE - 1), strict=False)),
        ]
        wanted = [item for record_id in chosen for item in pending[record_id].values()]
        formula = f"OR({','.join(f'RECORD_ID()={record_id!r}' for record_id in chosen)})"
        read_at = self._client.clock.now()
        fields = sorted({item.field_id for item in wanted})
        page = self._client.records(one.table, fields=fields, formula=formula)
        cells = {record.id: parse(record.raw)["fields"] for record in page.records}
        for item in wanted:
            url = _url(cells.get(item.record_id, {}).get(item.field_id), item.attachment_id)
            self._found[item.attachment_id] = None if url is None else Address(url, read_at)


def _url(cell: Any, attachment_id: str) -> str | None:
    for item in cell if isinstance(cell, list) else []:
        if isinstance(item, dict) and item.get("id") == attachment_id and is_text(item.get("url")):
            return str(item["url"])
    return None
