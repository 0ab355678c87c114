"""What is said of the end is what the database says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from ledger_assets import freeze, switch
from ledger_assets.announce.state import State
from ledger_assets.announce.templates import Step
from ledger_assets.announce.truth import as_it_is, assert_true
from ledger_assets.cutover import state
from ledger_assets.errors import TargetError


def test_done_and_rolled_back_follow_the_switch_and_wait_for_the_cut_over_s_end(
    conn: psycopg.Connection,
) -> None:
    for step in set(Step) - {Step.DONE}:
        assert_true(conn, step)
    with pytest.raises(TargetError, match="done: the app reads from airtable"):
        assert_true(conn, Step.DONE)
    switch.switch(conn, "supabase", token=None, who="a tester", run_id=None)
    assert_true(conn, Step.DONE)
    with pytest.raises(TargetError, match="rolled_back: the app reads from supabase"):
        assert_true(conn, Step.ROLLED_BACK)
    state.begin(conn, "cut-1", who="a tester", planned_end=datetime.now(UTC), watch_minutes=0)
    with pytest.raises(TargetError, match="done: cut-over cut-1 has not ended"):
        assert_true(conn, Step.DONE)
    assert_true(conn, Step.HOURLY)


def opened(conn: psycopg.Connection) -> tuple[State, int]:
    """A cut-over whose sync is under way, as the page has it; and the token of its freeze."""
    now = datetime.now(UTC)
    state.begin(conn, "cut-1", who="a tester", planned_end=now, watch_minutes=0)
    found = state.latest(conn)
    assert found is not None
    token = freeze.take_lease(conn, reason="x", who="a tester", cutover="cut-1", planned_end=now)
    return State().begun(found.began_at).step("freeze", "done", now).step("sync", "running", now), token


def named(shown: State) -> dict[str, str]:
    return {one.name: one.state for one in shown.steps if one.state != "planned"}


def test_the_page_of_a_cut_over_that_goes_on_is_left_as_it_is(conn: psycopg.Connection) -> None:
    shown, _ = opened(conn)
    assert as_it_is(conn, shown) == shown
    assert as_it_is(conn, State()) == State()


def test_once_the_lease_has_run_out_writing_works_and_the_step_that_ran_did_not_work(
    conn: psycopg.Connection,
) -> None:
    shown, _ = opened(conn)
    conn.execute("update migration.maintenance set lease_until = clock_timestamp() - interval '1 second'")
    true = as_it_is(conn, shown)
    assert (true.phase, true.writing, named(true)) == ("open", True, {"freeze": "done", "sync": "failed"})
    between = as_it_is(conn, shown.step("sync", "done", datetime.now(UTC)))
    assert named(between) == {"freeze": "done", "sync": "done", "checkpoint": "failed"}


def test_a_loaded_cut_over_that_nobody_goes_on_with_is_held_up_and_writing_is_paused(
    conn: psycopg.Connection,
) -> None:
    shown, token = opened(conn)
    with conn.transaction():
        freeze.hold(conn.cursor(), token)
    conn.execute("update migration.maintenance set lease_until = clock_timestamp() - interval '1 second'")
    true = as_it_is(conn, shown)
    assert (true.writing, named(true)["sync"]) == (False, "failed")


def test_a_page_that_missed_the_end_of_its_cut_over_is_closed(conn: psycopg.Connection) -> None:
    shown, token = opened(conn)
    freeze.thaw(conn, token, who="a tester")
    state.end(conn, "cut-1", "done")
    ended = as_it_is(conn, shown)
    assert (ended.phase, ended.writing) == ("done", True)
    conn.execute("update migration.cutovers set state = 'returned'")
    assert as_it_is(conn, shown).phase == "rolled_back"


def test_a_window_opened_by_hand_says_of_writing_what_the_freeze_says(conn: psycopg.Connection) -> None:
    by_hand = State().begun(datetime.now(UTC) - timedelta(hours=1))
    assert (as_it_is(conn, by_hand).writing, named(as_it_is(conn, by_hand))) == (True, {})
    opened(conn)
    assert as_it_is(conn, by_hand).writing is False
