"""Which records and cells an export must not hold, because people had them erased while they stand in Airtable still.

What belongs here: how far an erased record's words reach through links, lookups, rollups and formulas, and applying
that to records. What does not: reading Airtable (``scan``, ``standing``), the text (``cut``), kept exports
(``erasure.purge``).

A computed cell may repeat an erased record's words when it looks at least as many links away as its record is from the
erased one: a lookup of a lookup reaches two. By these two numbers every computed cell that could hold a word goes, and
a cell that was computed from one that goes, goes too; all others stay. Links to the erased go out of link cells.

Invariant: where the metadata does not say what a field is computed from, it counts as reaching ``UNKNOWN`` links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger_assets.extract.cut import cut
from ledger_assets.extract.metadata import BaseMeta, FieldMeta, TableMeta
from ledger_assets.extract.slices import RecordSlice, parse

LINK = "multipleRecordLinks"
LOOKUPS = frozenset({"multipleLookupValues", "lookup", "rollup"})
FROM_FIELDS = frozenset({"formula", "aiText"})
_QUOTED = re.compile(r'"([A-Za-z0-9]+)"')
UNKNOWN = 2
"""Links away that ``private.redact_mentions`` takes mentions out of."""


@dataclass
class LeftOut:
    """What was left out of one table: record ids, and cells (also links within them) by field id."""

    records: set[str] = field(default_factory=set)
    cells: dict[str, set[str]] = field(default_factory=dict)

    def add(self, other: LeftOut) -> None:
        """Count the other, too."""
        self.records |= other.records
        for field_id, ids in other.cells.items():
            self.cells.setdefault(field_id, set()).update(ids)

    def named(self) -> dict[str, list[str]]:
        """The cells as a manifest names them."""
        return {field_id: sorted(ids) for field_id, ids in sorted(self.cells.items())}


class LeaveOut:
    """What must be left out of the records of one base."""

    def __init__(
        self, meta: BaseMeta, erased: Mapping[str, frozenset[str]], near: Mapping[str, int] | None = None
    ) -> None:
        """``erased``: record ids by table id; ``near``: how many links a record is away from them (:func:`near`)."""
        self.erased = erased
        self._ids = frozenset().union(*erased.values())
        self.placed = near is not None
        """False: none of the erased stood there, so that nobody has looked what is near them."""
        self._near = near or {}
        self._known = self._ids.union(self._near)
        self._reach = reaches(meta) if self._ids else {}
        self._links = links_of(meta)

    def page(self, table_id: str, records: Sequence[RecordSlice]) -> tuple[list[RecordSlice], LeftOut]:
        """The records that may be kept, with the cells that may, and what was left out."""
        found = LeftOut()
        if not self._ids:
            return list(records), found
        gone = self.erased.get(table_id, frozenset())
        kept = []
        for one in records:
            if one.id in gone:
                found.records.add(one.id)
                continue
            raw, cells = self.text(table_id, one.id, one.raw)
            for field_id in cells:
                found.cells.setdefault(field_id, set()).add(one.id)
            kept.append(one if not cells else RecordSlice(one.id, one.created_time, raw, one.comment_count))
        return kept, found

    def text(self, table_id: str, record_id: str, raw: str) -> tuple[str, list[str]]:
        """The record's text without what must go, and the ids of the fields that were touched."""
        links = self._links.get(table_id, frozenset())
        away = self._near.get(record_id) or self._away(links, raw)
        if away is None:
            return raw, []

        def wanted(field_id: str, value: Any) -> bool | list[str]:
            if field_id not in links:
                return self._reach.get(field_id, 0) < away
            if not isinstance(value, list) or not any(
                one in self._ids for one in value if isinstance(one, str)
            ):
                return True
            return [one for one in value if isinstance(one, str) and one not in self._ids]

        return cut(raw, wanted)

    def _away(self, links: frozenset[str], raw: str) -> int | None:
        """Of a record that nobody has placed: it may have been linked since."""
        if self._known.isdisjoint(quoted(raw)):
            return None
        others = linked(links, raw)
        if not self._ids.isdisjoint(others):
            return 1
        return min((self._near[one] + 1 for one in others if one in self._near), default=None)


