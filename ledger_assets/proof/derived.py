"""Fields that Airtable computes: recomputed from the raw records and compared with Airtable's own values.

What belongs here: how each kind is recomputed, from the declaration or, for any base, from the field's type.
What does not: cells of mapped fields (``cells``).

Invariants: what cannot be recomputed is said with its reason and counted, never passed over. Airtable showing
less than there is (a condition on a lookup, which the metadata does not report) is no loss unless the field
is declared as exact; Airtable showing what the raw records do not have is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from ledger_assets.extract.metadata import BaseMeta, FieldMeta, TableMeta
from ledger_assets.proof.model import DerivedProof
from ledger_assets.proof.plan import FieldPlan
from ledger_assets.proof.statements import named, record_columns, statement
from ledger_assets.proof.verdicts import Named
from ledger_assets.tables.fields import Derived, Recompute

UNREADABLE = "the linked table is not readable"
INVALID = "Airtable calls the field invalid: what it read from is gone"
AGGREGATED = "Airtable does not report how it aggregates"
FORMULA = "a formula: kept as delivered, not evaluated here"
ERROR = "Airtable shows an error"

_BY_TYPE = {
    "multipleLookupValues": Recompute.LOOKUP,
    "lookup": Recompute.LOOKUP,
    "rollup": Recompute.ROLLUP,
    "count": Recompute.COUNT,
    "createdTime": Recompute.CREATED_TIME,
}
_RECORD_ID = re.compile(
    r"""\s*(?:CONCATENATE\(\s*(?P<q>["'])(?P<a>[^"']*)(?P=q)\s*,\s*RECORD_ID\(\)\s*\)
    | (?:(?P<p>["'])(?P<b>[^"']*)(?P=p)\s*&\s*)?RECORD_ID\(\))\s*""",
    re.VERBOSE,
)
_OWN = """case
  when jsonb_typeof({cell}) = 'object' then 'error'
  when {own} then 'agree'
  else 'differ'
end"""
"""A cell must be there and be what every record says of itself."""
_RECORD_ID_TEXT = "{cell} #>> '{{}}' = {prefix} || r.record_id"
_CREATED_TEXT = """{cell} #>> '{{}}' = to_char(r.created_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    or {cell} #>> '{{}}' = to_char(r.created_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
_CREATED_DATE = """{cell} #>> '{{}}' = to_char(r.created_time at time zone 'UTC', 'YYYY-MM-DD')
    or {cell} #>> '{{}}' = to_char(r.created_time at time zone 'UTC' - interval '14 hours', 'YYYY-MM-DD')
    or {cell} #>> '{{}}' = to_char(r.created_time at time zone 'UTC' + interval '14 hours', 'YYYY-MM-DD')"""
"""A date shows the day in the field's own time zone, which is display only: any day that it was somewhere."""
_COUNT = """case
  when jsonb_typeof({cell}) = 'object' then 'error'
  when coalesce({cell} #>> '{{}}', '0') = {links}::text then 'agree'
  when jsonb_typeof(coalesce({cell}, '0')) <> 'number' then 'differ'
  when coalesce({cell} #>> '{{}}', '0')::numeric < {links} then 'fewer'
  else 'differ'
end"""
"""A count against the number of links. No cell and no link agree."""
_MADE = """case
  when bool_or(jsonb_typeof({of}) = 'array')
    then jsonb_path_query_array(jsonb_agg({of} order by l.position), '$[*][*]')
  else jsonb_agg({of} order by l.position)
end as {name}"""
"""The cells of the linked records in link order, lists among them flattened."""
_LINKS = "(case jsonb_typeof({via}) when 'array' then jsonb_array_length({via}) else 0 end)"


@dataclass(frozen=True)
class Recomputation:
    """One field and how to recompute it; ``reason``: why that is impossible."""

    table: TableMeta
    field: FieldMeta
    how: Recompute | None
    via: FieldMeta | None = None
    of_table: TableMeta | None = None
    of: FieldMeta | None = None
    prefix: str = ""
    reason: str = ""
    exact: bool = True
    strict: bool = False
    """Declared as exact: showing less than there is differs, too."""


def prove_derived(
    conn: psycopg.Connection,
    meta: BaseMeta,
    declared: Sequence[FieldPlan],
    cells: Mapping[tuple[str, str], int],
    redacted: Mapping[str, int],
) -> tuple[DerivedProof, ...]:
    """Recompute every computed field of the base. ``cells``: number in the raw records by (table id, field
    id); ``redacted``: number that the export left out by field id, which are counted and not judged."""
    plans = {(p.table.id, p.field.id): p.derived for p in declared if p.derived is not None}
    every = [
        one
        for table in meta.tables
        for field in table.fields
        if (one := _plan(meta, table, field, plans.get((table.id, field.id)))) is not None
    ]
    found = _recompute(conn, [one for one in every if not one.reason])
    proofs = (
        (one, _proof(one, cells.get((one.table.id, one.field.id), 0), found.get(one.field.id, {})))
        for one in every
    )
    return tuple(replace(proof, redacted=redacted.get(one.field.id, 0)) for one, proof in proofs)


Found = Mapping[str, tuple[int, int, Named]]
"""By verdict: number of records, number of cells among them, the records that differ."""


def _recompute(conn: psycopg.Connection, every: Sequence[Recomputation]) -> dict[str, Found]:
    """What was found of each field, by its id. Fields through the same links are recomputed together, and all
    that need only their own record."""
    groups: dict[tuple[str, ...], list[Recomputation]] = {}
    for one in every:
        through = one.via.id if one.via is not None and one.of is not None else ""
        groups.setdefault((one.table.id, through), []).append(one)
    found: dict[str, dict[str, tuple[int, int, Named]]] = {}
    for group in groups.values():
        query = _lookups(group) if group[0].of is not None else _own(group)
        for n, verdict, count, with_cell, ids in conn.execute(query, _values(group[0])):
            found.setdefault(group[n].field.id, {})[verdict] = (count, with_cell, named(count, ids))
    return dict(found)


def _plan(
    meta: BaseMeta, table: TableMeta, field: FieldMeta, declared: Derived | None
) -> Recomputation | None:
    if declared is not None and declared.how is Recompute.INVERSE:
        return None  # judged with the links
    how = declared.how if declared is not None else _BY_TYPE.get(field.type)
    one = Recomputation(table, field, how)
    if declared is not None:
        one = replace(one, exact=declared.exact, strict=declared.exact, prefix=declared.prefix)
    elif field.type == "formula":
        match = _RECORD_ID.fullmatch(str(field.options.get("formula", "")))
        if match is None:
            return replace(one, reason=FORMULA)
        return replace(one, how=Recompute.RECORD_ID, prefix=match["a"] or match["b"] or "")
    if how is None:
        return None
    if how in {Recompute.RECORD_ID, Recompute.CREATED_TIME}:
        return one
    via = _via(table, field, declared)
    if via is None:
        return replace(one, reason=INVALID)
    if how is Recompute.COUNT:
        return replace(one, via=via)
    linked = meta.table_by_id(str(via.options.get("linkedTableId", "")))
    if linked is None and declared is not None and declared.of_table:
        linked = meta.table(declared.of_table)
    if linked is None:
        return replace(one, reason=UNREADABLE)
    of = linked.field(declared.of) if declared is not None and declared.of else None
    of = of or linked.field_by_id(str(field.options.get("fieldIdInLinkedTable", "")))
    if of is None:
        return replace(one, reason=AGGREGATED if how is Recompute.ROLLUP else INVALID)
    return replace(one, via=via, of_table=linked, of=of)


def _via(table: TableMeta, field: FieldMeta, declared: Derived | None) -> FieldMeta | None:
    via = table.field(declared.via) if declared is not None and declared.via else None
    return via or table.field_by_id(str(field.options.get("recordLinkFieldId", "")))


def _proof(one: Recomputation, cells: int, found: Found) -> DerivedProof:
    how = "formula" if one.how is None else one.how.value
    proof = DerivedProof(one.table.name, one.field.name, how, cells, exact=one.exact)
    if one.reason:
        return replace(proof, not_comparable=cells, reason=one.reason)
    nothing = (0, 0, Named())
    fewer, differ = found.get("fewer", nothing), found.get("differ", nothing)
    if one.strict:
        differ = (0, 0, named(fewer[0] + differ[0], sorted({*fewer[2].ids, *differ[2].ids})[:20]))
        fewer = nothing
    errors, aggregated = found.get("error", nothing)[1], found.get("aggregated", nothing)[1]
    reasons = [ERROR] * bool(errors) + [AGGREGATED] * bool(aggregated)
    return replace(
        proof,
        agree=found.get("agree", nothing)[1],
        fewer=fewer[0],
        differ=differ[2],
        not_comparable=errors + aggregated,
        reason="; ".join(reasons),
    )


def _lookups(group: Sequence[Recomputation]) -> sql.Composed:
    """One query for all lookups and rollups of a table through one link field."""
    made, pairs = [], []
    for n, one in enumerate(group):
        assert one.of is not None
        name = sql.Identifier(f"m{n}")
        made.append(sql.SQL(_MADE).format(of=sql.SQL("o.{}").format(sql.Identifier(one.of.id)), name=name))
        pairs.append(
            sql.SQL("({}, {}, c.{}, k.{}, {})").format(
                sql.Literal(n),
                sql.Literal(one.field.id),
                sql.Identifier(one.field.id),
                name,
                sql.Literal(one.how is Recompute.ROLLUP),
            )
        )
    return statement("lookup").format(
        made=sql.SQL(", ").join(made),
        pairs=sql.SQL(", ").join(pairs),
        of_cells=record_columns(dict.fromkeys(one.of.id for one in group if one.of is not None)),
        cells=record_columns(one.field.id for one in group),
    )


def _own(group: Sequence[Recomputation]) -> sql.Composed:
    """One query for all fields of a table that are computed from the record itself."""
    judged = []
    for n, one in enumerate(group):
        cell = sql.SQL("c.{}").format(sql.Identifier(one.field.id))
        known = map(sql.Literal, (n, one.field.id))
        judged.append(sql.SQL("({}, {}, {}, {})").format(*known, cell, _verdict(one, cell)))
    ids = [one.field.id for one in group] + [one.via.id for one in group if one.via is not None]
    return statement("own").format(
        judged=sql.SQL(", ").join(judged), cells=record_columns(dict.fromkeys(ids))
    )


def _verdict(one: Recomputation, cell: sql.Composable) -> sql.Composed:
    if one.how is Recompute.COUNT and one.via is not None:
        links = sql.SQL(_LINKS).format(via=sql.SQL("c.{}").format(sql.Identifier(one.via.id)))
        return sql.SQL(_COUNT).format(cell=cell, links=links)
    if one.how is Recompute.RECORD_ID:
        own = sql.SQL(_RECORD_ID_TEXT).format(cell=cell, prefix=sql.Literal(one.prefix))
    else:
        result = one.field.options.get("result") or {}
        own = sql.SQL(_CREATED_DATE if result.get("type") == "date" else _CREATED_TEXT).format(cell=cell)
    return sql.SQL(_OWN).format(cell=cell, own=own)


def _values(one: Recomputation) -> dict[str, object]:
    return {
        "table": one.table.id,
        "via": one.via.id if one.via else None,
        "of_table": one.of_table.id if one.of_table else None,
    }
