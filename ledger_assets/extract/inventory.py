"""What is in a base: tables, fields, records, links, files, and what it costs to read it under the plan's
quota.

Counts and names only: no cell value. From the metadata alone, or with the numbers of an export.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from ledger_assets.environment import REQUESTS_PER_SECOND
from ledger_assets.extract.client import PAGE_SIZE
from ledger_assets.extract.export import Export
from ledger_assets.extract.metadata import BaseMeta, FieldMeta, TableMeta
from ledger_assets.extract.slices import parse, whole_number

METADATA_CALLS = 2
WEBHOOK_CALLS = 2
"""At most: the list, and a new one or a longer life for ours."""
MONTHLY_CALLS = {"Free": 1_000, "Team": 100_000}
"""Calls per workspace and month; Business and Enterprise have no limit."""


@dataclass(frozen=True)
class FieldCount:
    """A field and how many of its cells are filled (None: no export to count in)."""

    id: str
    name: str
    type: str
    cells: int | None


@dataclass(frozen=True)
class TableCount:
    """A table and what it holds."""

    id: str
    name: str
    records: int | None
    empty_records: int | None
    comments: int | None
    files: int | None
    file_bytes: int | None
    fields: tuple[FieldCount, ...]


@dataclass(frozen=True)
class LinkCount:
    """A link field, the other side of it (None: one-way), and how many links each side holds."""

    table: str
    field: str
    to_table: str
    inverse: str | None
    links: int | None
    inverse_links: int | None


@dataclass(frozen=True)
class Inventory:
    """A base in numbers. ``share_of_plan``: the plan's name -> share of its monthly calls that one export
    takes.
    """

    base_id: str
    export_id: str | None
    tables: tuple[TableCount, ...]
    links: tuple[LinkCount, ...]
    calls: int | None
    minutes: float | None
    share_of_plan: dict[str, float]

    def to_json(self) -> bytes:
        """The inventory as JSON."""
        return json.dumps(asdict(self), indent=1).encode()


def take_inventory(meta: BaseMeta, export: Export | None = None) -> Inventory:
    """The inventory of a base, counted in ``export`` when there is one."""
    counted = {table.id: _Count(table, export) for table in meta.tables}
    calls = None if export is None else calls_needed(export)
    return Inventory(
        base_id=meta.base_id,
        export_id=None if export is None else export.export_id,
        tables=tuple(counted[table.id].result() for table in meta.tables),
        links=tuple(
            _link(meta, table, field, counted)
            for table in meta.tables
            for field in table.fields
            if field.type == "multipleRecordLinks"
        ),
        calls=calls,
        minutes=None if calls is None else round(calls / REQUESTS_PER_SECOND / 60, 2),
        share_of_plan={} if calls is None else {p: round(calls / q, 4) for p, q in MONTHLY_CALLS.items()},
    )


def calls_needed(export: Export) -> int:
    """Requests that an export of the same base takes: pages, metadata twice, the webhook, and one per
    commented record."""
    pages = sum(max(1, -(-table.records // PAGE_SIZE)) for table in export.manifest.tables)
    commented = 0
    for table in export.manifest.tables:
        commented += len({parse(line)["record_id"] for line in export.comments(table.id)})
    return pages + METADATA_CALLS + WEBHOOK_CALLS + commented


class _Count:
    """The numbers of one table."""

    def __init__(self, table: TableMeta, export: Export | None) -> None:
        self.table = table
        self.export = export
        self.cells: Counter[str] = Counter()
        self.links: Counter[str] = Counter()
        self.records = self.empty = self.files = self.file_bytes = 0
        if export is not None:
            for record in export.records(table.id):
                self._add(parse(record.raw)["fields"])

    def _add(self, cells: dict[str, Any]) -> None:
        self.records += 1
        self.empty += not cells
        self.cells.update(cells.keys())
        for field in self.table.fields:
            cell = cells.get(field.id)
            if isinstance(cell, list) and field.type == "multipleRecordLinks":
                self.links[field.id] += len(cell)
            elif isinstance(cell, list) and field.type == "multipleAttachments":
                self.files += len(cell)
                items = (item for item in cell if isinstance(item, dict))
                self.file_bytes += sum(whole_number(item.get("size")) or 0 for item in items)

    def result(self) -> TableCount:
        known = self.export is not None
        return TableCount(
            id=self.table.id,
            name=self.table.name,
            records=self.records if known else None,
            empty_records=self.empty if known else None,
            comments=None if self.export is None else self.export.table(self.table.id).comments,
            files=self.files if known else None,
            file_bytes=self.file_bytes if known else None,
            fields=tuple(
                FieldCount(f.id, f.name, f.type, self.cells[f.id] if known else None)
                for f in self.table.fields
            ),
        )


def _link(meta: BaseMeta, table: TableMeta, field: FieldMeta, counted: dict[str, _Count]) -> LinkCount:
    other = meta.table_by_id(str(field.options.get("linkedTableId", "")))
    inverse_id = str(field.options.get("inverseLinkFieldId", ""))
    inverse = other.field_by_id(inverse_id) if other is not None else None
    known = counted[table.id].export is not None
    return LinkCount(
        table=table.name,
        field=field.name,
        to_table=other.name if other is not None else str(field.options.get("linkedTableId", "")),
        inverse=None if inverse is None else inverse.name,
        links=counted[table.id].links[field.id] if known else None,
        inverse_links=(
            counted[other.id].links[inverse.id]
            if known and other is not None and inverse is not None
            else None
        ),
    )
