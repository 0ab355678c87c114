"""List records: options, pages, offsets that expire, order frozen at the first request.

Invariants: a record is on one page of a listing at most; what was made after the first request is on none, what
was deleted since is left out; values are those of the moment the page is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger_assets.demo import formula
from ledger_assets.demo.api_errors import api_error, unprocessable
from ledger_assets.demo.basefile import BaseFile, Row
from ledger_assets.demo.catalogue import Catalogue
from ledger_assets.demo.cells import decode, encode, pack, unpack
from ledger_assets.demo.changes import new_id
from ledger_assets.demo.model import Table, airtable_id

PAGE_SIZE = 100


@dataclass
class Options:
    """What a request asks for. ``fields`` are ids; None: all."""

    page_size: int = PAGE_SIZE
    offset: str | None = None
    by_id: bool = False
    fields: frozenset[str] | None = None
    formula: str | None = None
    most: int | None = None
    sort: Sequence[tuple[str, bool]] = ()
    comment_count: bool = False


@dataclass
class Listing:
    """A listing under way. ``ids``: the frozen order, where it is not the table's own up to ``up_to``."""

    table: str
    up_to: int
    ids: list[str] | None
    used: float
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Offset's record id -> (last ``seq`` or index delivered, records delivered)."""


class Listings:
    """The listings of one base."""

    def __init__(self, file: BaseFile, offset_minutes: float) -> None:
        self._file = file
        self._seconds = offset_minutes * 60
        self._open: dict[str, Listing] = {}

    def expire(self) -> None:
        """Forget all offsets."""
        self._open.clear()

    def page(self, catalogue: Catalogue, table: Table, options: Options) -> str:
        """One page as stored text, to be rendered. Raises 422 for an offset that is not known any more."""
        number = catalogue.numbers[table.id]
        if options.offset is None:
            key = new_id("itr")
            ids = self._frozen(catalogue, table, options)
            listing = Listing(table.id, self._file.last_seq(number), ids, time.monotonic())
            place, delivered = -1, 0
        else:
            key, listing, (place, delivered) = self._resume(table, options.offset)
        size = options.page_size if options.most is None else min(options.page_size, options.most - delivered)
        rows, place, more = self._rows(number, listing, place, size)
        delivered += len(rows)
        tail = ""
        if more and (options.most is None or delivered < options.most):
            mark = rows[-1].record_id if rows else new_id("rec")
            listing.places[mark] = (place, delivered)
            self._open[key] = listing
            tail = f',"offset":"{key}/{mark}"'
        return f'{{"records":[{",".join(record_text(row, options) for row in rows)}]{tail}}}'

    def _resume(self, table: Table, offset: str) -> tuple[str, Listing, tuple[int, int]]:
        key, _, mark = offset.partition("/")
        now = time.monotonic()
        listing = self._open.get(key)
        if listing is not None and now - listing.used > self._seconds:
            listing = self._open.pop(key) and None
        if listing is None or mark not in listing.places or listing.table != table.id:
            raise unprocessable("LIST_RECORDS_ITERATOR_NOT_AVAILABLE")
        listing.used = now
        return key, listing, listing.places[mark]

    def _rows(self, number: int, listing: Listing, place: int, size: int) -> tuple[list[Row], int, bool]:
        if listing.ids is None:
            rows = self._file.page(number, place, listing.up_to, size + 1)
            more = len(rows) > size
            rows = rows[:size]
            return rows, rows[-1].seq if rows else place, more
        chosen = listing.ids[place + 1 : place + 1 + size]
        found = [row for row in map(self._file.record, chosen) if row is not None]
        return found, place + len(chosen), place + 1 + len(chosen) < len(listing.ids)

    def _frozen(self, catalogue: Catalogue, table: Table, options: Options) -> list[str] | None:
        if options.formula is None and not options.sort:
            return None
        number = catalogue.numbers[table.id]
        ids = None if options.formula is None else formula.record_ids(options.formula)
        if ids is not None:
            rows = [row for row in map(self._file.record, dict.fromkeys(ids)) if row is not None]
            found = sorted((row for row in rows if catalogue.table_of(row) is table), key=lambda row: row.seq)
        else:
            found = list(self._matching(catalogue, table, self._file.all(number), options.formula))
        for field_id, descending in reversed(options.sort):
            found.sort(key=_sort_key(field_id), reverse=descending)
        return [row.record_id for row in found]

    def _matching(
        self, catalogue: Catalogue, table: Table, rows: Iterator[Row], text: str | None
    ) -> Iterator[Row]:
        if text is None:
            yield from rows
            return
        expression = formula.parse(text)
        fields = catalogue.fields[table.id]
        needs_values = "{" in text
        for row in rows:
            cells = unpack(row.cells) if needs_values else {}
            values = {fields[f_id].name: decode(cell) for f_id, cell in cells.items()}
            if expression(formula.Record(row.record_id, row.created, row.modified, values)):
                yield row


def record_text(row: Row, options: Options) -> str:
    """One record as stored text."""
    cells = row.cells
    if options.fields is not None:
        cells = pack({f: text for f, text in unpack(cells).items() if f in options.fields})
    count = f'"commentCount":{row.comments},' if options.comment_count else ""
    return f'{{"id":"{row.record_id}","createdTime":"{row.created}",{count}"fields":{{{cells}}}}}'


def _sort_key(field_id: str) -> Callable[[Row], tuple[int, Any]]:
    """Empty cells first; numbers before texts, as a total order over whatever a cell may hold."""

    def key(row: Row) -> tuple[int, Any]:
        text = unpack(row.cells).get(field_id)
        value = None if text is None else decode(text)
        if value is None:
            return 0, ""
        if isinstance(value, int | float):
            return 1, value
        return 2, value if isinstance(value, str) else encode(value)

    return key


def read_options(catalogue: Catalogue, table: Table, given: Mapping[str, Any]) -> Options:
    """The options of a request, from its query (lists gathered) or its body. Raises 422 for what is wrong."""
    options = Options(
        offset=given.get("offset"),
        by_id=truth(given.get("returnFieldsByFieldId")),
        formula=given.get("filterByFormula") or None,
        comment_count="commentCount" in given.get("recordMetadata", ()),
    )
    options.page_size = _number(given, "pageSize", PAGE_SIZE, most=PAGE_SIZE)
    if "maxRecords" in given:
        options.most = _number(given, "maxRecords", 0, most=10**9)
    if given.get("fields"):
        options.fields = frozenset(catalogue.field_id(table, str(name)) for name in given["fields"])
    options.sort = [
        (catalogue.field_id(table, str(by["field"])), by.get("direction") == "desc")
        for by in given.get("sort", ())
    ]
    view = given.get("view")
    if view and view not in ("Grid view", airtable_id("viw", table.name)):
        raise unprocessable("VIEW_NAME_NOT_FOUND", f"View {view} not found")
    if given.get("cellFormat", "json") != "json":
        raise api_error(
            422, "INVALID_REQUEST_UNKNOWN", "cellFormat string is not offered by the local server"
        )
    return options


def truth(value: object) -> bool:
    """A flag of a query or a body."""
    return value is True or value in ("1", "true", 1)


def _number(given: Mapping[str, Any], name: str, default: int, *, most: int) -> int:
    try:
        value = int(given.get(name, default))
    except (TypeError, ValueError):
        value = 0
    if not 1 <= value <= most:
        raise unprocessable("INVALID_REQUEST_UNKNOWN", f"{name} must be between 1 and {most}")
    return value
