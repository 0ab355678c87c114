"""Rows: every row against the ledger that was loaded, in every column but people's texts.

What belongs here: what no cell of Airtable stands behind alone (a quote's storyteller, whose contact it is, a file's
size), because the cells' own proof does not reach it, and what is small. What does not: texts that a cell is mapped
to as they are, which are judged from the exact text, cell by cell (``cells``): most of the bytes, and of the time and
memory that this took; and whether the ledger is right, which the cells and the table modules' tests say.

Invariants: a row that somebody changed here since is left out; differences are named by record id and column, never
by value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from ledger_assets.load.copytext import copy_frame
from ledger_assets.load.months import month_keys
from ledger_assets.proof.model import Notice
from ledger_assets.proof.statements import public
from ledger_assets.proof.verdicts import SAMPLE
from ledger_assets.tables.fields import Mapped, Rule, TableSpec

if TYPE_CHECKING:
    from ledger_assets.ledger.store import Ledger

HASH = "source_hash"
TEXTS = frozenset({Rule.SAME, Rule.TRIMMED, Rule.TEXTS})
"""Rules by which a cell's own text stands in a column."""


def create_tables(conn: psycopg.Connection, ledger: Ledger | None, specs: Sequence[TableSpec]) -> None:
    """A temporary table per target table, before the transaction is made read only."""
    for spec in specs if ledger is not None else ():
        conn.execute(
            sql.SQL("create temp table {} on commit drop as select {} from {} with no data").format(
                _staged(spec), _names(_columns(spec)), public(spec.name)
            )
        )


def compare_rows(
    conn: psycopg.Connection,
    ledger: Ledger | None,
    specs: Sequence[TableSpec],
    base_id: str,
    *,
    months: Sequence[str] | None,
    first_month: date,
) -> list[Notice]:
    """An alarm per table and column that differs. ``months``: only their rows were loaded last."""
    found: list[Notice] = []
    for spec in specs if ledger is not None else ():
        assert ledger is not None
        columns = _columns(spec)
        frame = ledger.frame(spec.name, columns)
        if months is not None:
            keys = month_keys(frame, first_month)
            frame = frame.filter(keys.is_in(list(months)) | keys.is_null())
        with conn.cursor() as cursor:
            # The loader's way of writing a frame as text: both sides read it back with the column's own type.
            copy_frame(cursor, _staged(spec), frame)
        conn.execute(sql.SQL("analyze {}").format(_staged(spec)))
        found += _compare(conn, spec, columns, base_id, whole=months is None)
    return found


def _compare(
    conn: psycopg.Connection, spec: TableSpec, columns: Sequence[str], base_id: str, *, whole: bool
) -> Iterator[Notice]:
    verdicts: dict[str, sql.Composable] = {
        "is not in Postgres": sql.SQL("t.id is null"),
        **{
            f"differs in {name}": sql.SQL(
                "t.id is not null and not t.locally_changed and p.{0} is distinct from t.{0}"
            ).format(sql.Identifier(name))
            for name in columns
            if name != "id"
        },
    }
    if whole:
        verdicts["is not of the ledger"] = sql.SQL("p.id is null")
    counts = sql.SQL(", ").join(
        sql.SQL(
            "count(*) filter (where {0}), "
            "(array_agg(coalesce(p.airtable_record_id, t.airtable_record_id, p.id::text, t.id::text)) "
            "filter (where {0}))[1:%(n)s]"
        ).format(condition)
        for condition in verdicts.values()
    )
    query = sql.SQL(
        "select {} from {} p full join (select * from {} where airtable_base_id = %(base)s "
        "and source_deleted_at is null) t using (id) where {}"
    ).format(
        counts, _staged(spec), public(spec.name), sql.SQL("true") if whole else sql.SQL("p.id is not null")
    )
    row = conn.execute(query, {"n": SAMPLE, "base": base_id}).fetchone()
    assert row is not None
    for verdict, (count, ids) in zip(verdicts, zip(row[::2], row[1::2], strict=True), strict=True):
        if count:
            yield Notice(spec.name, f"{count} rows: {verdict} ({', '.join(sorted(set(ids)))})", alarm=True)


def _columns(spec: TableSpec) -> list[str]:
    texts = {d.column for d in spec.declares if isinstance(d, Mapped) and d.rule in TEXTS}
    texts |= {d.text_column for d in spec.declares if isinstance(d, Mapped) and d.rule is Rule.REFERENCE}
    return [name for name in spec.model().columns if name != HASH and name not in texts]


def _staged(spec: TableSpec) -> sql.Identifier:
    return sql.Identifier(f"proof_rows_{spec.name}")


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
