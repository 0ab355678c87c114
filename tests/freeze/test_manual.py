"""The owner's freeze: writes in flight are waited for, it lasts until lifted or until its end, and it is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_assets import events, freeze
from ledger_assets.errors import TargetError
from ledger_assets.load.connect import connect
from ledger_assets.switch import live
from tests.freeze.world import WRITE, lease, one, until, when_blocked, write


@pytest.fixture
def other(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url, application_name="tests:other") as connection:
        yield connection


def test_a_write_in_flight_is_waited_for_and_kept_and_later_ones_are_refused(
    conn: psycopg.Connection, other: psycopg.Connection, database_url: str
) -> None:
    with connect(database_url, application_name="tests:writer") as writer:
        writer.execute(WRITE)
        work = when_blocked(
            other, conn.info.backend_pid, lambda: freeze.on(conn, reason="moving", who="somebody")
        )
        assert write(database_url) == "PT503"
        assert one(other, "select count(*) from public.themes") == 0
        writer.commit()
    work.join()
    assert one(other, "select count(*) from public.themes") == 1
    assert write(database_url) == "PT503"
    assert [(e.outcome, e.who) for e in events.read(conn, actions=["freeze"])] == [
        ("begun", "somebody"),
        ("done", "somebody"),
    ]


def test_a_write_that_does_not_end_opens_writing_again_and_is_named_by_its_process(
    conn: psycopg.Connection, database_url: str
) -> None:
    with connect(database_url, application_name="tests:writer") as writer:
        writer.execute(WRITE)
        with pytest.raises(TargetError, match="writing is open again") as caught:
            freeze.on(conn, reason="private reason", who="somebody", wait_seconds=0)
        assert (
            f"public.themes is still being written after 0 s (server processes {writer.info.backend_pid})"
            in str(caught.value)
        )
        assert "private reason" not in str(caught.value)
    assert freeze.state(conn).kind == "none"
    assert write(database_url) is None
    assert [e.outcome for e in events.read(conn, actions=["freeze"])] == ["begun", "failed"]


def test_it_lasts_until_lifted(conn: psycopg.Connection, database_url: str) -> None:
    found = freeze.on(conn, reason="moving", who="somebody")
    assert (found.kind, found.reason, found.who, found.until) == ("manual", "moving", "somebody", None)
    assert freeze.off(conn, who="somebody else").kind == "manual"
    assert freeze.state(conn).kind == "none"
    assert write(database_url) is None
    assert [(e.outcome, e.who, e.detail["kind"]) for e in events.read(conn, actions=["thaw"])] == [
        ("done", "somebody else", "manual")
    ]


def test_lifting_nothing_is_no_event(conn: psycopg.Connection) -> None:
    assert freeze.off(conn, who="somebody").kind == "none"
    assert events.read(conn) == []


def test_its_end_lifts_it(conn: psycopg.Connection, database_url: str) -> None:
    end = datetime.now(UTC) + timedelta(seconds=1)
    assert freeze.on(conn, reason="moving", who="somebody", until=end).until == end
    until(conn, f"select clock_timestamp() > '{end}'")
    assert write(database_url) is None
    assert freeze.state(conn).kind == "ran_out"


def test_an_end_that_is_past_is_refused(conn: psycopg.Connection) -> None:
    with pytest.raises(TargetError, match="lies in the future"):
        freeze.on(conn, reason="moving", who="somebody", until=datetime.now(UTC) - timedelta(minutes=1))
    assert freeze.state(conn).token == 0


def test_again_changes_reason_and_end_and_keeps_since(conn: psycopg.Connection) -> None:
    first = freeze.on(conn, reason="moving", who="somebody")
    second = freeze.on(conn, reason="still moving", who="somebody")
    assert (second.reason, second.since, second.token) == ("still moving", first.since, first.token + 1)


def test_a_cut_overs_freeze_is_neither_replaced_nor_lifted_by_hand(conn: psycopg.Connection) -> None:
    token = lease(conn)
    with pytest.raises(TargetError, match="cut-over cut-1"):
        freeze.on(conn, reason="mine", who="somebody")
    with pytest.raises(TargetError, match="--force opens writing at once"):
        freeze.off(conn, who="somebody")
    assert freeze.state(conn).token == token
    assert freeze.off(conn, who="somebody", force=True).token == token
    with pytest.raises(TargetError, match="start the cut-over again"), conn.transaction():
        freeze.fence(conn.cursor(), token)


def test_inside_a_transaction_of_somebody_else_nothing_is_frozen(conn: psycopg.Connection) -> None:
    conn.execute("select 1")
    with pytest.raises(TargetError, match="another transaction"):
        freeze.on(conn, reason="moving", who="somebody")


def test_a_database_without_our_schema_is_named_as_such(empty_database_url: str) -> None:
    with connect(empty_database_url, application_name="tests") as empty:
        for ask in (freeze.state, live):
            with pytest.raises(TargetError, match="lacks our schema; run: ledger-assets schema apply"):
                ask(empty)


_minutes = st.none() | st.sampled_from([-10, 10])


@given(frozen=st.booleans(), held=st.booleans(), lease_in=_minutes, until_in=_minutes)
def test_one_function_says_whether_it_holds(
    database: psycopg.Connection, frozen: bool, held: bool, lease_in: int | None, until_in: int | None
) -> None:
    row = database.execute(
        "select private.is_frozen(m) from (select (row(true, %s, 'r', 'w', now(), now() + make_interval(mins => %s), 1, "
        "now() + make_interval(mins => %s), %s, null)::migration.maintenance).*) m",
        (frozen, until_in, lease_in, held),
    ).fetchone()
    end = until_in if lease_in is None else lease_in
    expected = frozen and (held or end is None or end > 0)
    assert row == (expected,)


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """One connection for all examples: they write nothing."""
    cluster, template = request.getfixturevalue("cluster"), request.getfixturevalue("migrated_template")
    with ExitStack() as stack:
        yield stack.enter_context(psycopg.connect(cluster.url(template), autocommit=True))
