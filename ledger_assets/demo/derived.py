"""Lookups, rollups, counts and formulas, computed from the links as Airtable computes them.

Used by the generator for every record and by the server for the records that a change reaches. Works on JSON
texts: a looked-up ``1e400`` stays ``1e400``.

Invariants: a lookup holds, in link order, each linked record's value, or null where that is empty, lists
flattened; a cell without links is empty, but a count is then 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ledger_assets.demo.cells import Cells, elements, links
from ledger_assets.demo.model import Field, Table

DERIVED_TYPES = frozenset({"multipleLookupValues", "rollup", "count", "formula", "createdTime"})
Fetch = Callable[[str], Mapping[str, str] | None]
"""Record id -> its cells; None when there is no such record."""


@dataclass(frozen=True)
class Derivation:
    """How one derived field is computed; ids throughout. ``level``: how many derivations it stands on."""

    table: str
    field: str
    type: str
    via: str
    of: str
    aggregate: str | None
    formula: str | None
    level: int


def derivations(tables: Iterable[Table]) -> tuple[Derivation, ...]:
    """The derived fields of a base, each after those that it reads."""
    by_name = {table.name: table for table in tables}
    found = [
        Derivation(
            table=table.id,
            field=table.field_id(f.name),
            type=f.type,
            via=table.field_id(f.via) if f.via else "",
            of=_linked(by_name, table, f).field_id(f.of) if f.of else "",
            aggregate=f.aggregate or f.options.get("result", {}).get("type"),
            formula=f.formula,
            level=_level(by_name, table, f),
        )
        for table in by_name.values()
        for f in table.fields
        if f.type in DERIVED_TYPES and (f.via or f.formula or f.type == "createdTime")
    ]
    return tuple(sorted(found, key=lambda d: d.level))


def _linked(tables: Mapping[str, Table], table: Table, f: Field) -> Table:
    assert f.via is not None
    to = table.field(f.via).to
    assert to is not None
    return tables[to]


def _level(tables: Mapping[str, Table], table: Table, f: Field) -> int:
    if f.of is None:
        return 0
    linked = _linked(tables, table, f)
    of = linked.field(f.of)
    return 1 + (_level(tables, linked, of) if of.type in DERIVED_TYPES else 0)


def compute(
    d: Derivation, record_id: str, created: str, cells: Mapping[str, str], fetch: Fetch
) -> str | None:
    """The cell's JSON text; None: the cell is empty."""
    if d.type == "createdTime":
        return f'"{created[:10]}"' if d.aggregate == "date" else f'"{created}"'
    if d.type == "formula":
        return _formula(d.formula or "", record_id)
    ids = links(cells, d.via)
    if d.type == "count":
        return str(len(ids))
    if not ids:
        return None
    values: list[str] = []
    for linked_id in ids:
        linked = fetch(linked_id)
        value = None if linked is None else linked.get(d.of)
        if value is None or value == "[]":
            values.append("null")
        elif value[0] == "[":
            values.append(value[1:-1])
        else:
            values.append(value)
    joined = f"[{','.join(values)}]"
    return joined if d.type == "multipleLookupValues" else _rollup(d.aggregate, joined)


def _rollup(aggregate: str | None, values: str) -> str:
    distinct = dict.fromkeys(value for value in elements(values) if value != "null")
    if aggregate == "unique":
        return f"[{','.join(distinct)}]"
    numbers = [value for value in elements(values) if value != "null"]
    if any(value[0] in '{"' for value in numbers):
        return '{"error":"#ERROR!"}'
    return str(sum(map(Decimal, numbers), Decimal(0)))


def _formula(formula: str, record_id: str) -> str:
    """``storyteller_id``, or a JSON text that is every record's value."""
    return f'"ST-{record_id}"' if formula == "storyteller_id" else formula


def set_derived(
    plan: Iterable[Derivation], records: Mapping[str, list[tuple[str, str, Cells]]], fetch: Fetch
) -> None:
    """Compute the derived cells of ``records`` (table id -> (record id, created, cells)) in place."""
    for d in plan:
        for record_id, created, cells in records.get(d.table, ()):
            value = compute(d, record_id, created, cells, fetch)
            if value is None:
                cells.pop(d.field, None)
            else:
                cells[d.field] = value
