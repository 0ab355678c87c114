"""Op jobs of one environment: what is no asset, because "Materialize all" must never do it.

What belongs here: taking emergency and baseline snapshots, removing old ones, recording expired consents, placing files.
What does not: the work (``backups``, ``load``).
"""

import dagster as dg

from ledger_assets.assets.faults import one_line_failures
from ledger_assets.assets.health import build_health_job
from ledger_assets.assets.keys import key
from ledger_assets.checks import snapshots as checks
from ledger_assets.environment import Environment, read_settings
from ledger_assets.resources.notifier import Notifier
from ledger_assets.resources.object_store import ObjectStoreResource
from ledger_assets.resources.postgres import PostgresResource
from ledger_assets.resources.run_lock import RunLock

BY_JOB = ("emergency", "baseline")
"""Kinds of snapshots that no asset is of."""


class TakeConfig(dg.Config):
    """Why it is taken."""

    reason: str = "by hand"


class PruneConfig(dg.Config):
    """Nothing is removed unless it is asked for."""

    apply: bool = False


class RehearseConfig(dg.Config):
    """``fresh``: from a snapshot taken now, so that taking one is timed too."""

    fresh: bool = False


def build_op_jobs(environment: Environment) -> list[dg.JobDefinition]:
    """All of them."""
    return [
        *(_take(environment, kind) for kind in BY_JOB),
        _prune(environment),
        _rehearse(environment),
        _consent_expiries(environment),
        _place_media(environment),
        build_health_job(environment),
    ]


def _take(environment: Environment, kind: str) -> dg.JobDefinition:
    asset = key(environment, "snapshots", kind)

    @dg.op(name=f"take_{kind}")
    def take(
        context: dg.OpExecutionContext,
        config: TakeConfig,
        objects: ObjectStoreResource,
        notifier: Notifier,
        run_lock: RunLock,
    ) -> None:
        from ledger_assets import backups

        with one_line_failures(environment):
            settings = read_settings(environment)
            taken = backups.take(
                settings,
                objects.open(),
                kind=kind,  # type: ignore[arg-type]  # one of BY_JOB
                reason=config.reason,
                run_id=context.run_id,
                tell=notifier.send,
            )
        told = checks.told(taken)
        context.log_event(
            dg.AssetMaterialization(asset, metadata=told, tags={"dagster/data_version": taken.snapshot.id})
        )
        if taken.problems:
            raise checks.not_restored(taken)

    @dg.job(name=f"backup_{kind}_{environment}", description=f"Take a snapshot of kind {kind} and verify it.")
    def job() -> None:
        take()

    return job


def _prune(environment: Environment) -> dg.JobDefinition:
    @dg.op(name="prune")
    def prune(
        context: dg.OpExecutionContext, config: PruneConfig, notifier: Notifier, run_lock: RunLock
    ) -> None:
        from datetime import UTC, datetime

        from ledger_assets import backups
        from ledger_assets.backup import messages

        with one_line_failures(environment):
            decision, unfinished = backups.prune(read_settings(environment), apply=config.apply)
        context.add_output_metadata(
            {"kept": len(decision.keep), "removed" if config.apply else "would_remove": list(decision.expire),
             "unfinished": unfinished, "refused": decision.refused or "no"}
        )  # fmt: skip
        if decision.refused is not None:
            notifier.send(messages.retention_refused(environment, decision, at=datetime.now(UTC)))

    @dg.job(
        name=f"prune_{environment}",
        description="Remove the snapshots that retention lets go (config apply: true).",
    )
    def job() -> None:
        prune()

    return job


def _rehearse(environment: Environment) -> dg.JobDefinition:
    asset = key(environment, "operations", "rehearsal")

    @dg.op(name="rehearse")
    def rehearse(context: dg.OpExecutionContext, config: RehearseConfig, run_lock: RunLock) -> None:
        from ledger_assets import recoveries

        with one_line_failures(environment):
            found = recoveries.rehearse(read_settings(environment), fresh=config.fresh)
        context.log_event(dg.AssetMaterialization(asset, metadata=checks.rehearsed(found)))
        if not found.passed:
            raise checks.not_recovered(found)

    @dg.job(
        name=f"rehearse_{environment}",
        description="Recover from a made-up disaster in scratch: how long it takes, and whether everything came back.",
    )
    def job() -> None:
        rehearse()

    return job


def _consent_expiries(environment: Environment) -> dg.JobDefinition:
    @dg.op(name="record_expiries")
    def record_expiries(
        context: dg.OpExecutionContext, postgres: PostgresResource, run_lock: RunLock
    ) -> None:
        from ledger_assets.load import visibility

        with one_line_failures(environment), postgres.connect(context.run_id) as connection:
            recorded = visibility.record_now(connection, run_id=context.run_id)
        context.add_output_metadata({"recorded": recorded})

    @dg.job(
        name=f"consent_expiries_{environment}",
        description="Record the consents whose end date has come. Stories close by themselves, to the second.",
    )
    def job() -> None:
        record_expiries()

    return job


def _place_media(environment: Environment) -> dg.JobDefinition:
    @dg.op(name="place_media")
    def place_media(
        context: dg.OpExecutionContext,
        objects: ObjectStoreResource,
        postgres: PostgresResource,
        run_lock: RunLock,
    ) -> None:
        from ledger_assets import people
        from ledger_assets.errors import CheckFailed

        with one_line_failures(environment):
            settings, store = read_settings(environment), objects.open()
            with postgres.connect(context.run_id) as connection:
                placed = people.place_media(settings, connection, store, run_id=context.run_id)
            context.add_output_metadata({name: str(value) for name, value in placed.detail().items()})
            if placed.problems:
                count = sum(map(len, placed.problems.values()))
                raise CheckFailed(
                    f"{count} files could not be placed: ledger-assets media {environment} place"
                )

    @dg.job(
        name=f"place_media_{environment}",
        description="Put files where the app serves them; what its people closed since leaves the public store.",
    )
    def job() -> None:
        place_media()

    return job
