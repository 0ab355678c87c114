"""Tables as a merge sees them: columns, keys, what refers to what, and in which order they may be written.

What belongs here: reading that from the catalogue. What does not: any row.

Invariants: parents come before children; keys that Postgres checks at the end of the transaction make no order, so that
circular links are no obstacle; a table without a primary key is refused by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from typing import Any, LiteralString

from psycopg import sql

from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import Cursor
from ledger_assets.schema.catalogue import SCHEMAS

KEPT_BY_TRIGGERS = ("eff_limits", "eff_until", "eff_ai_until")
"""Columns that follow from other rows by the consent rule: brought up to date, never compared."""
DERIVED = "private.story_search"
"""The words of published stories: triggers keep them, and a snapshot's may be of somebody who was erased since."""
LEFT = frozenset(
    f"migration.{name}"
    for name in (
        "accounts",
        "erasures",
        "erased_files",
        "live",
        "maintenance",
        "target",
        "undo",
        "undo_rows",
        "cutovers",
        "cutover_steps",
    )
) | {DERIVED}
"""Tables that no restore touches: tombstones, the claim, freeze, switch and cut-overs, accounts (they lie outside), the way
back, and what follows from other rows."""
PARAMETERS: dict[str, Any] = {"schemas": list(SCHEMAS)}
NO_ACTION, CASCADE, SET_NULL = "a", "c", "n"


@dataclass(frozen=True)
class Table:
    """One table; ``number`` names its temporary tables."""

    number: int
    schema: str
    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    key: tuple[str, ...]
    always: tuple[str, ...]
    """Columns GENERATED ALWAYS AS IDENTITY, which an UPDATE cannot set."""

    @property
    def full(self) -> str:
        """``schema.name``."""
        return f"{self.schema}.{self.name}"

    @property
    def named(self) -> sql.Identifier:
        """The table in a statement."""
        return sql.Identifier(self.schema, self.name)

    @property
    def compared(self) -> tuple[str, ...]:
        """The columns by which a row is the same."""
        return tuple(sorted(set(self.columns) - set(KEPT_BY_TRIGGERS)))

    @property
    def record(self) -> str | None:
        """The column that holds the record's id in Airtable."""
        return next((c for c in ("airtable_record_id", "record_id") if c in self.columns), None)

    def temp(self, kind: str) -> sql.Identifier:
        """A temporary table of this one: s(napshot's keys), c(hanges), f(ull rows), k(eys asked for)."""
        return sql.Identifier(f"merge_{kind}_{self.number}")

    def type_of(self, column: str) -> sql.SQL:
        """A column's type, as Postgres wrote it."""
        return raw(self.types[self.columns.index(column)])


@dataclass(frozen=True)
class ForeignKey:
    """``child`` refers to ``parent``, both as ``schema.name``."""

    name: str
    child: str
    parent: str
    columns: tuple[str, ...]
    targets: tuple[str, ...]
    on_delete: str
    deferrable: bool

    @property
    def orders(self) -> bool:
        """True unless it is checked at the end of the transaction and does nothing itself."""
        return self.child != self.parent and not (self.deferrable and self.on_delete == NO_ACTION)


@dataclass(frozen=True)
class Unique:
    """A unique index: its expressions over one row, and for which rows it holds."""

    name: str
    table: str
    expressions: tuple[str, ...]
    predicate: str | None
    nulls_equal: bool


@dataclass(frozen=True)
class Model:
    """The tables that a restore may touch, parents first."""

    tables: tuple[Table, ...]
    keys: tuple[ForeignKey, ...]
    uniques: tuple[Unique, ...]

    @property
    def by_name(self) -> dict[str, Table]:
        """By ``schema.name``."""
        return {table.full: table for table in self.tables}

    @property
    def inner(self) -> tuple[ForeignKey, ...]:
        """Keys between two tables of ours, in the order of the parents."""
        place = {table.full: table.number for table in self.tables}
        found = [key for key in self.keys if key.child in place and key.parent in place]
        return tuple(sorted(found, key=lambda key: place[key.parent]))


def read(cur: Cursor) -> Model:
    """The model of the connection's database. Raises TargetError for a table that cannot be merged."""
    cur.execute("select set_config('search_path', '', true)")
    rows = [r for r in cur.execute(text("tables"), PARAMETERS).fetchall() if f"{r[0]}.{r[1]}" not in LEFT]
    keys = tuple(
        ForeignKey(r[0], r[1], r[2], tuple(r[3]), tuple(r[4]), r[5], r[6])
        for r in cur.execute(text("foreign_keys"), PARAMETERS).fetchall()
        if r[1] not in LEFT
    )
    uniques = tuple(
        Unique(r[0], r[1], tuple(r[2]), r[3], r[4])
        for r in cur.execute(text("uniques"), PARAMETERS).fetchall()
    )
    cur.execute("select set_config('search_path', 'pg_catalog, public, extensions', true)")
    without = [f"{r[0]}.{r[1]}" for r in rows if not r[4]]
    if without:
        raise TargetError(
            f"no restore into tables without a primary key: {', '.join(without)}; give each one, or move it to a "
            "schema of its own"
        )
    order = {name: number for number, name in enumerate(_order([f"{r[0]}.{r[1]}" for r in rows], keys))}
    tables = [
        Table(order[f"{r[0]}.{r[1]}"], r[0], r[1], tuple(r[2]), tuple(r[3]), tuple(r[4]), tuple(r[5]))
        for r in rows
    ]
    known = set(order)
    return Model(
        tuple(sorted(tables, key=lambda table: table.number)),
        keys,
        tuple(u for u in uniques if u.table in known),
    )


def sequences(cur: Cursor) -> list[sql.Identifier]:
    """The sequences of our schemas."""
    return [sql.Identifier(*row) for row in cur.execute(text("sequences"), PARAMETERS).fetchall()]


def _order(names: Sequence[str], keys: Sequence[ForeignKey]) -> list[str]:
    sorter: TopologicalSorter[str] = TopologicalSorter({name: set() for name in names})
    for key in keys:
        if key.orders and key.child in names and key.parent in names:
            sorter.add(key.child, key.parent)
    try:
        return list(sorter.static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise TargetError(
            f"tables refer to each other in a circle by keys that are not deferrable ({circle}): make one of them "
            "deferrable without an action on delete"
        ) from None


def raw(fragment: str) -> sql.SQL:
    """A fragment that Postgres itself wrote (a type, an expression of an index)."""
    return sql.SQL(fragment)


@cache
def text(name: str) -> LiteralString:
    """The statement in ``sql/<name>.sql``."""
    return (files("ledger_assets.backup.merge") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
