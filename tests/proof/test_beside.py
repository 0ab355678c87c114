"""The second connection of the proof: the same snapshot, or none."""

from __future__ import annotations

from concurrent.futures import Future

import psycopg
import pytest

from ledger_assets.proof.beside import beside
from tests.proof.small_base import rec
from tests.proof.world import World, failed

COUNT = "select count(*) from public.quotes"


def count(conn: psycopg.Connection, query: str = COUNT) -> int:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_both_connections_see_one_snapshot(world: World) -> None:
    with world.conn.transaction(force_rollback=True):
        world.conn.execute("set transaction isolation level repeatable read")
        before = count(world.conn)
        with beside(world.conn, shared=True) as other:
            assert other.connection is not world.conn
            with psycopg.connect(world.conn.info.dsn, password=world.conn.info.password) as third:
                third.execute("delete from public.quote_interviews")
                third.execute("delete from public.quotes")
            assert other.submit(count).result() == before == count(world.conn)


def test_what_only_one_connection_sees_is_judged_there(world: World) -> None:
    """A proof inside somebody's transaction proves what that transaction has made of the rows."""
    with world.conn.transaction(force_rollback=True):
        world.conn.execute("set local migration.writer = 'on'")
        world.conn.execute("update public.quotes set occurs_verbatim = not coalesce(occurs_verbatim, false)")
        assert any("differs in occurs_verbatim" in notice.text for notice in world.prove().rows)
    assert failed(world.prove()) == set()


def test_nothing_is_left_running_when_the_proof_fails(world: World) -> None:
    begun: list[tuple[psycopg.Connection, Future[int]]] = []

    def fail() -> None:
        with world.conn.transaction(), beside(world.conn, shared=True) as other:
            begun.append(
                (other.connection, other.submit(count, "select count(*) from generate_series(1, 1000000000)"))
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    ((connection, slow),) = begun
    assert connection.closed
    assert slow.cancelled() or isinstance(slow.exception(), psycopg.errors.QueryCanceled)


def test_a_server_without_a_connection_left_is_proven_on_the_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger_assets.proof.beside._second", lambda _conn: None)
    assert failed(world.prove()) == set()
    world.without_checks("airtable.records")
    world.damage("update airtable.records set raw = left(raw, 60) where record_id = %s", rec("boat"))
    assert ("Stories", "records") in failed(world.prove())
