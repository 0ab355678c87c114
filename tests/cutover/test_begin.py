"""Before the load: a freeze that cannot be had, and a step that fails, leave nothing, and say so."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from ledger_assets import freeze
from ledger_assets.cutover import attempts, begin, state
from ledger_assets.cutover.night import Night, step
from ledger_assets.environment import Environment, read_settings
from ledger_assets.errors import CheckFailed, TargetError
from ledger_assets.storage import ObjectStore


def begun(conn: psycopg.Connection) -> str:
    cutover_id = str(uuid.uuid4())
    end = datetime.now(UTC) + timedelta(hours=1)
    state.begin(conn, cutover_id, who="a tester", planned_end=end, watch_minutes=0)
    state.join(conn, cutover_id, cutover_id)
    return cutover_id


def frozen(conn: psycopg.Connection) -> tuple[str, int]:
    cutover_id = begun(conn)
    token = freeze.take_lease(conn, reason="a test", who="a tester", cutover=cutover_id, planned_end=None)
    state.note(conn, cutover_id, token=token)
    return cutover_id, token


def night_of(cutover_id: str, database_url: str, store: ObjectStore, folder: Path) -> Night:
    settings = read_settings(Environment.STAGING, {"LEDGER_HOME": str(folder / "home")})
    return Night(replace(settings, database_url=database_url), store, cutover_id, cutover_id)


def test_a_freeze_that_cannot_be_had_ends_the_cut_over_and_says_why(conn: psycopg.Connection) -> None:
    cutover_id = begun(conn)
    attempts.begun(conn, cutover_id, "freeze", cutover_id)
    freeze.on(conn, reason="between the gate and the lease", who="the owner")
    found = state.by_id(conn, cutover_id)
    assert found is not None
    with pytest.raises(TargetError, match="the manual freeze of the owner"):
        begin._lease(conn, found)
    ended = state.by_id(conn, cutover_id)
    assert ended is not None
    assert ended.state == "abandoned"
    assert "the manual freeze of the owner" in (ended.why or "")
    assert [(one.name, one.outcome) for one in attempts.steps(conn, cutover_id)] == [("freeze", "failed")]


def test_a_step_that_fails_before_the_load_says_that_writing_opens(
    conn: psycopg.Connection, database_url: str, store: ObjectStore, tmp_path: Path
) -> None:
    cutover_id, _ = frozen(conn)
    night = night_of(cutover_id, database_url, store, tmp_path)
    with (
        pytest.raises(
            CheckFailed, match=r"^sync: a field is new\. Nothing was loaded; writing opens by itself"
        ),
        step(night, "sync"),
    ):
        raise CheckFailed("a field is new")
    assert [(one.name, one.outcome) for one in attempts.steps(conn, cutover_id)] == [("sync", "failed")]


def test_a_loaded_one_whose_freeze_was_ended_by_force_is_no_new_night_and_only_goes_back(
    conn: psycopg.Connection, database_url: str, store: ObjectStore, tmp_path: Path
) -> None:
    cutover_id, token = frozen(conn)
    with conn.transaction():
        freeze.hold(conn.cursor(), token)
        conn.execute(
            "insert into migration.loads (run_id, environment, export_id, started_at, committed_at) "
            "values (%s, 'staging', 'e', now(), now())",
            (cutover_id,),
        )
    freeze.off(conn, who="somebody in a hurry", force=True)
    found = state.unfinished(conn)
    assert found is not None
    assert state.phase(conn, found) == "forced"
    night = night_of(cutover_id, database_url, store, tmp_path)
    with pytest.raises(TargetError, match=r"take it back first: .*cutover staging --back"):
        begin._go_on(night, conn, found, begin.Wish("", True, "a tester"), lambda _: False)
    assert state.unfinished(conn) == found


def test_no_attempt_at_a_step_is_forgotten(conn: psycopg.Connection) -> None:
    cutover_id = begun(conn)
    assert attempts.begun(conn, cutover_id, "sync", "killed") is None
    last = attempts.begun(conn, cutover_id, "sync", "failing")
    assert last is not None
    assert (last.run_id, last.outcome) == ("killed", None)
    attempts.ended(conn, cutover_id, "sync", "failed", {"why": "no answer"})
    attempts.begun(conn, cutover_id, "sync", "doing")
    attempts.ended(conn, cutover_id, "sync", "done", {"export": "e1"})
    (done,) = attempts.steps(conn, cutover_id)
    told = [("killed", None, {}), ("failing", "failed", {"why": "no answer"})]
    assert [(one.run_id, one.outcome, one.facts) for one in done.before] == told

    attempts.begun(conn, cutover_id, "sync", "finding")
    assert attempts.found_done(conn, cutover_id, "sync")
    (kept,) = attempts.steps(conn, cutover_id)
    assert kept == done, "the times of the run that did it"

    attempts.begun(conn, cutover_id, "load", "killed")
    attempts.begun(conn, cutover_id, "load", "finding")
    assert not attempts.found_done(conn, cutover_id, "load"), "nobody has said that it was done"
