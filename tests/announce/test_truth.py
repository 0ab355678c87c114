"""What is said of the end is what the database says."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from ledger_assets import switch
from ledger_assets.announce.templates import Step
from ledger_assets.announce.truth import assert_true
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
