"""Sensors of one environment: lost runs, and the snapshots that somebody's work makes due, or that do not come.

What belongs here: when something is asked for or told. What does not: the doing (jobs), the words (``backup.messages``).

The sensors of snapshots run by themselves as soon as the environment's real database is set (see ``schedules``).
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from ledger_assets.assets.faults import one_line_failures
from ledger_assets.assets.keys import key
from ledger_assets.assets.snapshots import STAGE
from ledger_assets.environment import Environment, read_settings
from ledger_assets.jobs import SYNC_CONFIG
from ledger_assets.lane import RAW
from ledger_assets.resources.notifier import Notifier
from ledger_assets.schedules import automatic, full_config

INTERVAL_SECONDS = 30
CHANGES_SECONDS = 300
ABSENCE_SECONDS = 1800
PAGE_SECONDS = 60  # as long as the freeze of a cut-over that was killed lasts
HEALTH = ["operations", "health"]
"""Tells by itself, and only when what is bad changes: it looks every quarter of an hour."""
TOLD_AT_ONCE = 50
"""Check evaluations looked at in one tick: a tick that takes longer than its time is lost whole."""
RUN_KEY = "dagster/run_key"
"""Dagster's own tag of a run that a sensor asked for."""


def build_sensors(environment: Environment) -> list[dg.SensorDefinition]:
    """All of them."""
    return [
        _lost_runs(environment),
        _after_migration(environment),
        _when_changed(environment),
        _absence(environment),
        _failed_runs(environment),
        _failed_checks(environment),
        _outbox(environment),
        _airtable_changes(environment),
        *([_status_page(environment)] if environment is Environment.PRODUCTION else []),
    ]


def _status(environment: Environment) -> dg.DefaultSensorStatus:
    return dg.DefaultSensorStatus.RUNNING if automatic(environment) else dg.DefaultSensorStatus.STOPPED


def _lost_runs(environment: Environment) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"lost_runs_{environment}",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        jobs=[],
        description="Reports runs whose process was killed as failed: Dagster would leave them STARTED for ever.",
    )
    def lost_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        from ledger_assets.runs import report_lost_runs

        lost = report_lost_runs(context.instance)
        return dg.SkipReason(f"reported as failed: {', '.join(lost)}" if lost else "no run lost its process")

    return lost_runs


def _after_migration(environment: Environment) -> dg.SensorDefinition:
    @dg.asset_sensor(
        asset_key=key(environment, "supabase", RAW),
        name=f"backup_after_migration_{environment}",
        job_name=f"backup_{environment}",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=_status(environment),
        description="Takes a full snapshot after every load that was committed.",
    )
    def backup_after_migration(
        context: dg.SensorEvaluationContext, asset_event: dg.EventLogEntry
    ) -> dg.RunRequest:
        return dg.RunRequest(
            run_key=f"load:{asset_event.run_id}", run_config=full_config(environment, "after a migration")
        )

    return backup_after_migration


def _when_changed(environment: Environment) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"backup_when_changed_{environment}",
        job_name=f"backup_{environment}",
        minimum_interval_seconds=CHANGES_SECONDS,
        default_status=_status(environment),
        description="Takes a full snapshot when the database has changed, at most one in BACKUP_CHANGED_HOURS.",
    )
    def backup_when_changed(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from ledger_assets import backups

        with one_line_failures(environment):
            hours, counter = backups.changes(read_settings(environment))
        cursor = json.loads(context.cursor or "{}")
        now = datetime.now(UTC)
        failed = _failed(context.instance, cursor.get("key"))
        if cursor.get("counter") == counter and not failed:
            return dg.SkipReason("nothing was written since the last snapshot of this kind")
        last = cursor.get("at")
        if last is not None and now - datetime.fromisoformat(last) < timedelta(hours=hours):
            return dg.SkipReason(f"the last one is of {last}; at most one in {hours:g} hours")
        at = now.isoformat(timespec="seconds")
        # Its time too: of two requests with one key Dagster drops the second, and a failed one must be asked for again.
        run_key = f"changed:{counter}:{at}"
        context.update_cursor(json.dumps({"counter": counter, "at": at, "key": run_key}))
        return dg.RunRequest(run_key=run_key, run_config=full_config(environment, backups.CHANGED))

    return backup_when_changed


def _failed(instance: dg.DagsterInstance, run_key: str | None) -> bool:
    """Did the run that was asked for by this key end without a snapshot?"""
    if run_key is None:
        return False
    runs = instance.get_runs(dg.RunsFilter(tags={RUN_KEY: run_key}), limit=1)
    return bool(runs) and runs[0].status in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def _absence(environment: Environment) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"absence_of_snapshots_{environment}",
        minimum_interval_seconds=ABSENCE_SECONDS,
        default_status=_status(environment),
        jobs=[],
        description="Tells people when there is no fresh verified snapshot, whatever the reason: the alert on silence.",
    )
    def absence_of_snapshots(context: dg.SensorEvaluationContext, notifier: Notifier) -> dg.SkipReason:
        from ledger_assets import backups
        from ledger_assets.errors import LedgerError

        try:
            newest = backups.newest_verified_at(read_settings(environment))
        except LedgerError:
            newest = None  # a bucket that cannot be read has no snapshot for anybody who needs one
        told = notifier.watch(newest)
        return dg.SkipReason(told.title if told is not None else f"newest verified: {newest or 'none'}")

    return absence_of_snapshots


