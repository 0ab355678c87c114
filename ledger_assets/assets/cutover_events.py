"""What a cut-over's ops log to the lane's own assets, as their jobs would; and what they read from the event log.

What belongs here: from results to Dagster's events, and from events to what a gate asks. What does not: the ops.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from ledger_assets.assets.keys import key, table_names
from ledger_assets.checks import exports, relationships
from ledger_assets.checks import ledger as ledger_checks
from ledger_assets.checks import proof as proof_checks
from ledger_assets.environment import Environment
from ledger_assets.lane import RAW as RAW_RECORDS
from ledger_assets.tables.fields import TableSpec

if TYPE_CHECKING:
    from ledger_assets.cutover.fetch import Fetched
    from ledger_assets.cutover.gates import StagingProof
    from ledger_assets.load.report import LoadReport

Specs = Sequence[TableSpec]


def lives(context: dg.OpExecutionContext) -> Callable[[str], bool]:
    """Is a run still on its way? One whose process is gone was reported as failed before (``runs.report_lost_runs``)."""

    def asked(run_id: str) -> bool:
        run = context.instance.get_run_by_id(run_id)
        return run is not None and not run.is_finished

    return asked


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


def log_fetched(
    context: dg.OpExecutionContext, environment: Environment, specs: Specs, fetched: "Fetched"
) -> None:
    """The export, the files and the ledger."""
    log(context, _fetched(environment, specs, fetched))


def log_loaded(
    context: dg.OpExecutionContext,
    environment: Environment,
    specs: Specs,
    report: "LoadReport",
    versions: dict[str, str],
) -> None:
    """Every table that was loaded, and its months."""
    for name in [*(spec.name for spec in specs), RAW_RECORDS]:
        asset = key(environment, "supabase", name)
        loaded: dg.MaterializeResult[None] = dg.MaterializeResult(
            asset_key=asset,
            metadata=relationships.load_metadata(report, name),
            data_version=dg.DataVersion(versions[name]),
            check_results=list(relationships.load_results(asset, report, name)),
        )
        log(context, [loaded])
    months = key(environment, "supabase", "months")
    for month, counts in report.months.items():
        context.log_event(dg.AssetMaterialization(months, partition=month, metadata=dict(counts)))


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


def log(context: dg.OpExecutionContext, results: Iterable[dg.MaterializeResult[None]]) -> None:
    """From an op, what an asset's step would have yielded."""
    for one in results:
        assert one.asset_key is not None
        version = {} if one.data_version is None else {"dagster/data_version": one.data_version.value}
        context.log_event(dg.AssetMaterialization(one.asset_key, metadata=one.metadata, tags=version))
        for check in one.check_results or ():
            evaluate(context, check)


def evaluate(context: dg.OpExecutionContext, check: dg.AssetCheckResult) -> None:
    """From an op, the result of an asset's check."""
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
