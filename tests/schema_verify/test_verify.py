"""``verify`` and its command: what is compared with what, what is said, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from ledger_assets.demo.postgres import Cluster
from ledger_assets.errors import TargetError
from ledger_assets.lane import scratch_database
from ledger_assets.schema import expected
from ledger_assets.schema.catalogue import read
from ledger_assets.schema.verify import verify

from ..lane.commands import run, settings_of

DRIFT = b"grant delete on public.stories to anon; alter table public.consents disable row level security"
BASE = {"AIRTABLE_API_KEY": "patSynthetic", "AIRTABLE_BASE_ID": "appSynthetic00001"}
NAMES = ["table public.stories to anon", "public.consents"]


def test_the_released_catalogue_is_what_the_migrations_make(conn: psycopg.Connection) -> None:
    with scratch_database(conn) as scratch:
        assert expected.dumped(scratch) == expected.FILE.read_text("utf-8"), (
            "migrations have changed: python -m ledger_assets.schema"
        )


def test_a_released_catalogue_of_other_migrations_is_refused(
    release: Path,
) -> None:
    release.write_text(release.read_text("utf-8").replace('"migrations": "', '"migrations": "0'), "utf-8")
    with pytest.raises(TargetError, match="not made of its migrations"):
        expected.shipped()
    release.unlink()
    with pytest.raises(TargetError, match="not made of its migrations"):
        expected.shipped()


def test_without_the_right_to_create_databases_the_release_is_compared_with(
    cluster: Cluster, conn: psycopg.Connection, release: Path
) -> None:
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute("alter role postgres nocreatedb")
        try:
            clean = verify(conn, scratch_database)
            conn.execute(DRIFT)
            conn.commit()
            drifted = verify(conn, scratch_database)
        finally:
            admin.execute("alter role postgres createdb")
    assert clean.differences == ()
    assert clean.against == "the release's catalogue (no scratch database: InsufficientPrivilege)"
    assert [one.object for one in drifted.differences] == NAMES


def test_of_another_major_only_the_queries_of_views_are_left_out(
    cluster: Cluster, conn: psycopg.Connection, release: Path
) -> None:
    text = release.read_text("utf-8")
    release.write_text(
        text.replace('"major": 18', '"major": 17').replace("SELECT a.story_id", "SELECT story_id")
    )
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute("alter role postgres nocreatedb")
        try:
            found = verify(conn, scratch_database)
        finally:
            admin.execute("alter role postgres createdb")
    assert found.differences == ()
    assert found.against.endswith("made on Postgres 17: queries of views are not compared")


def test_a_missing_and_an_unknown_migration_are_named(conn: psycopg.Connection) -> None:
    conn.execute(
        "delete from supabase_migrations.schema_migrations where version = '20261122000012'; "
        "insert into supabase_migrations.schema_migrations (version) values ('29990101000000')"
    )
    conn.commit()
    found = verify(conn, scratch_database)
    assert [(one.kind, one.object, one.found) for one in found.differences] == [
        ("migration", "20261122000012_acts.sql", "not applied"),
        ("migration", "29990101000000", "applied"),
    ]


def test_a_migration_applied_with_another_text_is_named(conn: psycopg.Connection) -> None:
    conn.execute(
        "update supabase_migrations.schema_migrations set statements = '{select 1}' where version = '20261122000001'"
    )
    conn.commit()
    (found,) = verify(conn, scratch_database).differences
    assert "20261122000001_schemas.sql was applied with another text" in found.line


def test_nothing_stays_behind(conn: psycopg.Connection) -> None:
    before = read(conn)
    verify(conn, scratch_database)
    assert read(conn) == before
    assert conn.execute(
        "select count(*) from pg_database where datname like 'ledger_scratch%'"
    ).fetchone() == (0,)


def test_the_command_says_so_and_exits_with_0_or_1(database_url: str, tmp_path: Path) -> None:
    environ = settings_of(tmp_path / "home", STAGING_DATABASE_URL=database_url, **BASE)
    clean = run(environ, "schema", "verify", "staging")
    assert (clean.returncode, clean.stderr) == (0, "")
    assert "is what the migrations make" in clean.stdout
    with psycopg.connect(database_url) as connection:
        connection.execute(DRIFT)
    drifted = run(environ, "schema", "verify", "staging")
    assert drifted.returncode == 1
    assert drifted.stdout.splitlines() == [
        "grant table public.stories to anon: expected nothing; found delete",
        (
            "table public.consents: expected owner (owner); row-level security on; "
            "found owner (owner); row-level security off"
        ),
    ]
    assert "differs in 2 places" in drifted.stderr
    as_json = run(environ, "schema", "verify", "staging", "--json")
    assert as_json.returncode == 1
    told = json.loads(as_json.stdout)["differences"]
    assert [one["object"] for one in told] == NAMES
    assert told[0] == {"kind": "grant", "object": NAMES[0], "expected": None, "found": "delete"}
