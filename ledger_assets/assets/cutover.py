"""The cut-over of one environment as an op job: ten ops in a row, each seen in the UI.

An op job and no assets: "Materialize all" must never freeze or switch anything. Each op logs what it did to the lane's own
assets, as their jobs would. Thin: the work is ``cutover``.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from ledger_assets.assets import cutover_events as told
from ledger_assets.assets.faults import one_line_failures
from ledger_assets.assets.keys import key
from ledger_assets.checks import proof as proof_checks
from ledger_assets.checks import relationships
from ledger_assets.checks import snapshots as snapshot_checks
from ledger_assets.environment import Environment, read_settings
from ledger_assets.lane import RAW as RAW_RECORDS
from ledger_assets.moment import utc
from ledger_assets.resources.notifier import Notifier
from ledger_assets.resources.object_store import ObjectStoreResource
from ledger_assets.resources.run_lock import RunLock
from ledger_assets.tables.fields import TableSpec

if TYPE_CHECKING:
    from ledger_assets.cutover.fetch import Fetched
    from ledger_assets.cutover.night import Night

HOURS, WATCH_MINUTES = 5.0, 120.0
"""The roadmap's: 2 AM to 7 AM, watched from 5 AM on."""
Specs = Sequence[TableSpec]
AFTER = {"after": dg.In(dg.Nothing)}


class CutoverConfig(dg.Config):
    """Given once, to the first op."""

    confirm: str = ""
    """Production: the target database's own name."""
    base_is_read_only: bool = False
    """The owner has made the base read-only in Airtable."""
    who: str = "the web UI"
    hours: float = HOURS
    watch_minutes: float = WATCH_MINUTES


class LoadConfirmed(dg.Config):
    """The load asks for the name once more: the UI can re-execute it alone."""

    confirm: str = ""


