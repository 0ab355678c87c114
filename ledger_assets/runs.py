"""Runs started by a command, as the web UI would have started them; and runs whose process died.

``execute_in_process`` and ``execute_job`` leave runs that the UI cannot re-execute (HTTP 500, measured), so a command
creates its run with the code location as its origin and executes it in its own process: 0.9 s, no daemon. The only
module with Dagster's private names; ``tests/lane`` re-executes such a run from its failure.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from ledger_assets.assets.faults import EXIT_CODE
from ledger_assets.environment import Environment
from ledger_assets.errors import CheckFailed
from ledger_assets.resources.run_lock import LOCK_SPACE, hold_run_lock, lock_key, storage_url

MODULE = "ledger_assets.definitions"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""A command prints its own lines; every event is in the web UI all the same."""

COMMAND_TAG = "ledger/started_by"
LONGEST = 300
"""Characters of a failed check's facts in a command's line; a person must be able to read it."""

INTERRUPTED = "DagsterExecutionInterruptedError"
"""What Dagster raises in a step on SIGTERM and Ctrl-C."""

GRACE_SECONDS = 60.0
"""A run of the UI takes its lock with its first step: younger ones without a lock may still be on their way."""


def run_job(
    instance: dg.DagsterInstance,
    environment: Environment,
    job: str,
    *,
    run_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.DagsterRun:
    """Create a run of ``<job>_<environment>`` and execute it here. Returns the run as it ended."""
    name = f"{job}_{environment}"
    folder = str(Path.cwd())
    repository = ReconstructableRepository.for_module(MODULE, environment.value, working_directory=folder)
    recon = repository.get_reconstructable_job(name)
    definition = recon.get_definition()
    run = instance.create_run_for_job(
        definition,
        run_config={**QUIET, **(run_config or {})},
        tags={
            **definition.run_tags,
            COMMAND_TAG: "command",
            ".dagster/repository": f"__repository__@{environment}",
            **(tags or {}),
        },
        asset_selection=frozenset(definition.asset_layer.selected_asset_keys) or None,
        remote_job_origin=_origin(environment, name, folder),
        job_code_origin=recon.get_python_origin(),
        repository_load_data=recon.repository.get_definition().repository_load_data,
    )
    with hold_run_lock(run.run_id):
        execute_run(recon, run, instance, raise_on_error=False)
    ended = instance.get_run_by_id(run.run_id)
    assert ended is not None
    return ended


def _origin(environment: Environment, job: str, folder: str) -> RemoteJobOrigin:
    location = ManagedGrpcPythonEnvCodeLocationOrigin(
        loadable_target_origin=LoadableTargetOrigin(
            module_name=MODULE,
            attribute=environment.value,
            working_directory=folder,
            executable_path=sys.executable,
        ),
        location_name=environment.value,
    )
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job)


def report_lost_runs(instance: dg.DagsterInstance) -> list[str]:
    """Report every STARTED run whose process is gone as failed; the ids of those reported."""
    url = storage_url()
    if url is None:
        return []
    records = instance.get_run_records(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING])
    )
    lost = []
    with psycopg.connect(url, autocommit=True, application_name="ledger:lost-runs") as connection:
        for record in records:
            run = record.dagster_run
            by_command = run.tags.get(COMMAND_TAG) == "command"
            young = time.time() - (record.start_time or time.time()) < GRACE_SECONDS
            if (young and not by_command) or not _lock_is_free(connection, run.run_id):
                continue
            instance.report_run_failed(
                run, "the process of this run was killed: re-execute it from its failure"
            )
            lost.append(run.run_id)
    return lost


def _lock_is_free(connection: psycopg.Connection, run_id: str) -> bool:
    key = lock_key(run_id)
    row = connection.execute("select pg_try_advisory_lock(%s, %s)", (LOCK_SPACE, key)).fetchone()
    if row is None or not row[0]:
        return False
    connection.execute("select pg_advisory_unlock(%s, %s)", (LOCK_SPACE, key))
    return True


def failures(instance: dg.DagsterInstance, run_id: str) -> list[tuple[str, int]]:
    """Why the run failed: one line and exit code each, the failed checks first."""
    lines: list[tuple[str, int]] = []
    checks = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    for record in checks:
        event = record.event_log_entry.dagster_event
        assert event is not None
        evaluation = event.asset_check_evaluation_data
        if not evaluation.passed:
            asset = "/".join(evaluation.asset_key.path)
            facts = ", ".join(
                f"{k}: {v.value}" for k, v in evaluation.metadata.items() if v.value not in (0, [], None)
            )
            shown = facts if len(facts) <= LONGEST else f"{facts[:LONGEST]} ... (all of it in the web UI)"
            lines.append((f"check {evaluation.check_name} of {asset} failed: {shown}", 1))
    steps = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    for record in steps:
        event = record.event_log_entry.dagster_event
        assert event is not None
        data = event.step_failure_data
        if data.user_failure_data is not None:
            code = data.user_failure_data.metadata.get(EXIT_CODE)
            failed_check = code is not None and code.value == CheckFailed.exit_code
            lines.append((data.user_failure_data.description or "the step failed", 1 if failed_check else 2))
        elif data.error is not None and data.error.cls_name == INTERRUPTED:
            lines.append(("the run was stopped; nothing is half there: run it again", 2))
        elif not lines:
            lines.append(
                (f"step {event.step_key} failed: {data.error.cls_name if data.error else 'unknown'}", 2)
            )
    return lines
