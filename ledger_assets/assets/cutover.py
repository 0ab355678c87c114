"""The cut-over of one environment as an op job: ten ops in a row, each seen in the UI.

An op job and no assets: "Materialize all" must never freeze or switch anything. Each op logs what it did to the lane's own
assets, as their jobs would. Thin: the work is ``cutover``.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from ledger_assets.assets.faults import one_line_failures
from ledger_assets.assets.keys import key, table_names
from ledger_assets.checks import exports, relationships
from ledger_assets.checks import ledger as ledger_checks
from ledger_assets.checks import proof as proof_checks
from ledger_assets.checks import snapshots as snapshot_checks
from ledger_assets.environment import Environment, read_settings
from ledger_assets.lane import RAW as RAW_RECORDS
from ledger_assets.resources.notifier import Notifier
from ledger_assets.resources.object_store import ObjectStoreResource
from ledger_assets.resources.run_lock import RunLock
from ledger_assets.tables.fields import TableSpec

if TYPE_CHECKING:
    from ledger_assets.cutover.fetch import Fetched
    from ledger_assets.cutover.gates import StagingProof
    from ledger_assets.cutover.night import Night

HOURS, WATCH_MINUTES = 5.0, 120.0
"""The roadmap's: 2 AM to 7 AM, watched from 5 AM on."""
Specs = Sequence[TableSpec]


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

    def night(context: dg.OpExecutionContext, objects: ObjectStoreResource, notifier: Notifier) -> "Night":
        from ledger_assets.cutover.night import Night

        root = context.run.root_run_id or context.run_id
        return Night(read_settings(environment), objects.open(), context.run_id, root, notifier.send)

    after = {"after": dg.In(dg.Nothing)}

    @dg.op(name="freeze", out=dg.Out(dg.Nothing))
    def freeze(
        context: dg.OpExecutionContext,
        config: CutoverConfig,
        objects: ObjectStoreResource,
        notifier: Notifier,
        run_lock: RunLock,
    ) -> None:
        from ledger_assets.cutover import steps

        with one_line_failures():
            wish = steps.Wish(
                config.confirm, config.base_is_read_only, config.who, config.hours, config.watch_minutes
            )
            begun = steps.freeze_writes(
                night(context, objects, notifier), wish, staging_proof(context.instance), _lives(context)
            )
        context.log_event(
            dg.AssetObservation(
                key(environment, "operations", "write_freeze"),
                metadata={
                    "cutover": begun.id,
                    "token": begun.token or 0,
                    "until": begun.planned_end.isoformat(),
                },
            )
        )

    @dg.op(name="final_sync", ins=after, out=dg.Out(dg.Nothing))
    def sync(
        context: dg.OpExecutionContext, objects: ObjectStoreResource, notifier: Notifier, run_lock: RunLock
    ) -> None:
        from ledger_assets.cutover import steps
        from ledger_assets.cutover.fetch import fetch

        with one_line_failures():
            tonight = night(context, objects, notifier)
            done: list[Fetched] = []

            def bring() -> str:
                done.append(fetch(tonight.settings, tonight.store, specs))
                return done[0].brought.export.export_id

            steps.sync(tonight, bring)
        for fetched in done:
            _log(context, _fetched(environment, specs, fetched))

    @dg.op(name="take_checkpoint", ins=after, out=dg.Out(dg.Nothing))
    def checkpoint(
        context: dg.OpExecutionContext, objects: ObjectStoreResource, notifier: Notifier, run_lock: RunLock
    ) -> None:
        from ledger_assets.cutover import steps

        with one_line_failures():
            taken = steps.checkpoint(night(context, objects, notifier))
        if taken is not None:
            asset = key(environment, "snapshots", "checkpoint")
            _log(context, [snapshot_checks.materialized(asset, taken)])

    @dg.op(name="load_finally", ins=after, out=dg.Out(dg.Nothing))
    def load(
        context: dg.OpExecutionContext,
        config: LoadConfirmed,
        objects: ObjectStoreResource,
        notifier: Notifier,
        run_lock: RunLock,
    ) -> None:
        from ledger_assets.cutover import steps

        with one_line_failures():
            loaded = steps.load(night(context, objects, notifier), specs, config.confirm)
        if loaded is None:
            return
        report, versions = loaded
        for name in [*(spec.name for spec in specs), RAW_RECORDS]:
            asset = key(environment, "supabase", name)
            _log(
                context,
                [
                    dg.MaterializeResult(
                        asset_key=asset,
                        metadata=relationships.load_metadata(report, name),
                        data_version=dg.DataVersion(versions[name]),
                        check_results=list(relationships.load_results(asset, report, name)),
                    )
                ],
            )
        for month, counts in report.months.items():
            context.log_event(
                dg.AssetMaterialization(
                    key(environment, "supabase", "months"), partition=month, metadata=dict(counts)
                )
            )

    @dg.op(name="prove", ins=after, out=dg.Out(dg.Nothing))
    def prove(
        context: dg.OpExecutionContext, objects: ObjectStoreResource, notifier: Notifier, run_lock: RunLock
    ) -> None:
        from ledger_assets.cutover import steps

        with one_line_failures():
            proven = steps.prove(night(context, objects, notifier), specs)
        if proven is not None:
            asset, (proof, page, schema) = key(environment, "proof", "reconciliation"), proven
            _log(
                context,
                [
                    dg.MaterializeResult(
                        asset_key=asset,
                        metadata=proof_checks.proof_metadata(proof, page, schema),
                        check_results=proof_checks.proof_results(asset, proof),
                    )
                ],
            )

    @dg.op(name="check_access", ins=after, out=dg.Out(dg.Nothing))
    def access(
        context: dg.OpExecutionContext, objects: ObjectStoreResource, notifier: Notifier, run_lock: RunLock
    ) -> None:
        from ledger_assets.cutover import steps

        with one_line_failures():
            report = steps.access(night(context, objects, notifier))
        if report is not None:
            asset = key(environment, "supabase", RAW_RECORDS)
            _evaluate(context, relationships.access_result(asset, report))

    @dg.op(name="check_health", ins=after, out=dg.Out(dg.Nothing))
    def health(
        context: dg.OpExecutionContext, objects: ObjectStoreResource, notifier: Notifier, run_lock: RunLock
    ) -> None:
        from ledger_assets.cutover import looks, steps

        with one_line_failures():
            tonight = night(context, objects, notifier)
            steps.health(tonight, lambda: looks.once(tonight))

    @dg.op(name="switch_over", ins=after, out=dg.Out(dg.Nothing))
    def switch_over(
        context: dg.OpExecutionContext, objects: ObjectStoreResource, notifier: Notifier, run_lock: RunLock
    ) -> None:
        from ledger_assets.cutover import steps

        with one_line_failures():
            called = steps.switch_over(night(context, objects, notifier))
        unanswered = [hook.host for hook in called if not hook.taken]
        for host in unanswered:
            context.log.warning(
                "deploy hook %s did not answer; again: ledger-assets switch %s", host, environment
            )
        context.log_event(
            dg.AssetObservation(
                key(environment, "operations", "live"),
                metadata={
                    "source": "supabase",
                    "hooks_called": len(called),
                    "hooks_unanswered": len(unanswered),
                },
            )
        )

    @dg.op(name="watch", ins=after, out=dg.Out(dg.Nothing))
    def watch(
        context: dg.OpExecutionContext, objects: ObjectStoreResource, notifier: Notifier, run_lock: RunLock
    ) -> None:
        from ledger_assets.cutover import looks, steps

        with one_line_failures():
            tonight = night(context, objects, notifier)
            steps.watch(tonight, lambda minutes, alive: looks.until(tonight, minutes, alive))

    @dg.op(name="unfreeze", ins=after, out=dg.Out(dg.Nothing))
    def unfreeze(
        context: dg.OpExecutionContext, objects: ObjectStoreResource, notifier: Notifier, run_lock: RunLock
    ) -> None:
        from ledger_assets.cutover import steps

        with one_line_failures():
            done = steps.unfreeze(night(context, objects, notifier))
        context.log_event(
            dg.AssetObservation(
                key(environment, "operations", "write_freeze"), metadata={"cutover": done.id, "frozen": False}
            )
        )

    @dg.job(
        name=f"cutover_{environment}",
        description="Freeze, sync, checkpoint, load, proof, access, health, switch, watch, unfreeze. Goes back when a gate "
        "after the load stays shut.",
    )
    def job() -> None:
        unfreeze(watch(switch_over(health(access(prove(load(checkpoint(sync(freeze())))))))))

    return job


