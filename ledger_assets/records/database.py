"""A database in numbers at one moment: rows by table, relations, accounts, projects.

What belongs here: counting. What does not: the Airtable base's own inventory (``extract.inventory``), keeping and comparing
(``kept``, ``compared``).

Invariant: counts and names of tables and columns only; all of one moment: one read-only transaction, repeatable read.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ledger_assets.load.sqlfiles import plain_errors
from ledger_assets.schema.catalogue import SCHEMAS

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True)
class DatabaseInventory:
    """What a database holds. ``relations``: ``table.column -> table`` and how many rows refer. ``accounts``: None where
    the platform does not tell."""

    environment: str
    target: str
    at: str
    tables: dict[str, int]
    relations: dict[str, int]
    accounts: dict[str, int | None]
    projects: dict[str, int]

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)


def count(
    connection: psycopg.Connection, *, environment: str, target: str, now: datetime
) -> DatabaseInventory:
    """Count everything. The connection is idle, and idle again afterwards. Raises TargetError."""
    with plain_errors("the inventory", undone="nothing was counted"), connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        return DatabaseInventory(
            environment,
            target,
            now.isoformat(timespec="milliseconds"),
            _tables(connection),
            _relations(connection),
            _accounts(connection, now),
            _projects(connection),
        )


def _tables(connection: psycopg.Connection) -> dict[str, int]:
    names = connection.execute(
        "select relnamespace::regnamespace::text, relname::text from pg_class "
        "where relkind in ('r', 'p') and relnamespace::regnamespace::text = any (%s) order by 1, 2",
        (list(SCHEMAS),),
    ).fetchall()
    return {f"{schema}.{table}": _count(connection, schema, table) for schema, table in names}


def _relations(connection: psycopg.Connection) -> dict[str, int]:
    rows = connection.execute(_text("links")).fetchall()
    return {
        f"{table}.{column} -> {other}": _count(connection, "public", table.removeprefix("public."), column)
        for table, column, other in rows
    }


def _accounts(connection: psycopg.Connection, now: datetime) -> dict[str, int | None]:
    row = connection.execute(_text("accounts"), {"now": now}).fetchone()
    assert row is not None
    every, tells, month, quarter, profiles, claimed, wrote = row
    return {
        "accounts": every,
        "signed in within 30 days": month if tells else None,
        "signed in within 90 days": quarter if tells else None,
        "wrote within 30 days": wrote,
        "profiles": profiles,
        "storytellers with an account": claimed,
    }


def _projects(connection: psycopg.Connection) -> dict[str, int]:
    row = connection.execute(
        "select count(*), count(*) filter (where exists (select from public.stories s where s.project_id = p.id) "
        "or exists (select from public.storytellers t where t.project_id = p.id)), "
        "(select count(distinct profile_id) from public.project_members) from public.projects p"
    ).fetchone()
    assert row is not None
    return dict(
        zip(("projects", "with stories or storytellers", "people who work in them"), row, strict=True)
    )


def _count(connection: psycopg.Connection, schema: str, table: str, column: str | None = None) -> int:
    from psycopg import sql

    what = sql.SQL("*") if column is None else sql.Identifier(column)
    query = sql.SQL("select count({}) from {}").format(what, sql.Identifier(schema, table.strip('"')))
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _text(name: str) -> bytes:
    return (files("ledger_assets.records") / "sql" / f"{name}.sql").read_bytes()
