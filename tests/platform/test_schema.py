"""Migrations: applied once, recorded as the Supabase CLI records, refused when changed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from ledger_assets.errors import TargetError
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply, fingerprint, migrations, pending

FIRST = "20300101000001_first.sql"
SECOND = "20300101000002_second.sql"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / FIRST).write_text("create schema one;\n-- a table\ncreate table one.t (v text default ';');\n")
    (folder / SECOND).write_text("create table one.u (v text);\n")
    return folder


def test_applying_twice_does_nothing_the_second_time(empty_database_url: str) -> None:
    with connect(empty_database_url, application_name="tests") as connection:
        names = pending(connection)
        assert names == [migration.filename for migration in migrations()]
        assert apply(connection) == names
        assert pending(connection) == []
        assert apply(connection) == []


def test_migrations_are_recorded_as_the_supabase_cli_does(empty_database_url: str, folder: Path) -> None:
    with connect(empty_database_url, application_name="tests") as connection:
        apply(connection, folder)
        rows = connection.execute(
            "select version, name, statements from supabase_migrations.schema_migrations"
        ).fetchall()
    assert rows[0] == (
        "20300101000001",
        "first",
        ["create schema one", "-- a table\ncreate table one.t (v text default ';')"],
    )


def test_what_the_supabase_cli_recorded_is_not_run_again(empty_database_url: str, folder: Path) -> None:
    """The CLI's table may lack columns, and it may cut the statements differently."""
    with connect(empty_database_url, application_name="tests") as connection:
        connection.execute("create schema supabase_migrations")
        connection.execute(
            "create table supabase_migrations.schema_migrations "
            "(version text primary key, statements text[], name text)"
        )
        connection.execute(
            "insert into supabase_migrations.schema_migrations values ('20300101000001', %s, 'first')",
            (["create schema one;", "-- a table", "create table one.t (v text default ';');"],),
        )
        connection.execute("create schema one")
        connection.commit()
        assert pending(connection, folder) == [SECOND]
        assert apply(connection, folder) == [SECOND]


def test_a_changed_migration_is_refused_by_name(empty_database_url: str, folder: Path) -> None:
    with connect(empty_database_url, application_name="tests") as connection:
        apply(connection, folder)
        (folder / FIRST).write_text("create schema one; create table one.t (v int);")
        with pytest.raises(TargetError, match=FIRST):
            apply(connection, folder)
        with pytest.raises(TargetError, match=FIRST):
            pending(connection, folder)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("create table one.ok (v text);\n\n-- why\ncreate table\n  one.bad (v nonsense);\n", 5),
        ("create table one.ok (v text);\n\n-- why\n\ncreate table one.ok (v text);\n", 5),
    ],
)
def test_an_error_names_file_and_line_and_leaves_nothing(
    empty_database_url: str, folder: Path, text: str, line: int
) -> None:
    (folder / SECOND).write_text(text)
    with connect(empty_database_url, application_name="tests") as connection:
        with pytest.raises(TargetError, match=f"^{SECOND} line {line}: "):
            apply(connection, folder)
        assert pending(connection, folder) == [SECOND]
        assert connection.execute("select to_regclass('one.ok')").fetchone() == (None,)


def test_two_at_once_apply_each_migration_once(empty_database_url: str) -> None:
    start = threading.Barrier(2)

    def run() -> list[str]:
        with connect(empty_database_url, application_name="tests") as connection:
            start.wait()
            return apply(connection)

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run) for _ in range(2)]
        applied = [name for run in runs for name in run.result()]
    assert sorted(applied) == [migration.filename for migration in migrations()]


def test_a_wrongly_named_file_is_refused(folder: Path) -> None:
    (folder / "more.sql").write_text("select 1;")
    with pytest.raises(TargetError, match=r"more\.sql"):
        migrations(folder)


def test_the_fingerprint_changes_with_any_text(folder: Path) -> None:
    before = fingerprint(folder)
    assert fingerprint(folder) == before
    (folder / SECOND).write_text("create table one.u (v int);\n")
    assert fingerprint(folder) != before


def test_new_tables_are_closed_to_the_api(conn: psycopg.Connection) -> None:
    """The shim opens public as older projects do; the first migration must take that back."""
    conn.execute("create table public.fresh (v text)")
    conn.execute("create function public.fresh_function() returns int language sql return 1")
    for role in ("anon", "authenticated", "service_role"):
        row = conn.execute(
            "select has_table_privilege(%(role)s, 'public.fresh', 'select, insert, update, delete'), "
            "has_function_privilege(%(role)s, 'public.fresh_function()', 'execute'), "
            "has_schema_privilege(%(role)s, 'public', 'create'), "
            "has_schema_privilege(%(role)s, 'private', 'create')",
            {"role": role},
        ).fetchone()
        assert row == (False, False, False, False), role


def test_only_the_service_role_may_enter_the_raw_records(conn: psycopg.Connection) -> None:
    rows = conn.execute(
        "select r, has_schema_privilege(r, s, 'usage') "
        "from unnest(array['anon', 'authenticated', 'service_role']) r, "
        "unnest(array['airtable', 'migration', 'audit']) s order by 1"
    ).fetchall()
    assert set(rows) == {("anon", False), ("authenticated", False), ("service_role", True)}
