"""A database's catalogue as a list of objects: kind, name, what it belongs to, definition.

What belongs here: reading it. What does not: what it is compared with (``expected``), how (``compare``).

Invariants: no table's rows are read; an object's name is unique within its kind; names are written out with their
schemas whatever the session's search_path is; the reading transaction is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import LiteralString

import psycopg

SCHEMAS = ("airtable", "audit", "migration", "private", "public")
"""The schemas that the migrations make; what lies in others is somebody else's."""
CLOSED = ("airtable", "audit", "migration", "private")
"""Those that the API must never expose."""


@dataclass(frozen=True, order=True)
class Item:
    """One object; ``parent`` is ``<kind> <name>`` of what it belongs to."""

    kind: str
    name: str
    parent: str | None
    definition: str

    @property
    def key(self) -> str:
        """What ``parent`` of others calls it."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Catalogue:
    """The objects of one database, and the major version of Postgres that wrote their definitions."""

    major: int
    items: tuple[Item, ...]


def read(connection: psycopg.Connection) -> Catalogue:
    """The catalogue of our schemas."""
    rows = fetch(connection, "catalogue", {"schemas": list(SCHEMAS)})
    return Catalogue(connection.info.server_version // 10000, tuple(items(rows)))


def fetch(
    connection: psycopg.Connection, name: str, parameters: dict[str, object]
) -> list[tuple[str, str, str | None, str | None]]:
    """The rows of ``sql/<name>.sql``."""
    with connection.transaction(force_rollback=True):
        # With any other, names that happen to be on it are written without their schema.
        connection.execute("set local search_path = ''")
        # Supabase ends a statement after two minutes; a server under load may need longer for nothing worse.
        connection.execute("set local statement_timeout = 0")
        return connection.execute(_text(name), parameters).fetchall()


def items(rows: Iterable[tuple[str, str, str | None, str | None]]) -> Iterable[Item]:
    """The rows as objects."""
    for kind, name, parent, definition in rows:
        yield Item(kind, name, parent, definition or "")


@cache
def _text(name: str) -> LiteralString:
    return (files("ledger_assets.schema") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
