"""What a dump of schemas leans on and does not hold: accounts referred to, extensions, roles, publications.

What belongs here: asking for it, and reading it from JSON. What does not: putting it there elsewhere (``restored``).

Invariants: of rows outside only the keys are read that rows inside refer to; names are as SQL writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from ledger_assets.backup.queries import text


@dataclass(frozen=True)
class Extension:
    """``needed``: the schemas cannot be made without it."""

    name: str
    schema: str
    version: str
    needed: bool


@dataclass(frozen=True)
class Reference:
    """A foreign key into a schema that is not dumped, and the keys that are referred to: elsewhere they must be there
    before the rows can be. Names as SQL writes them; ``schema`` is the target's."""

    constraint: str
    table: str
    schema: str
    target: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ForeignKey:
    """Names as SQL writes them; ``outside``: its target's schema is not one of those asked for."""

    name: str
    table: str
    target: str
    schema: str
    outside: bool
    columns: tuple[str, ...]
    target_columns: tuple[str, ...]
    types: tuple[str, ...]


@dataclass(frozen=True)
class Outside:
    """What the schemas lean on and a dump of them does not hold."""

    references: tuple[Reference, ...]
    extensions: tuple[Extension, ...]
    roles: tuple[str, ...]
    publications: dict[str, tuple[str, ...]]


def read_outside(connection: psycopg.Connection, parameters: dict[str, object]) -> Outside:
    """For the schemas of ``parameters["schemas"]``, in the caller's transaction."""
    return Outside(
        references=tuple(_references(connection, parameters)),
        extensions=tuple(Extension(*row) for row in connection.execute(text("extensions"), parameters)),
        roles=tuple(name for (name,) in connection.execute(text("roles"), parameters)),
        publications={
            name: tuple(tables) for name, tables in connection.execute(text("publications"), parameters)
        },
    )


def _references(connection: psycopg.Connection, parameters: dict[str, object]) -> Iterator[Reference]:
    for key in foreign_keys(connection, parameters):
        if key.outside:
            columns = ", ".join(f"{column}::text" for column in key.columns)
            filled = " and ".join(f"{column} is not null" for column in key.columns)
            asked = f"select distinct {columns} from {key.table} where {filled}"  # noqa: S608 - quoted by Postgres
            rows = sorted(connection.execute(asked.encode()).fetchall())
            yield Reference(
                key.name, key.table, key.schema, key.target, key.target_columns, key.types, tuple(rows)
            )


def foreign_keys(connection: psycopg.Connection, parameters: dict[str, object]) -> list[ForeignKey]:
    """The foreign keys of the tables of ``parameters["schemas"]``."""
    return [
        ForeignKey(name, table, target, schema, outside, tuple(own), tuple(theirs), tuple(types))
        for name, table, target, schema, outside, own, theirs, types in connection.execute(
            text("foreign_keys"), parameters
        ).fetchall()
    ]


def outside_from(document: dict[str, Any]) -> Outside:
    """The same from its JSON."""
    return Outside(
        references=tuple(_reference(one) for one in document["references"]),
        extensions=tuple(Extension(**one) for one in document["extensions"]),
        roles=tuple(document["roles"]),
        publications={name: tuple(tables) for name, tables in document["publications"].items()},
    )


def _reference(one: dict[str, Any]) -> Reference:
    return Reference(
        one["constraint"],
        one["table"],
        one["schema"],
        one["target"],
        tuple(one["columns"]),
        tuple(one["types"]),
        tuple(tuple(row) for row in one["rows"]),
    )
