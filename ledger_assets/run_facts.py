"""From Dagster's instance to the plain facts that ``health``, ``scorecard`` and ``review`` judge.

What belongs here: reading runs, materialisations and check evaluations of one environment. What does not: judging them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

from ledger_assets.assets.keys import key
from ledger_assets.environment import Environment
from ledger_assets.health.facts import Checked, FailedRun, Rehearsed, RunFacts
from ledger_assets.lane import RAW

HOURS = 24
MOST = 1000
"""Runs looked at: the schedules of a day make some 150."""
ACCESS = "access"
MONTHS = ("dagster/partition", "dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
"""Dagster's own tags."""
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


def run_facts(
    instance: dg.DagsterInstance,
    environment: Environment,
    *,
    since: datetime | None = None,
    now: datetime | None = None,
) -> RunFacts:
    """What Dagster knows of the environment's runs ``since`` then (default: of the last day)."""
    start = since or (now or datetime.now(UTC)) - timedelta(hours=HOURS)
    records = instance.get_run_records(dg.RunsFilter(statuses=ENDED, created_after=start), limit=MOST)
    ours = [one for one in records if one.dagster_run.job_name.endswith(f"_{environment}")]
    done: dict[tuple[str | None, ...], datetime] = {}
    for one in ours:
        if one.dagster_run.is_success:
            what = _what(one.dagster_run)
            done[what] = max(one.create_timestamp, done.get(what, one.create_timestamp))
    failed = [
        FailedRun(
            one.dagster_run.run_id,
            one.dagster_run.job_name,
            one.create_timestamp,
            settled=one.create_timestamp < done.get(_what(one.dagster_run), one.create_timestamp),
        )
        for one in ours
        if not one.dagster_run.is_success
    ]
    return RunFacts(
        start,
        len(ours),
        tuple(sorted(failed, key=lambda one: one.at)),
        _rehearsal(instance, environment),
        _access(instance, environment),
    )


def _what(run: dg.DagsterRun) -> tuple[str | None, ...]:
    """What a run was to do: its job, and of which months."""
    return (run.job_name, *(run.tags.get(tag) for tag in MONTHS))


def _rehearsal(instance: dg.DagsterInstance, environment: Environment) -> Rehearsed | None:
    found = instance.fetch_materializations(key(environment, "operations", "rehearsal"), limit=1).records
    if not found or found[0].asset_materialization is None:
        return None
    told = {name: value.value for name, value in found[0].asset_materialization.metadata.items()}
    seconds, passed = told.get("seconds_to_recover"), told.get("passed")
    if not isinstance(seconds, int | float):
        return None
    at = datetime.fromtimestamp(found[0].timestamp, UTC)
    return Rehearsed(at, found[0].run_id, float(seconds), bool(passed))


def _access(instance: dg.DagsterInstance, environment: Environment) -> Checked | None:
    check = dg.AssetCheckKey(key(environment, "supabase", RAW), ACCESS)
    records = instance.event_log_storage.get_asset_check_execution_history(check, limit=5)
    for record in records:
        if record.event is None or record.event.dagster_event is None:
            continue  # planned, and not evaluated: its run died before
        passed = record.event.dagster_event.asset_check_evaluation_data.passed
        return Checked(datetime.fromtimestamp(record.event.timestamp, UTC), record.run_id, passed)
    return None
