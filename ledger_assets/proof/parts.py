"""Lists in cells against rows of their own: links against link tables, attachments against the media table.

What belongs here: sets and order, both ways, and the links' symmetry within the raw records. What does not:
the files' bytes (``files``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from ledger_assets.extract.metadata import BaseMeta, FieldMeta, TableMeta
from ledger_assets.proof.cells import Judged
from ledger_assets.proof.model import LinkProof
from ledger_assets.proof.plan import FieldPlan, FilePlan, LinkPlan
from ledger_assets.proof.rules import accepts
from ledger_assets.proof.statements import named, public, record_columns, statement
from ledger_assets.proof.verdicts import Named, Verdict
from ledger_assets.tables.fields import Recompute, Rule

LINKS, ATTACHMENTS = "multipleRecordLinks", "multipleAttachments"

_LINKS = """select record_id, target_id as part_id, position, null::text as detail from proof_links
where table_id = %(table)s and field_id = %(field)s"""

_LINK_ROWS = """select l.airtable_record_id as record_id, h.airtable_record_id as owner_id,
  x.airtable_record_id as part_id, l.position, null::text as detail, l.locally_changed
from {rows} l
left join {owner_table} h on h.id = l.{owner}
left join {linked_table} x on x.id = l.{linked}
where l.airtable_base_id = %(base)s and l.airtable_table_id = %(table)s and l.source_deleted_at is null"""

_FILES = """select record_id, attachment_id as part_id, position,
  row(sha256, object_key, filename, content_type, size)::text as detail
from proof_files
where table_id = %(table)s and field_id = %(field)s"""

_FILE_ROWS = """select m.airtable_record_id as record_id, o.airtable_record_id as owner_id,
  m.attachment_id as part_id, m.position, m.locally_changed,
  row(m.sha256, m.object_key, m.file_name, m.content_type, m.size_bytes)::text as detail