def build_cutover_job(environment: Environment, specs: Specs) -> dg.JobDefinition:
    """``cutover_<env>``."""
    proof_key = key(environment, "proof", "reconciliation")
    raw_key = key(environment, "supabase", RAW_RECORDS)

    @dg.op(name="freeze", out=dg.Out(dg.Nothing))
    def freeze(
        context: dg.OpExecutionContext,
        config: CutoverConfig,
        objects: ObjectStoreResource,
        notifier: Notifier,
        run_lock: RunLock,
    ) -> None:
        from ledger_assets.cutover.begin import Wish, freeze_writes

        with one_line_failures(environment):
            begun = freeze_writes(
                _night(environment, context, objects, notifier),
                Wish(
                    config.confirm, config.base_is_read_only, config.who, config.hours, config.watch_minutes
                ),
                told.staging_proof(context.instance),
                told.lives(context),
            )
        _observe(
            context,
            environment,
            "write_freeze",
            {"cutover": begun.id, "token": begun.token or 0, "until": utc(begun.planned_end)},
        )

    @dg.op(name="load_finally", ins=AFTER, out=dg.Out(dg.Nothing))
    def load(
        context: dg.OpExecutionContext,
        config: LoadConfirmed,
        objects: ObjectStoreResource,
        notifier: Notifier,
        run_lock: RunLock,
    ) -> None:
        from ledger_assets.cutover import steps

        with one_line_failures(environment):
            loaded = steps.load(_night(environment, context, objects, notifier), specs, config.confirm)
        if loaded is not None:
            told.log_loaded(context, environment, specs, *loaded)

    def sync(context: dg.OpExecutionContext, night: "Night") -> None:
        from ledger_assets.cutover import steps
        from ledger_assets.cutover.fetch import fetch

        done: list[Fetched] = []

        def bring() -> str:
            done.append(fetch(night.settings, night.store, specs))
            return done[0].brought.export.export_id

        steps.sync(night, bring)
        for fetched in done:
            told.log_fetched(context, environment, specs, fetched)

    def checkpoint(context: dg.OpExecutionContext, night: "Night") -> None:
        from ledger_assets.cutover import steps

        taken = steps.checkpoint(night)
        if taken is not None:
            asset = key(environment, "snapshots", "checkpoint")
            told.log(context, [snapshot_checks.materialized(asset, taken)])

    def prove(context: dg.OpExecutionContext, night: "Night") -> None:
        from ledger_assets.cutover import steps

        proven = steps.prove(night, specs)
        if proven is not None:
            result: dg.MaterializeResult[None] = dg.MaterializeResult(
                asset_key=proof_key,
                metadata=proof_checks.proof_metadata(*proven),
                check_results=proof_checks.proof_results(proof_key, proven[0]),
            )
            told.log(context, [result])

    def access(context: dg.OpExecutionContext, night: "Night") -> None:
        from ledger_assets.cutover import steps

        report = steps.access(night)
        if report is not None:
            told.evaluate(context, relationships.access_result(raw_key, report))

    def health(_context: dg.OpExecutionContext, night: "Night") -> None:
        from ledger_assets.cutover import looks, steps

        steps.health(night, lambda: looks.once(night))

    def switch(context: dg.OpExecutionContext, night: "Night") -> None:
        from ledger_assets.cutover import steps

        called = steps.switch_over(night)
        unanswered = [hook.host for hook in called if not hook.taken]
        for host in unanswered:
            context.log.warning(
                "deploy hook %s did not answer; again: ledger-assets switch %s", host, environment
            )
        facts: dict[str, str | int | bool] = {
            "source": "supabase",
            "hooks_called": len(called),
            "hooks_unanswered": len(unanswered),
        }
        _observe(context, environment, "live", facts)

    def watch(_context: dg.OpExecutionContext, night: "Night") -> None:
        from ledger_assets.cutover import looks, steps

        steps.watch(night, lambda minutes, alive: looks.until(night, minutes, alive))

    def unfreeze(context: dg.OpExecutionContext, night: "Night") -> None:
        from ledger_assets.cutover import steps

        done = steps.unfreeze(night)
        _observe(context, environment, "write_freeze", {"cutover": done.id, "frozen": False})

    final_sync, take_checkpoint = (
        _op(environment, "final_sync", sync),
        _op(environment, "take_checkpoint", checkpoint),
    )
    after_the_load = [
        _op(environment, name, work)
        for name, work in (
            ("prove", prove),
            ("check_access", access),
            ("check_health", health),
            ("switch_over", switch),
            ("watch", watch),
            ("unfreeze", unfreeze),
        )
    ]

    @dg.job(
        name=f"cutover_{environment}",
        description="Freeze, sync, checkpoint, load, proof, access, health, switch, watch, unfreeze. Goes back when a gate "
        "after the load stays shut.",
    )
    def job() -> None:
        done = load(take_checkpoint(final_sync(freeze())))
        for one in after_the_load:
            done = one(done)

    return job


def _op(
    environment: Environment, name: str, work: Callable[[dg.OpExecutionContext, "Night"], None]
) -> dg.OpDefinition:
    """An op that waits for the one before it and needs no configuration."""

    @dg.op(name=name, ins=AFTER, out=dg.Out(dg.Nothing))
    def run(
        context: dg.OpExecutionContext, objects: ObjectStoreResource, notifier: Notifier, run_lock: RunLock
    ) -> None:
        with one_line_failures(environment):
            work(context, _night(environment, context, objects, notifier))

    return run


def _night(
    environment: Environment,
    context: dg.OpExecutionContext,
    objects: ObjectStoreResource,
    notifier: Notifier,
) -> "Night":
    from ledger_assets.cutover.night import Night

    root = context.run.root_run_id or context.run_id
    return Night(read_settings(environment), objects.open(), context.run_id, root, notifier.send)


def _observe(
    context: dg.OpExecutionContext,
    environment: Environment,
    name: str,
    facts: dict[str, str | int | bool],
) -> None:
    context.log_event(dg.AssetObservation(key(environment, "operations", name), metadata=facts))
