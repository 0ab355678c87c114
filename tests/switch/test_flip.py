"""The flip: one transaction, one place, fenced."""

from __future__ import annotations

import psycopg
import pytest

from ledger_assets import events, freeze
from ledger_assets.errors import TargetError
from ledger_assets.load.connect import connect
from ledger_assets.switch import live, switch
from tests.freeze.world import lease, one, until, when_blocked

STATE = "select public.live_state()"


def flip(conn: psycopg.Connection, to: str, token: int | None = None) -> bool:
    return switch(conn, to, token=token, who="night watch", run_id="run-1").changed  # type: ignore[arg-type]  # one of both


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_every_role_of_the_app_reads_what_is_live_and_none_writes_it(
    conn: psycopg.Connection, role: str
) -> None:
    assert flip(conn, "supabase")
    with conn.transaction():
        conn.execute(f"set local role {role}".encode())
        row = conn.execute(STATE.encode()).fetchone()
    assert row is not None
    assert (row[0]["source"], row[0]["generation"]) == ("supabase", 1)
    assert set(row[0]) == {"source", "generation", "switched_at"}
    conn.execute(f"set local role {role}".encode())
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("update migration.live set source = 'airtable'")


def test_it_flips_and_flips_back_and_each_flip_has_its_generation_and_record(
    conn: psycopg.Connection,
) -> None:
    assert one(conn, STATE) == {"source": "airtable", "generation": 0, "switched_at": None}
    assert flip(conn, "supabase")
    assert not flip(conn, "supabase")
    assert flip(conn, "airtable")
    found = live(conn)
    assert (found.source, found.generation, found.who, found.run_id) == (
        "airtable",
        2,
        "night watch",
        "run-1",
    )
    assert [(e.outcome, e.detail["to"], e.detail["generation"]) for e in events.read(conn)] == [
        ("done", "supabase", 1),
        ("done", "airtable", 2),
    ]


def test_while_a_cut_over_holds_the_freeze_nobody_else_switches(conn: psycopg.Connection) -> None:
    token = lease(conn)
    with pytest.raises(TargetError, match=r"cut-over cut-1 since .* switches by itself"):
        flip(conn, "supabase")
    assert live(conn).source == "airtable"
    assert [e.outcome for e in events.read(conn, actions=["switch"])] == ["refused"]
    assert flip(conn, "supabase", token)


def test_what_is_live_already_is_no_switch_so_that_hooks_can_be_told_again_during_the_watch(
    conn: psycopg.Connection,
) -> None:
    assert flip(conn, "supabase", lease(conn))
    assert not flip(conn, "supabase")
    assert (live(conn).source, live(conn).generation) == ("supabase", 1)


def test_a_manual_freeze_does_not_stop_it(conn: psycopg.Connection) -> None:
    freeze.on(conn, reason="moving", who="somebody")
    assert flip(conn, "supabase")


@pytest.mark.parametrize(("before", "to"), [("airtable", "supabase"), ("supabase", "airtable")])
def test_a_token_that_is_no_longer_live_switches_nothing(
    conn: psycopg.Connection, before: str, to: str
) -> None:
    flip(conn, before)
    stalled = lease(conn, "cut-1", seconds=1)
    until(conn, "select not private.is_frozen(m) from migration.maintenance m")
    with pytest.raises(TargetError, match=f"token {stalled} ran out"):
        flip(conn, to, stalled)
    lease(conn, "cut-2")
    with pytest.raises(TargetError, match=f"token {stalled} is over"):
        flip(conn, to, stalled)
    assert live(conn).source == before


def test_a_switch_releases_what_its_load_held_and_the_lease_goes_on(conn: psycopg.Connection) -> None:
    token = lease(conn)
    with conn.transaction():
        freeze.hold(conn.cursor(), token)
    assert flip(conn, "supabase", token)
    assert freeze.state(conn).kind == "lease"
    assert not flip(conn, "supabase", token)
    assert freeze.thaw(conn, token, who="night watch")


def test_two_at_once_are_one_after_the_other(conn: psycopg.Connection, database_url: str) -> None:
    with connect(database_url, application_name="tests:other") as other:
        with connect(database_url, application_name="tests:blocker") as blocker:
            blocker.execute("select * from migration.live for update")
            work = when_blocked(blocker, other.info.backend_pid, lambda: flip(other, "supabase"))
            blocker.commit()
        work.join()
        assert not flip(conn, "supabase")
    assert live(conn).generation == 1