class BackConfig(dg.Config):
    """Which way back. ``cutover``: its id."""

    cutover: str
    who: str
    why: str = "asked for"
    emergency: bool = True
    """Take an emergency snapshot first."""
    confirm: str = ""


def build_back_job(environment: Environment) -> dg.JobDefinition:
    """``cutover_back_<env>``: database and switch return together."""

    @dg.op(name="go_back")
    def go_back(
        context: dg.OpExecutionContext,
        config: BackConfig,
        objects: ObjectStoreResource,
        notifier: Notifier,
        run_lock: RunLock,
    ) -> None:
        from ledger_assets import cutovers, reports
        from ledger_assets.assets.recovery import restored
        from ledger_assets.lane import assert_confirmed

        with one_line_failures():
            settings, store = read_settings(environment), objects.open()
            assert_confirmed(settings, config.confirm, what="the way back")
            done = cutovers.go_back(
                settings,
                store,
                config.cutover,
                who=config.who,
                run_id=context.run_id,
                why=config.why,
                emergency=config.emergency,
                tell=notifier.send,
                lives=_lives(context),
            )
            rows = [] if done.restored is None else [restored(done.restored)]
            if done.trouble:
                context.log.warning("%s", done.trouble)
            reports.publish(store, context.run_id, "restore", {"restores": rows})
        for row in rows:
            context.log_event(
                dg.AssetMaterialization(
                    key(environment, "operations", "restore"),
                    metadata={k: v for k, v in row.items() if v is not None},
                )
            )
        context.log_event(
            dg.AssetObservation(key(environment, "operations", "live"), metadata={"source": "airtable"})
        )

    @dg.job(
        name=f"cutover_back_{environment}",
        description="Take a cut-over back: the app reads from Airtable, the checkpoint is restored, writing is open.",
    )
    def job() -> None:
        go_back()

    return job


