"""RECOVERY.md and the scripts beside it: how anybody brings a snapshot back with stock tools and none of our code.

What belongs here: their texts, made from what the snapshot holds. What does not: our own restore (``restored``, ``merge``).

Invariants: every command in RECOVERY.md is stock (``age``, ``pg_restore``, ``psql``, a POSIX shell); the page itself holds
no name of a table, person or file: it lies unencrypted.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from psycopg import sql

from ledger_assets.backup.contents import SETTINGS, Contents, fingerprint_query
from ledger_assets.load.schema import STAND_IN

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = "RECOVERY.md"
PLAIN = "plain-postgres.sql"
OUTSIDE = "outside.sql"
INSIDE = "inside.sql"
CHECK = "check.sql"


def page(*, snapshot_id: str, taken_at: str, target: str, tool: str, server: str, key_id: str) -> str:
    """The page. Its values are ids, times and versions."""
    text = (files("ledger_assets.backup") / "recovery.md").read_text(encoding="utf-8")
    values = {
        "id": snapshot_id,
        "taken_at": taken_at,
        "target": target,
        "tool": tool,
        "major": tool.split(".", maxsplit=1)[0],
        "server": server,
        "key_id": key_id,
    }
    for name, value in values.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text


def scripts(contents: Contents) -> dict[str, bytes]:
    """The SQL scripts, by name."""
    texts = {
        PLAIN: _plain(contents),
        OUTSIDE: _outside(contents),
        INSIDE: _inside(contents),
        CHECK: _check(contents),
    }
    return {name: "\n".join(lines).encode() + b"\n" for name, lines in texts.items()}


def _plain(contents: Contents) -> Iterator[str]:
    yield "-- What a Supabase project gives and plain Postgres lacks. For plain Postgres only, as a superuser."
    yield "set client_min_messages = warning;"
    for role in contents.outside.roles:
        name, text = _identifier(role), _literal(role)
        bypass = " bypassrls" if role in {"postgres", "service_role"} else ""
        yield (
            f"do $$ begin if not exists (select from pg_roles where rolname = {text}) then "
            f"create role {name}{bypass}; end if; end $$;"
        )
    for role in ("anon", "authenticated", "service_role"):
        if role not in contents.outside.roles:
            yield (
                f"do $$ begin if not exists (select from pg_roles where rolname = '{role}') then "
                f"create role {role}; end if; end $$;"
            )
    yield STAND_IN.read_text("utf-8").rstrip().rstrip(";") + ";"
    for reference in contents.outside.references:
        columns = ", ".join(
            f"{column} {kind}" for column, kind in zip(reference.columns, reference.types, strict=True)
        )
        yield f"create schema if not exists {reference.schema};"
        yield f"create table if not exists {reference.target} ({columns}, primary key ({', '.join(reference.columns)}));"


def _inside(contents: Contents) -> Iterator[str]:
    yield "-- Between the schemas and what is in them: an extension may live in one of them, and tables may need it."
    if "public" in contents.schemas:
        # What a new database gives, and what pg_dump writes the difference to: making the schema anew loses it.
        yield "grant usage on schema public to public;"
    for extension in contents.outside.extensions:
        if extension.needed:
            yield f"create schema if not exists {_identifier(extension.schema)};"
            yield (
                f"create extension if not exists {_identifier(extension.name)} schema {_identifier(extension.schema)};"
            )


def _outside(contents: Contents) -> Iterator[str]:
    yield "-- Accounts that rows refer to, where they are not there already; and the snapshot's own schemas out of the way."
    yield "set client_min_messages = warning;"
    for reference in contents.outside.references:
        columns = ", ".join(reference.columns)
        for row in reference.rows:
            values = ", ".join(
                f"{_literal(value)}::{kind}" for value, kind in zip(row, reference.types, strict=True)
            )
            yield f"insert into {reference.target} ({columns}) values ({values}) on conflict do nothing;"  # noqa: S608 - quoted
    for schema in contents.schemas:
        yield f"drop schema if exists {_identifier(schema)};"


def _check(contents: Contents) -> Iterator[str]:
    yield "-- Every table against what the snapshot holds, by count and content. Each line it prints is a difference."
    yield r"\pset format unaligned"
    yield r"\pset tuples_only on"
    yield r"\pset pager off"
    for setting in SETTINGS:
        yield setting.replace("set local ", "set ") + ";"
    for key, table in contents.tables.items():
        query = _text(fingerprint_query(table.schema, table.name, table.columns))
        query = query[query.index("select count") :].replace("\n", " ")
        held = f"({table.rows}, {_literal(table.lanes[0])}, {_literal(table.lanes[1])})"
        yield f"select {_literal(key)} as differs from ({query}) q (n, a, b) where (n, a, b) is distinct from {held};"  # noqa: S608 - quoted
    for key, sequence in contents.sequences.items():
        yield f"select {_literal(key)} as differs from {key} where last_value < {sequence.low[0]};"  # noqa: S608 - quoted


def _identifier(name: str) -> str:
    return _text(sql.Identifier(name))


def _literal(value: str) -> str:
    return _text(sql.Literal(value))


def _text(part: sql.Composable) -> str:
    return part.as_string(None)