def _failed_runs(environment: Environment) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name=f"failed_runs_{environment}",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=_status(environment),
        description="Tells people of every run that failed. Snapshots tell of their own failures.",
    )
    def failed_runs(context: dg.RunFailureSensorContext, notifier: Notifier) -> None:
        from ledger_assets.backup import messages

        steps = [event.step_key for event in context.get_step_failure_events() if event.step_key is not None]
        if any(_tells_itself(step) for step in steps):
            return
        run = context.dagster_run
        notifier.send(
            messages.run_failed(
                environment,
                run.job_name,
                run.run_id,
                step=steps[0] if steps else None,
                error=None,
                at=datetime.now(UTC),
            )
        )

    return failed_runs


def _tells_itself(step: str) -> bool:
    return f"__{STAGE}__" in step or step.startswith("take_")


def _failed_checks(environment: Environment) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"failed_checks_{environment}",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=_status(environment),
        jobs=[],
        description="Tells people of every check that failed, those that stop nothing too.",
    )
    def failed_checks(context: dg.SensorEvaluationContext, notifier: Notifier) -> dg.SkipReason:
        from ledger_assets.backup import messages

        failed = 0
        for entry, evaluation in _evaluations(context):
            asset = evaluation.asset_key.path
            if not evaluation.passed and asset[0] == environment.value and asset[1:] != HEALTH:
                blocking = evaluation.severity is dg.AssetCheckSeverity.ERROR
                name = "/".join(asset)
                at = datetime.now(UTC)
                notifier.send(
                    messages.check_failed(
                        environment, name, evaluation.check_name, entry.run_id, blocking=blocking, at=at
                    )
                )
                failed += 1
        return dg.SkipReason(f"{failed} failed checks told")

    return failed_checks


def _evaluations(
    context: dg.SensorEvaluationContext,
) -> Iterator[tuple[dg.EventLogEntry, dg.AssetCheckEvaluation]]:
    """What was evaluated since the last tick, oldest first; the first tick begins with now."""
    records = context.instance.get_event_records(
        dg.EventRecordsFilter(
            event_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION,
            after_cursor=None if context.cursor is None else int(context.cursor),
        ),
        limit=TOLD_AT_ONCE if context.cursor is not None else 1,
        ascending=context.cursor is not None,
    )
    if context.cursor is None:
        context.update_cursor(str(records[0].storage_id if records else 0))
        return
    for record in records:
        event = record.event_log_entry.dagster_event
        assert event is not None
        data = event.event_specific_data
        assert isinstance(data, dg.AssetCheckEvaluation)
        yield record.event_log_entry, data
        # After it was told: a tick that dies tells it again, and loses none.
        context.update_cursor(str(record.storage_id))


def _status_page(environment: Environment) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"status_page_{environment}",
        minimum_interval_seconds=PAGE_SECONDS,
        default_status=_status(environment),
        jobs=[],
        description="Keeps the public status page true while a window is open: a cut-over that was killed cannot.",
    )
    def status_page() -> dg.SkipReason:
        from ledger_assets.cutover import outside

        with one_line_failures(environment):
            done = outside.refresh(read_settings(environment), datetime.now(UTC))
        return dg.SkipReason(done or "no window is open")

    return status_page


def _outbox(environment: Environment) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"outbox_{environment}",
        minimum_interval_seconds=CHANGES_SECONDS,
        default_status=_status(environment),
        jobs=[],
        description="Sends the messages that could not be delivered before.",
    )
    def outbox(context: dg.SensorEvaluationContext, notifier: Notifier) -> dg.SkipReason:
        delivered = notifier.deliver()
        return dg.SkipReason(f"{delivered.sent} sent, {delivered.waiting} waiting")

    return outbox


def _airtable_changes(environment: Environment) -> dg.SensorDefinition:
    production = environment is Environment.PRODUCTION

    @dg.sensor(
        name=f"airtable_changes_{environment}",
        # Nobody confirms a load of production at night: there the export alone is brought up to date.
        job_name=f"{'export' if production else 'sync'}_{environment}",
        minimum_interval_seconds=CHANGES_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Brings over what people changed in Airtable, some minutes after they did. Off by default.",
    )
    def airtable_changes(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from ledger_assets import lane_sync
        from ledger_assets.errors import LedgerError, named

        try:
            found = lane_sync.changes(read_settings(environment))
        except LedgerError as error:
            return dg.SkipReason(named(str(error), environment))
        if found.lost is not None:
            seen, why = f"lost:{found.export_id}", found.lost
        elif found.any and found.cursor is not None:
            seen = f"{found.cursor.webhook}:{found.cursor.position}"
            why = f"{found.records} records changed"
        else:
            return dg.SkipReason("nothing changed since the last export")
        if context.cursor == seen:
            return dg.SkipReason(f"asked for already: {why}")
        context.update_cursor(seen)
        return dg.RunRequest(run_key=seen, run_config=SYNC_CONFIG)

    return airtable_changes
