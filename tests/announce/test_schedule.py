"""The schedule and its job, with Dagster's own contexts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.errors import ScheduleExecutionError

from ledger_assets.announce import announcing, status_page
from ledger_assets.announce.templates import Step
from ledger_assets.assets.announcements import build_announcement_jobs
from ledger_assets.environment import Environment
from ledger_assets.resources.postgres import PostgresResource
from ledger_assets.resources.run_lock import RunLock
from ledger_assets.schedules import build_schedules
from tests.announce.world import PEOPLE, START, World

PRODUCTION, STAGING = Environment.PRODUCTION, Environment.STAGING


@pytest.fixture
def lane(ours: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world's settings as this process's own."""
    for name, value in ours.environ.items():
        monkeypatch.setenv(name, value)
    return ours


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def schedule() -> dg.ScheduleDefinition:
    (found,) = (one for one in build_schedules(PRODUCTION) if one.name == "announce_production")
    return found


def tick(instance: dg.DagsterInstance, after: timedelta) -> dg.ScheduleExecutionData:
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=START + after)
    return schedule().evaluate_tick(context)


def test_staging_has_neither_schedule_nor_job() -> None:
    assert "announce_staging" not in {one.name for one in build_schedules(STAGING)}
    assert build_announcement_jobs(STAGING) == []


@pytest.mark.parametrize(
    ("database", "at", "status"),
    [("", "", "STOPPED"), ("", "x", "STOPPED"), ("x", "", "STOPPED"), ("x", "x", "RUNNING")],
)
def test_it_is_off_unless_a_window_is_set(
    database: str, at: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("MIGRATION_AT", at)
    assert schedule().default_status.name == status


def test_a_tick_asks_for_a_run_only_when_somebody_waits(lane: World, instance: dg.DagsterInstance) -> None:
    assert tick(instance, -timedelta(days=8)).skip_message == "nothing is due"
    asked = tick(instance, -timedelta(days=7)).run_requests or ()
    assert [one.tags["ledger/announcement"] for one in asked] == ["week_before"]
    announcing.announce(lane.production, Step.WEEK_BEFORE, now=START - timedelta(days=7))
    assert tick(instance, -timedelta(days=6)).skip_message == "everybody has week_before"


def test_a_tick_keeps_the_page_fresh_while_a_window_is_open(
    lane: World, instance: dg.DagsterInstance
) -> None:
    state, _ = status_page.current(lane.production)
    status_page.publish(lane.production, state.begun(START), now=START)
    tick(instance, timedelta(hours=1))
    assert "3:00 am Brisbane time (UTC+10). It is written anew" in (lane.public / "index.html").read_text()
    status_page.publish(lane.production, state.closed("done", START), now=START)
    tick(instance, timedelta(hours=2))
    assert "2:00 am Brisbane time (UTC+10). It does not change" in (lane.public / "index.html").read_text()


def test_wrong_settings_are_one_line_of_the_tick(
    lane: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANNOUNCE_RECIPIENTS", "")
    with pytest.raises(ScheduleExecutionError) as caught:
        tick(instance, -timedelta(days=7))
    cause = caught.value.__cause__
    assert isinstance(cause, dg.Failure)
    assert (cause.description or "").startswith("ANNOUNCE_RECIPIENTS is not set")


def run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    (job,) = build_announcement_jobs(PRODUCTION)
    resources = {"postgres": PostgresResource(environment="production"), "run_lock": RunLock()}
    return job.execute_in_process(instance=instance, resources=resources, raise_on_error=False)


def test_the_job_sends_what_is_due_and_nothing_else_and_says_when_nobody_was_reached(
    lane: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    monkeypatch.setenv("MIGRATION_AT", (now + timedelta(days=30)).isoformat())
    assert run(instance).success
    assert lane.got == []
    monkeypatch.setenv("MIGRATION_AT", (now + timedelta(days=3)).isoformat())
    assert (run(instance).success, run(instance).success) == (True, True)
    assert lane.got == list(PEOPLE)
    monkeypatch.setenv("MIGRATION_AT", (now + timedelta(hours=3)).isoformat())
    monkeypatch.setenv("BACKUP_SMTP_URL", "smtp://127.0.0.1:1?from=a@example.org")
    failed = run(instance)
    assert not failed.success
    (event,) = (one for one in failed.all_events if one.is_step_failure)
    assert "nobody was reached by day_before" in str(event.step_failure_data.error)