def staging_proof(instance: dg.DagsterInstance) -> "StagingProof | None":
    """Staging's newest proof from the event log: never from staging's database, whose credentials production lacks."""
    from datetime import UTC, datetime

    from ledger_assets.cutover.gates import StagingProof

    asset = key(Environment.STAGING, "proof", "reconciliation")
    event = instance.get_latest_materialization_event(asset)
    if event is None or event.asset_materialization is None:
        return None
    metadata = event.asset_materialization.metadata

    def value(name: str) -> object:
        return metadata[name].value if name in metadata else None

    schema = value(proof_checks.SCHEMA)
    return StagingProof(
        at=datetime.fromtimestamp(event.timestamp, UTC),
        passed=value("passed") is True,
        schema=None if schema is None else str(schema),
        run_id=event.run_id,
    )


def _lives(context: dg.OpExecutionContext) -> Callable[[str], bool]:
    def lives(run_id: str) -> bool:
        run = context.instance.get_run_by_id(run_id)
        return run is not None and not run.is_finished

    return lives


def _fetched(
    environment: Environment, specs: Specs, fetched: "Fetched"
) -> Iterable[dg.MaterializeResult[None]]:
    """The export, the files and the ledger, as their own steps would tell of them."""
    brought = fetched.brought
    manifest = brought.export.manifest
    names = table_names((table.id, table.name) for table in manifest.tables)
    for table in manifest.tables:
        asset = key(environment, "airtable", names[table.id])
        yield dg.MaterializeResult(
            asset_key=asset,
            metadata=exports.table_metadata(manifest, table),
            data_version=dg.DataVersion(table.content_sha256),
            check_results=exports.export_results(asset, brought.export, table, []),
        )
    files = key(environment, "airtable", "attachments")
    yield dg.MaterializeResult(
        asset_key=files,
        metadata=exports.files_metadata(manifest.export_id, brought.inventory),
        check_results=[exports.files_result(files, brought.inventory)],
    )
    if fetched.ledger is None:
        return
    for spec in specs:
        asset = key(environment, "ledger", spec.name)
        yield dg.MaterializeResult(
            asset_key=asset,
            metadata=ledger_checks.table_metadata(fetched.ledger, spec),
            check_results=ledger_checks.ledger_results(asset, fetched.ledger, spec),
        )


def _log(context: dg.OpExecutionContext, results: Iterable[dg.MaterializeResult[None]]) -> None:
    """From an op, what an asset's step would have yielded."""
    for one in results:
        assert one.asset_key is not None
        version = {} if one.data_version is None else {"dagster/data_version": one.data_version.value}
        context.log_event(dg.AssetMaterialization(one.asset_key, metadata=one.metadata, tags=version))
        for check in one.check_results or ():
            _evaluate(context, check)


def _evaluate(context: dg.OpExecutionContext, check: dg.AssetCheckResult) -> None:
    assert check.asset_key is not None
    assert check.check_name is not None
    context.log_event(
        dg.AssetCheckEvaluation(  # type: ignore[arg-type]  # taken since 1.7, only its annotation lacks it
            asset_key=check.asset_key,
            check_name=check.check_name,
            passed=check.passed,
            metadata=check.metadata,
            severity=check.severity,
        )
    )
