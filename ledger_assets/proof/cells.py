"""Every cell against its column, one pass per target table: a verdict for each, in both directions.

What belongs here: the judgement of one cell as SQL, and its counts as :class:`FieldProof`. What does not:
what a rule makes of a cell (``rules``), links and files (``parts``).

Invariant: a cell of the export has exactly one verdict per destination, so that their sum must be the number
of cells; where the export has no cell, only an empty column has none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from ledger_assets.proof.plan import ColumnPlan
from ledger_assets.proof.rules import empty, holds, untouched
from ledger_assets.proof.statements import named, public, record_columns
from ledger_assets.proof.verdicts import FAILING, Named, Verdict
from ledger_assets.tables.fields import Rule

_JUDGEMENT = """case
  when {cell} is null or jsonb_typeof({cell}) = 'null' then case
    when t.id is null or {empty} then null
    when t.locally_changed then 'added'
    else 'extra' end
  when t.id is null then case
    when {rejected} or {quarantined} then 'rejected'
    when {skipped} then 'skipped'
    else 'missing' end
  when {holds} then case when {untouched} then 'same' else 'normalised' end
  when {conflict} then 'conflict'
  when t.locally_changed then 'changed'
  when ({column} is null or {is_default}) and {rejected} then 'rejected'
  when {column} is null then 'missing'
  else 'different'
end"""

_QUERY = """
select v.n, v.verdict, count(*),
       array(select i from unnest(array_agg(j.record_id) filter (where v.verdict = any (%(failing)s))) i
             order by i limit 20)
from (
  select r.record_id, {judgements}
  from proof_raw r
  {cells}
  left join {target} t
    on t.airtable_base_id = %(base)s and t.airtable_record_id = r.record_id and t.source_deleted_at is null
  where r.table_id = %(table)s
  offset 0
) j
cross join lateral (values {verdicts}) v (n, verdict)
where v.verdict is not null
group by v.n, v.verdict
"""


@dataclass
class Judged:
    """Verdicts of one destination: their numbers, and the records of failing ones."""

    verdicts: dict[Verdict, int] = field(default_factory=dict)
    named: dict[Verdict, Named] = field(default_factory=dict)

    def add(self, verdict: Verdict, count: int, ids: Sequence[str] | None) -> None:
        """Count ``count`` more cells of ``verdict``."""
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + count
        if verdict in FAILING:
            self.named[verdict] = named(count, ids)


def judge_columns(conn: psycopg.Connection, base_id: str, plans: Sequence[ColumnPlan]) -> list[Judged]:
    """Judge all cells of all mapped columns, in the order of ``plans``; one query per target and Airtable
    table."""
    groups: dict[tuple[str, str], list[ColumnPlan]] = defaultdict(list)
    for plan in plans:
        groups[(plan.target, plan.table.id)].append(plan)
    found = {id(plan): Judged() for plan in plans}
    for (target, table_id), group in groups.items():
        names = [sql.Identifier(f"v{n}") for n in range(len(group))]
        query = sql.SQL(_QUERY).format(
            judgements=sql.SQL(", ").join(
                sql.SQL("{} as {}").format(_judgement(plan), name)
                for plan, name in zip(group, names, strict=True)
            ),
            cells=record_columns(dict.fromkeys(plan.field.id for plan in group)),
            target=public(target),
            verdicts=sql.SQL(", ").join(
                sql.SQL("({}, {})").format(sql.Literal(n), name) for n, name in enumerate(names)
            ),
        )
        values = {"base": base_id, "table": table_id, "failing": [verdict.value for verdict in FAILING]}
        for n, verdict, count, ids in conn.execute(query, values):
            found[id(group[n])].add(Verdict(verdict), count, ids)
    return [found[id(plan)] for plan in plans]


def _judgement(plan: ColumnPlan) -> sql.Composed:
    cell = sql.SQL("c.{}").format(sql.Identifier(plan.field.id))
    column = sql.SQL("t.{}").format(sql.Identifier(plan.column))
    kinds = ["quarantine", "unmapped"] if plan.rule is Rule.REFERENCE else ["quarantine"]
    return sql.SQL(_JUDGEMENT).format(
        cell=cell,
        column=column,
        empty=empty(plan.rule, column),
        holds=holds(plan.rule, cell, column, plan.options, plan.references),
        untouched=untouched(plan.rule, cell, column),
        rejected=_found(plan, kinds, plan.field.id),
        quarantined=_found(plan, ["quarantine"], None),
        conflict=_found(plan, ["conflict"], None),
        skipped=sql.SQL(
            "r.record_id in (select k.record_id from proof_skipped k "
            "where k.table_id = {} and k.target = any ({}))"
        ).format(sql.Literal(plan.table.id), sql.Literal(list(plan.owners))),
        is_default=_is_default(column, plan.default),
    )


def _found(plan: ColumnPlan, kinds: Sequence[str], field_id: str | None) -> sql.Composed:
    """Whether a finding names the record and the field (None: the record as a whole)."""
    return sql.SQL(
        "r.record_id in (select q.record_id from proof_rejected q "
        "where q.table_id = {table} and q.kind = any ({kinds}) "
        "and q.field_id is not distinct from {field} and coalesce(q.target, {target}) = any ({owners}))"
    ).format(
        table=sql.Literal(plan.table.id),
        kinds=sql.Literal(list(kinds)),
        field=sql.Literal(field_id),
        target=sql.Literal(plan.target),
        owners=sql.Literal([plan.target] if field_id else list(plan.owners)),
    )


def _is_default(column: sql.Composable, default: str) -> sql.Composed | sql.SQL:
    """A refused cell of a column that must hold something leaves the column's default, as the catalogue says
    it."""
    if not default:
        return sql.SQL("false")
    return sql.SQL("{} = {}").format(column, sql.SQL(default))  # as pg_get_expr wrote it
