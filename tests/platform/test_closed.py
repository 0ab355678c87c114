"""What the API may never reach: the schemas that are not its own. For schema public there is the access matrix."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

CLOSED = "select schemaname, tablename from pg_tables where schemaname in ('airtable', 'migration', 'audit') order by 1, 2"
WRITES = ("select * from {} limit 1", "delete from {}", "insert into {} default values", "truncate {}")


def test_row_level_security_is_on_for_every_table(conn: psycopg.Connection) -> None:
    off = conn.execute(
        "select oid::regclass::text from pg_class where relkind in ('r', 'p') and not relrowsecurity "
        "and relnamespace::regnamespace::text in ('public', 'airtable', 'migration', 'audit')"
    ).fetchall()
    assert off == []


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_an_api_role_reaches_no_table_of_a_closed_schema(conn: psycopg.Connection, role: str) -> None:
    tables = conn.execute(CLOSED).fetchall()
    assert len(tables) > 10
    conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
    conn.commit()
    reached = []
    for schema, table in tables:
        for statement in WRITES:
            try:
                with conn.transaction():
                    conn.execute(sql.SQL(statement).format(sql.Identifier(schema, table)))
                reached.append(f"{statement} {schema}.{table}")
            except psycopg.errors.InsufficientPrivilege:
                continue
    assert reached == []


def test_stories_land_as_private_drafts_whatever_a_row_says_of_them(conn: psycopg.Connection) -> None:
    """The loader names neither column: the defaults decide, and they are closed."""
    defaults = conn.execute(
        "select column_name, column_default from information_schema.columns where table_schema = 'public' "
        "and table_name = 'stories' and column_name in ('status', 'privacy') order by 1"
    ).fetchall()
    assert defaults == [("privacy", "'private'::text"), ("status", "'draft'::text")]
