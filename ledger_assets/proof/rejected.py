"""What findings and the ledger say of refused cells, refused records and skipped ones, judged again from the raw records.

What belongs here: taking away, before anything is judged, each claim that the declarations do not bear out: a finding
accounts for what its rule refuses and for nothing else. What does not: judging the cells that are left without one
(``cells``, ``parts``, ``records``): they are missing.

Invariants: only rejected and skipped cells are read; a claim that does not hold turns the proof red even where the
column is right, because somebody would be asked to look at what is no question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
from psycopg import sql

from ledger_assets.extract.metadata import BaseMeta, TableMeta
from ledger_assets.proof.catalogue import Catalogue
from ledger_assets.proof.model import Notice
from ledger_assets.proof.parts import unplaced, well_shaped
from ledger_assets.proof.plan import ColumnPlan, FilePlan, LinkPlan, Plan
from ledger_assets.proof.rules import accepts, mapped, text_of
from ledger_assets.proof.statements import public, statement
from ledger_assets.tables.fields import Rule

COMPUTED = (
    "formula", "rollup", "count", "multipleLookupValues", "createdTime", "lastModifiedTime", "createdBy",
    "lastModifiedBy", "autoNumber", "button",
)  # fmt: skip
"""Field types that Airtable fills by itself: a record with nothing else is blank. Written down here again, because
what the ledger calls blank is what is being judged."""


def drop_unfounded(
    conn: psycopg.Connection, meta: BaseMeta, plan: Plan, catalogue: Catalogue
) -> tuple[Notice, ...]:
    """Take the claims that do not hold out of ``proof_rejected`` and ``proof_skipped``; an alarm for each kind."""
    values = {"base": meta.base_id}
    found = [
        *_cells(conn, plan, values),
        *_parts(conn, plan, values),
        *_records(conn, plan, catalogue, values),
        *_conflicts(conn, plan, values),
        *_skipped(conn, meta, values),
    ]
    return tuple(found)


def _cells(conn: psycopg.Connection, plan: Plan, values: dict[str, str]) -> Iterator[Notice]:
    """Findings on cells of mapped columns."""
    named = set(conn.execute("select distinct table_id, field_id, kind from proof_rejected").fetchall())
    for column in plan.columns:
        key = (column.table.id, column.field.id)
        cell = sql.SQL("(r.fields -> {})").format(sql.Literal(column.field.id))
        if (*key, "quarantine") in named:
            accepted = accepts(column.rule, cell, column.field.id, sql.SQL("r.raw"), column.options)
            yield from _drop_cells(conn, column, "quarantine", accepted, values)
        if (*key, "unmapped") in named and column.rule is Rule.REFERENCE and column.references:
            yield from _drop_cells(conn, column, "unmapped", mapped(cell, column.references), values)


def _drop_cells(
    conn: psycopg.Connection, column: ColumnPlan, kind: str, accepted: sql.Composable, values: dict[str, str]
) -> Iterator[Notice]:
    place = {"table": column.table.id, "field": column.field.id, "name": column.target, "kind": kind}
    query = statement("unfounded_cells").format(accepted=accepted)
    words = f"{{}} findings refuse what the rule {column.rule.value} accepts of {column.field.name} ({{}})"
    yield from _told(conn, query, values | place, column.table, words)


def _parts(conn: psycopg.Connection, plan: Plan, values: dict[str, str]) -> Iterator[Notice]:
    """Findings on links and attachments: what they name must really be unplaced, or there twice."""
    named = set(
        conn.execute("select distinct table_id, field_id from proof_rejected where kind = 'quarantine'")
    )
    every: Sequence[LinkPlan | FilePlan] = (*plan.links, *plan.files)
    for one in every:
        if (one.table.id, one.field.id) not in named:
            continue
        links = isinstance(one, LinkPlan)
        rule = Rule.LINK if links else Rule.FILES
        query = statement("unfounded_parts").format(
            whole=well_shaped(rule, one.field),
            part=sql.Identifier("target_id" if links else "attachment_id"),
            parts=sql.Identifier("proof_links" if links else "proof_files"),
            unplaced=unplaced(one.linked_table, "p.target_id")
            if isinstance(one, LinkPlan)
            else sql.SQL("false"),
        )
        place = {"table": one.table.id, "field": one.field.id, "name": one.target}
        words = f"{{}} findings refuse {rule.value}s of {one.field.name} that have their place ({{}})"
        yield from _told(conn, query, values | place, one.table, words)


def _records(
    conn: psycopg.Connection, plan: Plan, catalogue: Catalogue, values: dict[str, str]
) -> Iterator[Notice]:
    """Findings on whole records: a column that must not be empty gets nothing, or createdTime cannot be read."""
    groups: dict[tuple[str, str], list[ColumnPlan]] = {}
    for column in plan.columns:
        groups.setdefault((column.target, column.table.id), []).append(column)
    for (target, table_id), group in groups.items():
        needed = [column for column in group if catalogue.requires(target, column.column)]
        query = statement("unfounded_records").format(
            usable=sql.SQL(" and ").join([sql.SQL("true"), *map(_gives, needed)])
        )
        words = f"{{}} findings refuse records that can be rows of {target} ({{}})"
        place = {"table": table_id, "name": target}
        yield from _told(conn, query, values | place, group[0].table, words)
    conn.execute(
        "delete from proof_rejected where kind = 'quarantine' and field_id is null "
        "and (target = any (%s)) is not true",
        ([target for target, _ in groups],),
    )


def _gives(column: ColumnPlan) -> sql.Composed:
    """Whether the column gets a value, and not only no refusal."""
    cell = sql.SQL("(r.fields -> {})").format(sql.Literal(column.field.id))
    return sql.SQL("({} and {} <> all (r.lossy) and {} <> '')").format(
        accepts(column.rule, cell, column.field.id, sql.SQL("r.raw"), column.options),
        sql.Literal(column.field.id),
        text_of(column.rule, cell),
    )


def _conflicts(conn: psycopg.Connection, plan: Plan, values: dict[str, str]) -> Iterator[Notice]:
    """Conflicts are between two sides: somebody must have changed the row here."""
    targets = {column.target: column.table for column in plan.columns}
    named = {
        row[0] for row in conn.execute("select distinct target from proof_rejected where kind = 'conflict'")
    }
    for target in sorted(named & set(targets)):
        query = statement("unfounded_conflicts").format(rows=public(target))
        words = f"{{}} findings tell of conflicts in rows of {target} that nobody changed here ({{}})"
        yield from _told(conn, query, values | {"name": target}, targets[target], words)


def _skipped(conn: psycopg.Connection, meta: BaseMeta, values: dict[str, str]) -> Iterator[Notice]:
    """Records that the ledger skipped though a person filled a cell of theirs."""
    for table in meta.tables:
        computed = [field.id for field in table.fields if field.type in COMPUTED]
        query = statement("unfounded_skips").format(computed=sql.Literal(computed))
        words = "{} records are skipped as blank though they have cells ({})"
        yield from _told(conn, query, values | {"table": table.id}, table, words)


def _told(
    conn: psycopg.Connection, query: sql.Composed, values: dict[str, str], table: TableMeta, words: str
) -> Iterator[Notice]:
    row = conn.execute(query, values).fetchone()
    assert row is not None
    count, ids = row
    if count:
        yield Notice(table.name, words.format(count, ", ".join(ids)), alarm=True)