from {rows} m
left join {owner_table} o on o.id = m.{owner}
where m.airtable_base_id = %(base)s and m.airtable_table_id = %(table)s and m.role = {role}
  and m.source_deleted_at is null"""


_UNPLACED = """{part} not in (select x.airtable_record_id from {rows} x
  where x.airtable_base_id = %(base)s and x.source_deleted_at is null and x.airtable_record_id is not null)"""


def unplaced(linked_table: str, part: str) -> sql.Composed:
    """True when the record that a link names has no row to link to."""
    return sql.SQL(_UNPLACED).format(part=sql.SQL(part), rows=public(linked_table))


def well_shaped(rule: Rule, field: FieldMeta) -> sql.Composed:
    """True when the cell of a raw record ``r`` is a list such as the rule reads."""
    cell = sql.SQL("(r.fields -> {})").format(sql.Literal(field.id))
    return accepts(rule, cell, field.id, sql.SQL("r.raw"), {})


def stage_lists(conn: psycopg.Connection, meta: BaseMeta) -> None:
    """Take the links and attachments of all raw records apart, one row each."""
    for table in meta.tables:
        lists = [field for field in table.fields if field.type in {LINKS, ATTACHMENTS}]
        if lists:
            pairs = sql.SQL(", ").join(
                sql.SQL("({}, {}, c.{})").format(
                    sql.Literal(field.id), sql.Literal(field.type == ATTACHMENTS), sql.Identifier(field.id)
                )
                for field in lists
            )
            cells = record_columns(field.id for field in lists)
            conn.execute(statement("list_cells").format(cells=cells, pairs=pairs), {"table": table.id})
    conn.execute("analyze proof_cells, proof_links, proof_files")


def judge_links(conn: psycopg.Connection, base_id: str, plan: LinkPlan) -> tuple[Judged, LinkProof]:
    """One link field against its link table."""
    rows = sql.SQL(_LINK_ROWS).format(
        rows=public(plan.target),
        owner=sql.Identifier(plan.holder),
        owner_table=public(plan.holder_table),
        linked=sql.Identifier(plan.linked),
        linked_table=public(plan.linked_table),
    )
    query = statement("parts").format(
        source=sql.SQL(_LINKS),
        stored=rows,
        whole=well_shaped(Rule.LINK, plan.field),
        unplaced=unplaced(plan.linked_table, "s.part_id"),
    )
    return _judge(conn, base_id, plan.target, plan.holder_table, plan.table, plan.field, query)


def judge_files(conn: psycopg.Connection, base_id: str, plan: FilePlan) -> tuple[Judged, LinkProof]:
    """One attachment field against the media table."""
    rows = sql.SQL(_FILE_ROWS).format(
        rows=public(plan.target),
        owner=sql.Identifier(plan.owner),
        owner_table=public(plan.owner_table),
        role=sql.Literal(plan.role),
    )
    query = statement("parts").format(
        source=sql.SQL(_FILES),
        stored=rows,
        whole=well_shaped(Rule.FILES, plan.field),
        unplaced=sql.SQL("false"),
    )
    return _judge(conn, base_id, plan.target, plan.owner_table, plan.table, plan.field, query)


def _judge(
    conn: psycopg.Connection,
    base_id: str,
    target: str,
    owner: str,
    table: TableMeta,
    field: FieldMeta,
    query: sql.Composed,
) -> tuple[Judged, LinkProof]:
    values = {"base": base_id, "table": table.id, "field": field.id, "name": target, "owner": owner}
    cells, parts = Judged(), dict[str, Named]()
    for level, verdict, count, ids in conn.execute(query, values):
        if level == "cell":
            cells.add(Verdict(verdict), count, ids)
        else:
            parts[verdict] = named(count, ids)
    counts = {verdict: part.count for verdict, part in parts.items()}
    here = ("same", "changed", "reordered", "different")
    return cells, LinkProof(
        table=table.name,
        field=field.name,
        against=target,
        links=sum(counts.values()) - counts.get("extra", 0) - counts.get("added", 0),
        found=sum(counts.get(verdict, 0) for verdict in here),
        rows=True,
        rejected=counts.get("rejected", 0) + counts.get("skipped", 0),
        changed=counts.get("changed", 0) + counts.get("added", 0),
        missing=parts.get("missing", Named()),
        extra=_both(parts.get("extra"), parts.get("different")),
        reordered=parts.get("reordered", Named()),
    )


def _both(one: Named | None, other: Named | None) -> Named:
    one, other = one or Named(), other or Named()
    return named(one.count + other.count, sorted({*one.ids, *other.ids})[:20])


def prove_symmetry(
    conn: psycopg.Connection, meta: BaseMeta, declared: Sequence[FieldPlan]
) -> list[LinkProof]:
    """Every link field of the base against the field on its other side, mapped or not, from the raw
    records."""
    inverses = {
        (plan.table.id, plan.field.id): (plan.derived.of_table, plan.derived.of)
        for plan in declared
        if plan.derived is not None and plan.derived.how is Recompute.INVERSE
    }
    every = [
        _Sides(table, field, *_other_side(meta, field, inverses.get((table.id, field.id))))
        for table in meta.tables
        for field in table.fields
        if field.type == LINKS
    ]
    counts: dict[str, int] = dict(
        conn.execute("select field_id, count(*) from proof_links group by 1").fetchall()
    )
    dangling = _dangling(conn, [one for one in every if one.other is not None])
    compared = _compare(conn, [one for one in every if one.inverse is not None])
    return [
        _symmetry(
            one,
            counts.get(one.field.id, 0),
            dangling.get(one.field.id, Named()),
            compared.get(one.field.id, {}),
        )
        for one in every
    ]


@dataclass(frozen=True)
class _Sides:
    """A link field, the table that it leads to (None: not readable) and the field there that leads back."""

    table: TableMeta
    field: FieldMeta
    other: TableMeta | None
    inverse: FieldMeta | None


def _other_side(
    meta: BaseMeta, field: FieldMeta, declared: tuple[str | None, str | None] | None
) -> tuple[TableMeta | None, FieldMeta | None]:
    table = meta.table_by_id(str(field.options.get("linkedTableId", "")))
    inverse = table.field_by_id(str(field.options.get("inverseLinkFieldId", ""))) if table else None
    if inverse is None and declared is not None and declared[0] and declared[1]:
        table = meta.table(declared[0]) or table
        inverse = table.field(declared[1]) if table else None
    return table, inverse


def _symmetry(one: _Sides, count: int, dangling: Named, compared: Mapping[str, Named]) -> LinkProof:
    place = (one.table.name, one.field.name)
    if one.other is None or one.inverse is None:
        note = "one-way: there is no field on the other side"
        if one.other is None:
            note = "not comparable: the linked table is not readable, or not named"
        against = "another table" if one.other is None else one.other.name
        return LinkProof(
            *place, against, links=count, found=count - dangling.count, dangling=dangling, note=note
        )
    same, missing = compared.get("same", Named()), compared.get("missing", Named())
    return LinkProof(
        *place,
        against=f"{one.other.name}.{one.inverse.name}",
        links=same.count + missing.count,
        found=same.count,
        missing=missing,
        extra=compared.get("extra", Named()),
        dangling=dangling,
    )


def _compare(conn: psycopg.Connection, every: Sequence[_Sides]) -> dict[str, dict[str, Named]]:
    values = {
        "fields": [one.field.id for one in every],
        "inverses": [one.inverse.id for one in every if one.inverse is not None],
    }
    found: dict[str, dict[str, Named]] = {}
    for field_id, verdict, count, ids in conn.execute(statement("symmetry"), values):
        found.setdefault(field_id, {})[verdict] = named(count, ids)
    return found


def _dangling(conn: psycopg.Connection, every: Sequence[_Sides]) -> dict[str, Named]:
    values = {
        "fields": [one.field.id for one in every],
        "tables": [one.other.id for one in every if one.other is not None],
    }
    rows = conn.execute(statement("dangling"), values)
    return {field_id: named(count, ids) for field_id, count, ids in rows}
