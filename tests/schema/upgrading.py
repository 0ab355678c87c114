"""Migrations over what is there already, on any cluster.

What belongs here: what the tests on Postgres 18 and those on 15 both do. What does not: how a migration is recorded
(tests/platform/test_schema.py).
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from ledger_assets.demo.postgres import Cluster
from ledger_assets.files import project_file
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply, migrations

OLD = "20261122000005"
"""The last migration of the version before."""

CATALOGUE = {
    "columns": "select attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull, "
    "pg_get_expr(d.adbin, d.adrelid), attacl::text from pg_attribute a left join pg_attrdef d on d.adrelid = attrelid "
    "and d.adnum = attnum join pg_class c on c.oid = attrelid where attnum > 0 and not attisdropped and {c}",
    "tables": "select oid::regclass::text, relkind, relrowsecurity, (select array_agg(x::text order by x::text) from "
    "unnest(relacl) x), obj_description(oid, 'pg_class'), relowner::regrole::text, "
    "case when relkind = 'v' then pg_get_viewdef(oid) end from pg_class c where {c}",
    "constraints": "select conrelid::regclass::text, conname, pg_get_constraintdef(k.oid) from pg_constraint k "
    "join pg_class c on c.oid = conrelid where {c}",
    "indexes": "select pg_get_indexdef(indexrelid) from pg_index join pg_class c on c.oid = indrelid where {c}",
    "triggers": "select pg_get_triggerdef(t.oid), tgenabled from pg_trigger t join pg_class c on c.oid = tgrelid "
    "where not tgisinternal and {c}",
    "policies": "select schemaname, tablename, policyname, permissive, roles::text, cmd, qual, with_check "
    "from pg_policies",
    "functions": "select p.oid::regprocedure::text, pg_get_functiondef(p.oid), (select array_agg(x::text order by "
    "x::text) from unnest(proacl) x), obj_description(p.oid, 'pg_proc') from pg_proc p "
    "join pg_namespace n on n.oid = pronamespace where {n}",
    "schemas": "select nspname, (select array_agg(x::text order by x::text) from unnest(nspacl) x), "
    "obj_description(oid) from pg_namespace n where {n}",
    "defaults": "select defaclrole::regrole::text, defaclnamespace::regnamespace::text, defaclobjtype, "
    "defaclacl::text from pg_default_acl",
}
OURS = "('public', 'airtable', 'migration', 'private', 'audit')"


def catalogue(conn: psycopg.Connection) -> dict[str, list[str]]:
    """Everything that the migrations make, in words."""
    conditions = {"c": f"c.relnamespace::regnamespace::text in {OURS}", "n": f"n.nspname in {OURS}"}
    with conn.transaction():
        return {
            name: sorted(map(repr, conn.execute(query.format(**conditions).encode()).fetchall()))
            for name, query in CATALOGUE.items()
        }


def applied_again(cluster: Cluster, name: str) -> None:
    """Every statement of every file once more, in order, after all have been applied."""
    cluster.ensure_database(name)
    with connect(cluster.url(name), application_name="tests") as conn:
        apply(conn)
        before = catalogue(conn)
        assert len(before["policies"]) > 50
        for migration in migrations():
            for statement in migration.statements:
                conn.execute(statement.text.encode())
            conn.commit()
        after = catalogue(conn)
    for kind, lines in before.items():
        assert sorted(set(lines) ^ set(after[kind])) == [], kind


def upgraded(cluster: Cluster, name: str, *, rows: bool = True) -> None:
    """The version before with its rows, then the rest: no row of it lost or changed, none left open."""
    cluster.ensure_database(name)
    with (
        connect(cluster.url(name), application_name="tests") as conn,
        tempfile.TemporaryDirectory() as folder,
    ):
        for path in project_file("supabase/migrations").glob("*.sql"):
            if path.name[: len(OLD)] <= OLD:
                shutil.copy(path, folder)
        assert len(apply(conn, Path(folder))) == 5
        if rows:
            _fill(conn)
        columns = _columns(conn)
        before = _rows(conn, columns)
        assert all(before.values()) or not rows
        assert len(apply(conn)) == len(migrations()) - 5
        assert _rows(conn, columns) == before
        opened = conn.execute(
            "select count(*) from stories where eff_limits < 4 or eff_until > now()"
        ).fetchone()
        drifted = conn.execute("select count(*) from private.visibility_drift").fetchone()
        assert (opened, drifted) == ((0,), (0,))
        conn.commit()


def _columns(conn: psycopg.Connection) -> dict[str, str]:
    """The tables of public and the archive with the names of their columns."""
    query = (
        "select attrelid::regclass::text, string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute "
        "join pg_class c on c.oid = attrelid where attnum > 0 and not attisdropped and c.relkind = 'r' "
        "and c.relnamespace::regnamespace::text in ('public', 'airtable', 'migration') group by 1 order by 1"
    )
    with conn.transaction():
        return dict(conn.execute(query).fetchall())


def _rows(conn: psycopg.Connection, columns: dict[str, str]) -> dict[str, list[Any]]:
    with conn.transaction():
        return {
            table: sorted(
                line
                for (line,) in conn.execute(f"select t::text from (select {names} from {table}) t".encode())
            )
            for table, names in columns.items()
        }


def _fill(conn: psycopg.Connection) -> None:
    """What a load wrote, and what people have changed since."""
    loaded, changed = (Path(__file__).parent / "older_rows.sql").read_text().split("-- By people:\n")
    with conn.transaction():
        conn.execute("set local migration.writer = 'on'")
        conn.execute(loaded.encode())
    with conn.transaction():
        conn.execute(changed.encode())