def quoted(raw: str) -> list[str]:
    """What stands in a record's text in quotes and could be an id."""
    return _QUOTED.findall(raw)


def links_of(meta: BaseMeta) -> dict[str, frozenset[str]]:
    """Ids of the link fields by table id."""
    return {table.id: frozenset(f.id for f in table.fields if f.type == LINK) for table in meta.tables}


def linked(links: Iterable[str], raw: str) -> list[str]:
    """The record ids in the link cells of a record's text."""
    cells = parse(raw)["fields"]
    found = (cells.get(one) for one in links)
    return [str(one) for cell in found if isinstance(cell, list) for one in cell if isinstance(one, str)]


def near(links: Mapping[str, Sequence[str]], erased: Iterable[str], furthest: int) -> dict[str, int]:
    """How many links away from an erased record every record is, up to ``furthest``. ``links``: the ids that each
    record links to; words come along them, so only they count, not the way back."""
    found: dict[str, int] = {}
    reached = frozenset(erased)
    begun = reached
    for distance in range(1, furthest + 1):
        reached = frozenset(
            one
            for one, others in links.items()
            if one not in found and one not in begun and not reached.isdisjoint(others)
        )
        found |= dict.fromkeys(reached, distance)
    return found


def furthest(meta: BaseMeta) -> int:
    """How many links away a computed field of the base can look."""
    return max([1, *reaches(meta).values()])


def reaches(meta: BaseMeta) -> dict[str, int]:
    """How many links away every computed field of the base can look, by field id; 0 for what it knows of itself."""
    known: dict[str, int] = {}
    for table in meta.tables:
        for one in table.fields:
            _reach(meta, table, one, known, ())
    return {field_id: reach for field_id, reach in known.items() if reach}


def _reach(
    meta: BaseMeta, table: TableMeta, one: FieldMeta, known: dict[str, int], above: tuple[str, ...]
) -> int:
    if one.id in above:
        return UNKNOWN
    if one.id not in known:
        known[one.id] = _computed(meta, table, one, known, (*above, one.id))
    return known[one.id]


def _computed(
    meta: BaseMeta, table: TableMeta, one: FieldMeta, known: dict[str, int], above: tuple[str, ...]
) -> int:
    if one.type == "count":
        return 1
    if one.type in FROM_FIELDS:
        named = one.options.get("referencedFieldIds")
        if not isinstance(named, list):
            return UNKNOWN
        return max([0, *(_shown(meta, table, str(field_id), known, above) for field_id in named)])
    if one.type not in LOOKUPS:
        return 0
    via = table.field_by_id(str(one.options.get("recordLinkFieldId", "")))
    there = meta.table_by_id(str(via.options.get("linkedTableId", ""))) if via is not None else None
    of = there.field_by_id(str(one.options.get("fieldIdInLinkedTable", ""))) if there is not None else None
    if there is None or of is None:
        return UNKNOWN
    return 1 + _shown(meta, there, of.id, known, above)


def _shown(
    meta: BaseMeta, table: TableMeta, field_id: str, known: dict[str, int], above: tuple[str, ...]
) -> int:
    """How far a field looks when another one shows it: a link shows the linked record's primary field."""
    one = table.field_by_id(field_id)
    if one is None:
        return UNKNOWN
    if one.type != LINK:
        return _reach(meta, table, one, known, above)
    there = meta.table_by_id(str(one.options.get("linkedTableId", "")))
    primary = there.field_by_id(there.primary_field_id) if there is not None else None
    if there is None or primary is None:
        return UNKNOWN
    return 1 + _reach(meta, there, primary, known, above)
