"""When snapshots are asked for and people are told, with Dagster's own contexts, a real Postgres and a real webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ledger_assets import backups, connections, freeze, sensors
from ledger_assets.environment import Environment, read_settings
from ledger_assets.freeze.act import renew
from ledger_assets.resources.notifier import Notifier
from ledger_assets.schedules import build_schedules

ENV = Environment.STAGING


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_HOME", str(home))


def sensor(name: str) -> dg.SensorDefinition:
    (found,) = (one for one in sensors.build_sensors(ENV) if one.name == f"{name}_staging")
    return found


def tick(name: str, instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorExecutionData:
    """One evaluation, as the daemon makes it."""
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"notifier": Notifier(environment=ENV.value)}
    )
    return sensor(name).evaluate_tick(context)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def write_a_theme() -> None:
    with connections.database(read_settings(ENV), purpose="test") as connection:
        connection.execute(
            "insert into public.themes (id, name) values (gen_random_uuid(), gen_random_uuid()::text)"
        )
        connection.commit()
        # Counted when the session ends, or by this.
        connection.execute("select pg_stat_force_next_flush()")
        connection.commit()


def test_a_change_asks_for_one_snapshot_and_then_for_none_within_the_hour(
    settings: None, instance: dg.DagsterInstance
) -> None:
    write_a_theme()
    first = tick("backup_when_changed", instance)
    assert [request.run_config for request in first.run_requests or ()] == [
        {"ops": {"staging__snapshots__full": {"config": {"reason": "changed"}}}}
    ]
    assert tick("backup_when_changed", instance, first.cursor).run_requests == []
    write_a_theme()
    within = tick("backup_when_changed", instance, first.cursor)
    assert within.run_requests == []
    assert "at most one in 1 hours" in (within.skip_message or "")
    earlier = json.loads(first.cursor or "{}")
    earlier["at"] = (datetime.now(UTC) - timedelta(hours=1, seconds=1)).isoformat()
    assert len(tick("backup_when_changed", instance, json.dumps(earlier)).run_requests or ()) == 1


def test_a_freezes_heartbeat_is_no_change(settings: None) -> None:
    with connections.database(read_settings(ENV), purpose="test") as connection:
        flush = "select pg_stat_force_next_flush()"
        token = freeze.take_lease(
            connection, reason="moving", who="a tester", cutover="cut-1", planned_end=None, seconds=60
        )
        connection.execute(flush)
        connection.commit()
        before = backups.changes(read_settings(ENV))
        assert all(renew(connection, token, 60) for _ in range(3))
        connection.execute(flush)
        connection.commit()
        assert backups.changes(read_settings(ENV)) == before
        assert freeze.thaw(connection, token, who="a tester")
    write_a_theme()
    assert backups.changes(read_settings(ENV)) > before


def test_a_snapshot_that_failed_is_asked_for_again_although_nothing_was_written_since(
    settings: None, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "changes", lambda _settings: (1.0, 42))
    first = tick("backup_when_changed", instance)
    cursor = json.loads(first.cursor or "{}")
    assert [request.run_key for request in first.run_requests or ()] == [cursor["key"]]
    cursor["key"] = "changed:42:an hour ago"
    cursor["at"] = (datetime.now(UTC) - timedelta(hours=1, seconds=1)).isoformat()
    assert tick("backup_when_changed", instance, json.dumps(cursor)).run_requests == []
    instance.create_run_for_job(
        dg.GraphDefinition("backup_staging").to_job(),
        status=dg.DagsterRunStatus.FAILURE,
        tags={"dagster/run_key": cursor["key"]},
    )
    again = tick("backup_when_changed", instance, json.dumps(cursor))
    assert [request.run_key != cursor["key"] for request in again.run_requests or ()] == [True]
    assert tick("backup_when_changed", instance, first.cursor).run_requests == []  # within the hour it waits


def test_absence_is_told_once_and_not_every_half_hour(settings: None, instance: dg.DagsterInstance) -> None:
    first, second = tick("absence_of_snapshots", instance), tick("absence_of_snapshots", instance)
    assert "no fresh VERIFIED snapshot" in (first.skip_message or "")
    assert "newest verified: none" in (second.skip_message or "")


def test_failed_checks_are_told_also_those_that_stop_nothing(
    settings: None, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(Notifier, "send", lambda _self, message: told.append(" ".join(message.lines)))
    asset = dg.AssetKey(["staging", "snapshots", "full"])

    @dg.asset(
        key=asset,
        check_specs=[dg.AssetCheckSpec("three_way", asset=asset), dg.AssetCheckSpec("fine", asset=asset)],
    )
    def full():  # type: ignore[no-untyped-def]  # Dagster reads the annotation and wants one output each
        return dg.MaterializeResult(
            check_results=[
                dg.AssetCheckResult(
                    passed=False, check_name="three_way", severity=dg.AssetCheckSeverity.WARN
                ),
                dg.AssetCheckResult(passed=True, check_name="fine"),
            ]
        )

    begun = tick("failed_checks", instance)
    dg.materialize([full], instance=instance)
    after = tick("failed_checks", instance, begun.cursor)
    assert len(told) == 1
    assert "three_way of staging/snapshots/full" in told[0]
    assert "stops nothing" in told[0]
    assert tick("failed_checks", instance, after.cursor).skip_message == "0 failed checks told"
    assert len(told) == 1


def test_health_tells_by_itself_and_not_at_every_look(
    settings: None, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(Notifier, "send", lambda _self, message: told.append(" ".join(message.lines)))
    asset = dg.AssetKey(["staging", "operations", "health"])

    @dg.asset(key=asset, check_specs=[dg.AssetCheckSpec("nothing_bad", asset=asset)])
    def looked():  # type: ignore[no-untyped-def]  # Dagster reads the annotation and wants one output each
        return dg.MaterializeResult(
            check_results=[dg.AssetCheckResult(passed=False, check_name="nothing_bad")]
        )

    begun = tick("failed_checks", instance)
    dg.materialize([looked], instance=instance)
    assert tick("failed_checks", instance, begun.cursor).skip_message == "0 failed checks told"
    assert told == []


def test_a_failed_run_is_told_but_not_twice_where_the_snapshot_tells_itself(
    settings: None, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(Notifier, "send", lambda _self, message: told.append(" ".join(message.lines)))

    def failing(name: str) -> None:
        @dg.op(name=name)
        def step() -> None:
            raise RuntimeError("words of a person")

        @dg.job(name=f"job_of_{name}")
        def job() -> None:
            step()

        result = job.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            sensor_name="failed_runs_staging",
            dagster_event=next(e for e in result.all_events if e.is_job_failure),
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            resources={"notifier": Notifier(environment=ENV.value)},
        ).for_run_failure()
        sensor("failed_runs")(context)

    failing("load")
    failing("take_emergency")
    assert len(told) == 1
    assert "Step: load" in told[0]
    assert "words of a person" not in told[0]


def test_every_committed_load_asks_for_a_snapshot_of_its_own(
    settings: None, instance: dg.DagsterInstance
) -> None:
    asset = dg.AssetKey(["staging", "supabase", "raw_records"])

    @dg.asset(key=asset)
    def raw_records() -> None: ...

    keys = set()
    cursor = None
    for _ in range(2):
        dg.materialize([raw_records], instance=instance)
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        data = sensor("backup_after_migration").evaluate_tick(context)
        cursor = data.cursor
        keys |= {request.run_key for request in data.run_requests or ()}
    assert len(keys) == 2


def test_the_nights_order_is_snapshot_then_verification_then_retention() -> None:
    crons = {one.name: one.cron_schedule for one in build_schedules(ENV)}
    assert crons["nightly_backup_staging"] == "0 2 * * *"
    assert crons["nightly_verification_staging"] == "0 4 * * *"
    assert crons["nightly_retention_staging"] == "0 5 * * *"
    assert crons["quarter_hourly_health_staging"] == "*/15 * * * *"
    assert {one.execution_timezone for one in build_schedules(ENV)} == {"Australia/Brisbane"}
