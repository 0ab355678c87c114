"""What every step of a repair shares: the connection, the objects that should be, and how a statement's failure is told.

What belongs here: running statements and reading what is there. What does not: which statements.

Invariants: an error of Postgres is told by its class and the object alone, for its text quotes cells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import LiteralString

import psycopg
from psycopg import errors, sql

from ledger_assets.backup.repairing import definitions
from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import Cursor
from ledger_assets.schema import catalogue
from ledger_assets.schema.catalogue import Catalogue, Item

QUERY = "query"
NOT_YET = (errors.UndefinedObject, errors.UndefinedTable, errors.UndefinedFunction, errors.UndefinedColumn)
"""What a statement needs that is made later."""


@dataclass
class Work:
    """One repair. ``brought``: rows of the snapshot written, by table; ``left_alone``: keys of extra objects that stay."""

    live: Cursor
    copy: Cursor
    expected: Catalogue
    owner: str
    brought: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    left_alone: set[str] = field(default_factory=set)
    made_tables: set[str] = field(default_factory=set)
    remade: dict[str, list[str]] = field(default_factory=dict)
    """Columns that came back, by their table."""

    @property
    def wanted(self) -> Mapping[str, Item]:
        """What should be there, by key."""
        return {item.key: item for item in self.expected.items}

    def present(self) -> dict[str, Item]:
        """What is there now. A view's query of another version of Postgres is taken for the same."""
        found = catalogue.read(self.live.connection)
        wanted, other = self.wanted, found.major != self.expected.major
        return {
            item.key: wanted.get(item.key, item) if other and item.kind == QUERY else item
            for item in found.items
        }

    def run(self, what: str, statement: str) -> None:
        """One statement about ``what``."""
        try:
            self.live.execute(statement.encode())
        except psycopg.Error as error:
            raise refused(what, error) from None

    def attempt(self, statement: str, *unless: type[psycopg.Error]) -> bool:
        """One statement that may fail in one of these ways; then it did not happen."""
        try:
            with self.live.connection.transaction():
                self.live.execute(statement.encode())
        except unless:
            return False
        return True

    def until_done(self, statements: Iterable[tuple[str, Callable[[], None]]]) -> None:
        """All of them, whatever their order must be: each again until all are done or none can be."""
        waiting = list(statements)
        while waiting:
            later: list[tuple[str, Callable[[], None]]] = []
            failed: tuple[str, psycopg.Error] | None = None
            for what, do in waiting:
                try:
                    with self.live.connection.transaction():
                        do()
                except NOT_YET as error:
                    failed = failed or (what, error)
                    later.append((what, do))
                except psycopg.Error as error:
                    raise refused(what, error) from None
            if failed is not None and len(later) == len(waiting):
                raise refused(*failed)
            waiting = later

    def tell(self, done: str, item: Item) -> None:
        """A line of what was done."""
        self.lines.append(f"{item.kind} {item.name}: {done}")


@cache
def text(name: str) -> LiteralString:
    """The statement in ``sql/<name>.sql``."""
    return (files("ledger_assets.backup.repairing") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def filled(name: str, **parts: str) -> str:
    """The same with its names filled in: fragments that Postgres itself wrote, with their quotes."""
    return text(name).format(**parts)


def literal(value: str) -> str:
    """A text in a statement."""
    return sql.Literal(value).as_string(None)


def refused(what: str, error: psycopg.Error) -> TargetError:
    """The reason of a repair that was rolled back."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    return TargetError(
        f"{what} cannot be repaired: {kind} (SQLSTATE {error.sqlstate or 'none'}); the whole repair was rolled back: mend "
        "it by hand (ledger-assets schema verify shows the difference), then try again"
    )


def columns_of(items: Mapping[str, Item], table: str) -> dict[str, definitions.Column]:
    """A table's columns by their names as SQL writes them."""
    parent = f"table {table}"
    return {
        definitions.own_name(item): definitions.column(item.definition)
        for item in items.values()
        if item.kind == "column" and item.parent == parent
    }


def tables(items: Mapping[str, Item]) -> list[str]:
    """The names of the tables."""
    return sorted(item.name for item in items.values() if item.kind == "table")
