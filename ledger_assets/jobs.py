"""Jobs of one environment. Named per environment, so that a job of one cannot touch the other."""

from typing import TYPE_CHECKING, Any

import dagster as dg

from ledger_assets.environment import Environment

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition


SYNC_CONFIG: dict[str, Any] = {"ops": {"export": {"config": {"sync": True}}}}
"""The same assets as a migration's: an export that is synced is an export."""


def build_jobs(environment: Environment) -> "list[UnresolvedAssetJobDefinition]":
    """The lane's jobs: export, dry_run, migrate, sync, remigrate, verify; and the snapshots': backup, checkpoint,
    verify_snapshots."""

    def assets(*paths: str) -> dg.AssetSelection:
        return dg.AssetSelection.assets(
            *(dg.AssetKey([environment.value, *path.split("/")]) for path in paths)
        )

    def stage(name: str) -> dg.AssetSelection:
        return dg.AssetSelection.key_prefixes([environment.value, name])

    exported, shaped = stage("airtable"), stage("ledger")
    loaded = stage("supabase") - assets("supabase/months")
    # Production is never loaded without a way back; staging is made anew instead.
    migrated = exported | shaped | loaded | assets("proof/reconciliation")
    if environment is Environment.PRODUCTION:
        migrated |= assets("snapshots/checkpoint")

    def job(
        name: str, selection: dg.AssetSelection, description: str, config: dict[str, Any] | None = None
    ) -> "UnresolvedAssetJobDefinition":
        return dg.define_asset_job(f"{name}_{environment}", selection, description=description, config=config)

    return [
        job("export", exported, "Keep the whole Airtable base as it is now. Cannot write to Postgres."),
        job(
            "dry_run", exported | shaped | assets("proof/dry_run"), "Everything of a migration, rolled back."
        ),
        job(
            "migrate",
            migrated,
            "Export, shape, load in one transaction, prove; in production a checkpoint before the load.",
        ),
        job(
            "sync",
            migrated,
            "Bring over what changed in Airtable since the last export, shape, load and prove.",
            SYNC_CONFIG,
        ),
        job("remigrate", assets("supabase/months"), "Load months again from the stored export."),
        job("verify", assets("proof/reconciliation"), "Prove the last load again, read back from Postgres."),
        job("backup", assets("snapshots/full"), "Take a full snapshot and verify it."),
        job(
            "checkpoint", assets("snapshots/checkpoint"), "Take the way back of the next load and verify it."
        ),
        job(
            "verify_snapshots",
            assets("snapshots/reverified"),
            "Restore stored snapshots again and compare them.",
        ),
    ]
