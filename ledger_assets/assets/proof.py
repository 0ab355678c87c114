"""Assets ``<env>/proof/*``: the dry run and the reconciliation. Thin: the work is ``proof``."""

from collections.abc import Sequence

import dagster as dg

from ledger_assets.assets.faults import one_line_failures
from ledger_assets.assets.keys import group, key
from ledger_assets.checks import proof as checks
from ledger_assets.environment import Environment, read_settings
from ledger_assets.resources.object_store import ObjectStoreResource
from ledger_assets.resources.postgres import PostgresResource
from ledger_assets.resources.run_lock import RunLock
from ledger_assets.tables.fields import TableSpec


def build_proof_assets(
    environment: Environment,
    specs: Sequence[TableSpec],
    inputs: Sequence[dg.AssetKey],
    loaded: Sequence[dg.AssetKey],
) -> list[dg.AssetsDefinition]:
    """The dry run (of ``inputs``: ledger or exported tables) and the reconciliation (of ``loaded``)."""
    dry_key, proof_key = key(environment, "proof", "dry_run"), key(environment, "proof", "reconciliation")

    @dg.asset(
        key=dry_key,
        group_name=group(environment, "proof"),
        deps=list(inputs),
        kinds={"postgres"},
        description="The load executed whole and rolled back: the report of a migration that did not happen.",
        check_specs=[checks.dry_run_spec(dry_key)],
    )
    def dry_run(
        context: dg.AssetExecutionContext,
        objects: ObjectStoreResource,
        postgres: PostgresResource,
        run_lock: RunLock,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses the subscripted form here
        from ledger_assets import lane
        from ledger_assets.proof.publish import publish_dry_run

        with one_line_failures(environment):
            settings = read_settings(environment)
            store = objects.open()
            with postgres.connect(context.run.run_id) as connection:
                report, export = lane.dry_run(settings, connection, store, specs, run_id=context.run.run_id)
            page = publish_dry_run(settings, store, report, export, run_id=context.run.run_id)
        return dg.MaterializeResult(
            metadata=checks.dry_run_metadata(report, page),
            check_results=[checks.dry_run_result(dry_key, report)],
        )

    @dg.asset(
        key=proof_key,
        group_name=group(environment, "proof"),
        deps=list(loaded),
        kinds={"postgres"},
        description="The proof that nothing was lost, read back from Postgres, cell by cell, both ways.",
        check_specs=checks.proof_specs(proof_key),
    )
    def reconciliation(
        context: dg.AssetExecutionContext,
        objects: ObjectStoreResource,
        postgres: PostgresResource,
        run_lock: RunLock,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses the subscripted form here
        from ledger_assets import lane
        from ledger_assets.load.schema import version
        from ledger_assets.proof.publish import publish_proof

        with one_line_failures(environment):
            settings = read_settings(environment)
            store = objects.open()
            with postgres.connect(context.run.run_id) as connection:
                proof = lane.prove(settings, connection, store, specs)
                page = publish_proof(settings, store, connection, proof, run_id=context.run.run_id)
                schema = version(connection)
        return dg.MaterializeResult(
            metadata=checks.proof_metadata(proof, page, schema),
            check_results=checks.proof_results(proof_key, proof),
        )

    return [dry_run, reconciliation]
