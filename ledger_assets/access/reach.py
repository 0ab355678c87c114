"""What the catalogue says that the API's roles reach, against what the matrix speaks of.

What belongs here: completeness, columns, and privileges that nobody is to have. What does not: which rows (``run``).

Invariants: a relation, a function or a column privilege that the matrix does not name is a difference, and so is one
that it names and there is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from ledger_assets.access.acts import CHANGES
from ledger_assets.access.calls import CALLS
from ledger_assets.access.ids import ROLES
from ledger_assets.access.matrix import ALL, NOTHING, Matrix, tables_of
from ledger_assets.access.report import Difference, compare

REACHABLE = (Path(__file__).parent / "sql" / "reachable.sql").read_text("utf-8")
ACTS = ("read", "add", "change", "remove")
PLATFORM = "auth.users"
"""Supabase's own table: of it the matrix says only who may delete an account."""


@dataclass
class Reachable:
    """The catalogue's answer."""

    relations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Table or view -> its columns."""
    columns: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    """(table, act, role) -> the columns granted; "all" alone: every one."""
    functions: dict[str, set[str]] = field(default_factory=dict)
    never: list[tuple[str, str, str]] = field(default_factory=list)


def reachable(connection: psycopg.Connection) -> Reachable:
    """Ask the catalogue."""
    found = Reachable()
    for kind, name, act, role, columns in connection.execute(REACHABLE).fetchall():
        if kind == "relation":
            found.relations[name] = tuple(columns)
        elif kind == "columns":
            found.columns[name, act, role] = tuple(columns)
        elif kind == "function":
            found.functions.setdefault(name, set()).add(role)
        else:
            found.never.append((name, act, role or "everybody"))
    return found


def incomplete(matrix: Matrix, found: Reachable) -> list[Difference]:
    """What one has and the other has not, and privileges that nobody is to have."""
    spoken, differences = tables_of(matrix), list[Difference]()
    for name in sorted({*found.relations, *spoken} - {PLATFORM}):
        there = {name} if name in found.relations else set()
        differences += compare(
            name, "a row in the matrix", "table", {name} if name in spoken else set(), there
        )
        if name in spoken:
            tried = {*ACTS, *CHANGES.get(name, {})}
            differences += compare(name, "acts in the matrix", "table", tried, spoken[name] & tried)
    named = {function for function, _ in matrix.calls}
    asked = {(function, question) for function, questions in CALLS.items() for question in questions}
    for name in sorted({*found.functions, *named, *CALLS}):
        there = {name} if name in found.functions else set()
        differences += compare(
            name, "a row in the matrix", "function", {name} if name in named else set(), there
        )
    for function, question in sorted(asked ^ set(matrix.calls)):
        differences += compare(function, "asked in the matrix", "function", {question}, ())
    for name, act, role in found.never:
        differences += compare(name, act, role, (), {"granted"})
    return differences


def columns(matrix: Matrix, found: Reachable) -> tuple[int, list[Difference]]:
    """How many column lists were compared, and those that differ."""
    keys = (
        {
            (table, act, role)
            for table in found.relations
            for act in ACTS
            for role in sorted(set(ROLES.values()))
        }
        | set(matrix.columns)
        | set(found.columns)
    )
    differences = []
    for table, act, role in sorted(keys):
        # A view of the private schema is no relation of the matrix: to reach it at all is a difference.
        every = found.relations.get(table, ())
        expected = expanded(expected_columns(matrix, table, act, role), every) if every else ()
        granted = found.columns.get((table, act, role), ())
        granted = expanded(granted, every) if every else granted
        differences += compare(table, f"columns to {act}", role, expected, granted)
    return len(keys), differences


def expected_columns(matrix: Matrix, table: str, act: str, role: str) -> tuple[str, ...]:
    """What the matrix says. It names no columns of removals, and of the service role only where they are not all."""
    if (table, act, role) in matrix.columns:
        return matrix.columns[table, act, role]
    if act != "remove" and role != ROLES["service"]:
        return ()
    cells: Mapping[str, str] = matrix.tables.get((table, act), {})
    permitted = any(ROLES[column] == role and cell != NOTHING for column, cell in cells.items())
    return (ALL,) if permitted else ()


def expanded(names: tuple[str, ...], every: tuple[str, ...]) -> tuple[str, ...]:
    """``all`` and ``all but ...`` as the names that they stand for."""
    if names[:1] != (ALL,):
        return names
    return tuple(name for name in every if name not in names[2:])


def uncalled(matrix: Matrix, found: Reachable, column: str) -> list[Difference]:
    """Functions of which the privilege to execute is not what the matrix says, for a role that nobody can act as."""
    answered = {function for (function, _), row in matrix.calls.items() if row[column] != NOTHING}
    executable = {function for function, roles in found.functions.items() if ROLES[column] in roles}
    yes, nothing = frozenset({"yes"}), frozenset[str]()
    return [
        *(Difference(function, "call", column, nothing, yes) for function in sorted(executable - answered)),
        *(Difference(function, "call", column, yes, nothing) for function in sorted(answered - executable)),
    ]
