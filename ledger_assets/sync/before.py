"""The export that a sync starts from: its records by id, and who links to whom where the links have no way back.

Invariant: an export that cannot be read whole ends the sync in a full export, never in a smaller one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from functools import cache
from typing import ParamSpec, TypeVar

from ledger_assets.errors import StoreError
from ledger_assets.extract.export import Export
from ledger_assets.extract.slices import head, parse
from ledger_assets.sync.depends import LinkField
from ledger_assets.sync.payloads import FullExportNeeded

UNREADABLE = "the newest export cannot be read any more"
P = ParamSpec("P")
T = TypeVar("T")


def _readable(read: Callable[P, T]) -> Callable[P, T]:
    def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except StoreError:
            raise FullExportNeeded(UNREADABLE) from None

    return tried


class Before:
    """The records of an export. Pages are read when they are needed; what is kept of them are ids."""

    def __init__(self, export: Export) -> None:
        self.export = export
        self._pages = cache(self._pages_of)
        self._linking = cache(self._linking_to)

    def ids(self, table_id: str) -> Collection[str]:
        """The ids of a table's records."""
        return self._pages(table_id).keys()

    def in_order(self, table_id: str, ids: Collection[str]) -> list[str]:
        """Ids in the order of the pages that hold them, those of no page last: ids tell nothing of pages."""
        pages = self._pages(table_id)
        last = len(pages)
        return sorted(ids, key=lambda one: (pages.get(one, last), one))

    @_readable
    def texts(self, table_id: str, ids: Collection[str]) -> dict[str, str]:
        """The exact texts of those of the records that the export holds."""
        pages = self._pages(table_id)
        found: dict[str, str] = {}
        for page in sorted({pages[one] for one in ids if one in pages}):
            for raw in self.export.page(table_id, page):
                record_id, _ = head(raw)
                if record_id in ids:
                    found.setdefault(record_id, raw)
        return found

    def pages(self, table_id: str) -> Iterator[list[tuple[str, str]]]:
        """Id and exact text of every record page by page, each id once."""
        seen: set[str] = set()
        for number in range(self.export.table(table_id).pages):
            kept = []
            for raw in self._page(table_id, number):
                record_id, _ = head(raw)
                if record_id not in seen:
                    seen.add(record_id)
                    kept.append((record_id, raw))
            yield kept
        if len(seen) != self.export.table(table_id).records:
            raise FullExportNeeded(UNREADABLE)

    @_readable
    def _page(self, table_id: str, page: int) -> list[str]:
        return self.export.page(table_id, page)

    @_readable
    def comments(self, table_id: str) -> list[tuple[str, str]]:
        """Record id and line of every comment."""
        return [(str(parse(line)["record_id"]), line) for line in self.export.comments(table_id)]

    def comment_counts(self, table_id: str) -> Counter[str]:
        """How many comments of each record there are."""
        return Counter(record_id for record_id, _ in self.comments(table_id))

    def linking(self, link: LinkField, record_id: str) -> Collection[str]:
        """The records that link to this one by a link that has no way back."""
        return self._linking(link.table, link.field).get(record_id, ())

    @_readable
    def _pages_of(self, table_id: str) -> dict[str, int]:
        index = self.export.index(table_id)
        return dict(zip(index["record_id"], index["page"], strict=True))

    @_readable
    def _linking_to(self, table_id: str, field_id: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for record in self.export.records(table_id):
            for target in linked(record.raw, field_id):
                found.setdefault(target, []).append(record.id)
        return found


def linked(raw: str | None, field_id: str) -> Iterator[str]:
    """The record ids in a link cell of a record's text; none of no record."""
    if raw is None or f'"{field_id}"' not in raw:
        return
    cell = parse(raw)["fields"].get(field_id)
    for one in cell if isinstance(cell, list) else ():
        if isinstance(one, str) and one.isascii() and one.isalnum():  # it becomes part of formulas
            yield str(one)
