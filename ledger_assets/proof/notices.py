"""What a person should know beside the proof: gaps in numbers and times, empty columns, fields nobody mapped.

What belongs here: observations that are no loss by themselves, and the zero-fill alarm, which is. What does
not: anything already judged cell by cell. Dates and numbers said here are of records, never of cells people
wrote.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from ledger_assets.extract.metadata import BaseMeta
from ledger_assets.proof.model import FieldProof, Notice
from ledger_assets.proof.verdicts import Verdict

ACCOUNTED = (Verdict.REJECTED, Verdict.SKIPPED, Verdict.CHANGED, Verdict.CONFLICT)

_AUTO_NUMBER = """
select count(*), trunc(max(n) - min(n) + 1 - count(*))
from (
  select case jsonb_typeof(cell) when 'number' then (cell #>> '{}')::numeric end as n
  from (select fields -> %(field)s as cell from proof_raw where table_id = %(table)s offset 0) r
) r
"""

_CREATED = """
select table_id, created_time::date::text, gap from (
  select table_id, created_time,
         extract(day from lead(created_time) over w - created_time)::int as gap
  from proof_present
  window w as (partition by table_id order by created_time)
) r
where gap is not null and gap >= %(days)s
order by gap desc, created_time
limit 10
"""
GAP_DAYS = 60


def observe(conn: psycopg.Connection, meta: BaseMeta, fields: Sequence[FieldProof]) -> tuple[Notice, ...]:
    """All notices, alarms first."""
    found = [*_zero_filled(fields), *_auto_numbers(conn, meta), *_quiet_times(conn, meta)]
    return tuple(sorted(found, key=lambda notice: not notice.alarm))


def _zero_filled(fields: Sequence[FieldProof]) -> list[Notice]:
    """A column without a single value though the field has cells: what a wrong field name or type does
    silently."""
    notices = []
    for proof in fields:
        kept = sum(proof.verdicts.get(v, 0) for v in (Verdict.SAME, Verdict.NORMALISED, Verdict.DIFFERENT))
        in_column = "." in proof.destination and not {Verdict.DERIVED, Verdict.RAW_ONLY} & set(proof.verdicts)
        if proof.source and in_column and not kept:
            accounted = sum(proof.verdicts.get(verdict, 0) for verdict in ACCOUNTED)
            notices.append(
                Notice(
                    proof.table,
                    f"{proof.destination} holds nothing of the {proof.source} cells of {proof.field}"
                    + (": each is accounted for by a finding" if accounted >= proof.source else ""),
                    alarm=accounted < proof.source,
                )
            )
    return notices


def _auto_numbers(conn: psycopg.Connection, meta: BaseMeta) -> list[Notice]:
    notices = []
    for table in meta.tables:
        for field in table.fields:
            if field.type == "autoNumber":
                row = conn.execute(_AUTO_NUMBER, {"table": table.id, "field": field.id}).fetchone()
                if row is not None and row[1]:
                    notices.append(
                        Notice(
                            table.name,
                            f"{field.name}: {row[1]:.0f} numbers are not there (deleted in Airtable before)",
                        )
                    )
    return notices


def _quiet_times(conn: psycopg.Connection, meta: BaseMeta) -> list[Notice]:
    names = {table.id: table.name for table in meta.tables}
    return [
        Notice(str(names.get(table_id, table_id)), f"no record was created in the {gap} days after {day}")
        for table_id, day, gap in conn.execute(_CREATED, {"days": GAP_DAYS})
    ]
