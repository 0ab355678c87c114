"""The first step where the freeze cannot be had: nothing of it stays."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from ledger_assets import freeze
from ledger_assets.cutover import begin, state
from ledger_assets.errors import TargetError


def test_a_freeze_that_cannot_be_had_ends_the_cut_over_and_says_why(conn: psycopg.Connection) -> None:
    cutover_id = str(uuid.uuid4())
    end = datetime.now(UTC) + timedelta(hours=1)
    state.begin(conn, cutover_id, who="a tester", planned_end=end, watch_minutes=0)
    state.step_begun(conn, cutover_id, "freeze", cutover_id)
    freeze.on(conn, reason="between the gate and the lease", who="the owner")
    found = state.by_id(conn, cutover_id)
    assert found is not None
    with pytest.raises(TargetError, match="the manual freeze of the owner"):
        begin._lease(conn, found)
    ended = state.by_id(conn, cutover_id)
    assert ended is not None
    assert ended.state == "abandoned"
    assert "the manual freeze of the owner" in (ended.why or "")
    assert [(one.name, one.outcome) for one in state.steps(conn, cutover_id)] == [("freeze", "failed")]
