"""What a load demands of its database."""

from __future__ import annotations

import psycopg
import pytest
from load_world import World, contents, run

from ledger_assets.errors import TargetError


def test_a_database_is_claimed_once(db: psycopg.Connection, world: World) -> None:
    run(db, world)
    before = contents(db)
    with pytest.raises(TargetError, match="belongs to environment staging, base appTestCircular000"):
        run(db, world, environment="production")
    with db.transaction():
        db.execute("update migration.target set base_id = 'appAnother00000000'")
    with pytest.raises(TargetError, match="belongs to environment staging, base appAnother00000000"):
        run(db, world)
    assert {**contents(db), "target": before["target"]} == before


def test_a_dry_run_claims_nothing(db: psycopg.Connection, world: World) -> None:
    run(db, world, environment="production", commit=False)
    assert run(db, world).committed


def test_a_role_that_would_not_see_every_row_is_refused(db: psycopg.Connection, world: World) -> None:
    db.execute("create role half_blind")
    db.execute("grant half_blind to current_user")
    db.commit()
    try:
        db.execute("set role half_blind")
        db.commit()
        with pytest.raises(TargetError, match="BYPASSRLS"):
            run(db, world)
    finally:
        db.execute("reset role")
        db.execute("drop role half_blind")
        db.commit()


def test_a_database_without_our_schema_is_refused(empty_database_url: str, world: World) -> None:
    with psycopg.connect(empty_database_url) as conn, pytest.raises(TargetError, match="schema apply"):
        run(conn, world)


def test_a_target_table_that_is_not_there_is_named(conn: psycopg.Connection, world: World) -> None:
    with pytest.raises(TargetError, match="no table people, works, credits"):
        run(conn, world)


def test_a_connection_inside_a_transaction_is_refused(db: psycopg.Connection, world: World) -> None:
    db.execute("select 1")
    with pytest.raises(TargetError, match="inside another transaction"):
        run(db, world)


def test_a_ledger_of_another_export_is_refused(db: psycopg.Connection, world: World) -> None:
    first, second = world.publish(), world.publish()
    with pytest.raises(TargetError, match="no ledger of export"):
        run(db, world, (second[0], first[1]))


def test_api_roles_can_read_neither_raw_records_nor_the_migrations_memory(
    db: psycopg.Connection, world: World
) -> None:
    run(db, world)
    with db.transaction():
        rows = db.execute(
            "select role, c.oid::regclass::text from (values ('anon'), ('authenticated'), ('service_role')) r(role), "
            "pg_class c where c.relnamespace in ('airtable'::regnamespace, 'migration'::regnamespace) "
            "and c.relkind = 'r' and has_table_privilege(role, c.oid, 'select') order by 1, 2"
        ).fetchall()
    assert rows == [
        ("service_role", f"airtable.{table}")
        for table in ("attachments", "comments", "exports", "metadata", "records")
    ]
