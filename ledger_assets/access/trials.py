"""From acts to statements: what one session tries.

What belongs here: statements. What does not: sessions (``run``), what their answers mean (``answers``), expectations
(``matrix``).

Invariants: a statement names the world's rows by id, and can touch no other.
"""

# ruff: noqa: S608  every part of these statements is a constant of this package or a name out of the catalogue

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ledger_assets.access.acts import ADDITIONS, CHANGES
from ledger_assets.access.calls import CALLS
from ledger_assets.access.ids import Row, World, filled
from ledger_assets.access.matrix import MatrixError
from ledger_assets.access.on_stories import on_stories
from ledger_assets.access.people import people
from ledger_assets.access.stories import stories

ANY = "any"
"""The one label of a table without rows in the world: the act is permitted at all."""


@dataclass(frozen=True)
class Trial:
    """One statement of one session: an addition of one ``variant``, or an act on the rows ``ids``."""

    subject: str
    act: str
    statement: str
    variant: str | None = None
    ids: tuple[str, ...] = ()


def world() -> World:
    """Everything, in an order in which it can be written."""
    return {**people(), **stories(), **on_stories()}


def labels_of(table: str, act: str, rows: Mapping[str, object]) -> set[str]:
    """The labels that a cell of this table and act may name."""
    if not rows:
        return {ANY}
    return set(ADDITIONS.get(table, {})) if act == "add" else set(rows)


def trials(
    table: str,
    act: str,
    column: str,
    rows: Mapping[str, list[Row]],
    readable: Iterable[str],
    some_column: str,
) -> list[Trial]:
    """What the session of ``column`` tries for one act of one table; ``readable``: the columns it is to see."""
    if act not in ("read", "add", "change", "remove", *CHANGES.get(table, {})):
        raise MatrixError(f"the matrix speaks of {act!r} of {table}, and nothing in access/acts.py tries it")
    if not rows:
        return [Trial(table, act, _at_all(table, act, some_column))]
    if act == "add":
        return [
            Trial(table, act, filled(_insert(table, values), column), variant)
            for variant, values in ADDITIONS.get(table, {}).items()
        ]
    return [
        _on_rows(table, act, column, [str(row["id"]) for label in rows.values() for row in label], readable)
    ]


def one_by_one(trial: Trial, column: str) -> list[Trial]:
    """The same act row by row: where one row's refusal hid what is permitted of the others."""
    return [_on_rows(trial.subject, trial.act, column, [row], ()) for row in trial.ids]


def calls(column: str) -> list[Trial]:
    """Every function with every question."""
    return [
        Trial(function, asked, filled(statement, column))
        for function, questions in CALLS.items()
        for asked, statement in questions.items()
    ]


def _on_rows(table: str, act: str, column: str, ids: list[str], readable: Iterable[str]) -> Trial:
    kind = "bigint" if table == "public.story_views" else "uuid"
    those = f"id = any (array[{', '.join(map(repr, ids))}]::{kind}[])"
    if act == "read":
        # Every column that the role is to see: one that it may not see fails the whole.
        names = ", ".join(dict.fromkeys(("id", *readable)))
        statement = f"select jsonb_agg(r.id) from (select {names} from {table} where {those}) r"
    else:
        acting = (
            "delete from {}" if act == "remove" else f"update {{}} set {filled(CHANGES[table][act], column)}"
        )
        statement = (
            f"with r as ({acting.format(table)} where {those} returning id) select jsonb_agg(id) from r"
        )
    return Trial(table, act, statement, ids=tuple(ids))


def _insert(table: str, values: Mapping[str, str]) -> str:
    row = f"({', '.join(values)}) values ({', '.join(values.values())})"
    return f"with r as (insert into {table} {row}) select '[true]'::jsonb"


def _at_all(table: str, act: str, column: str) -> str:
    """Without touching a row, for a table that has none in the world; ``column``: any column of it."""
    if act == "read":
        # Not as a CTE: one that nothing reads is never planned, and so never refused.
        return f"select case when count(*) = 0 then '[\"{ANY}\"]'::jsonb end from {table} where false"
    statement = {
        "add": f"insert into {table} ({column}) overriding system value select (null::{table}).{column} where false",
        "change": f"update {table} set {column} = default where false",
        "remove": f"delete from {table} where false",
    }[act]
    return f"with r as ({statement}) select '[\"{ANY}\"]'::jsonb"
