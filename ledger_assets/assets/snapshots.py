"""Assets ``<env>/snapshots/*``: full and checkpoint snapshots, and the daily re-verification of stored ones.

Thin: the work is ``backups``. A snapshot is verified in the step that takes it, so that its materialisation is of one that
was really restored; each is one immutable snapshot, its id in the metadata and its data version.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from ledger_assets.assets.faults import one_line_failures
from ledger_assets.assets.keys import group, key
from ledger_assets.checks import snapshots as checks
from ledger_assets.environment import Environment, read_settings
from ledger_assets.resources.notifier import Notifier
from ledger_assets.resources.object_store import ObjectStoreResource
from ledger_assets.resources.run_lock import RunLock

if TYPE_CHECKING:
    from ledger_assets.backup.dump import Kind
    from ledger_assets.backups import Taken

STAGE = "snapshots"
FULL, CHECKPOINT, REVERIFIED = "full", "checkpoint", "reverified"
FRESH = timedelta(hours=26)
"""As ``backup.absence``: a day, and two hours for the snapshot and its verification."""


class FullConfig(dg.Config):
    """Why it is taken."""

    reason: str = "by hand"


class CheckpointConfig(dg.Config):
    """Why it is taken."""

    reason: str = "before a load"


def build_snapshot_assets(
    environment: Environment, loaded: Sequence[dg.AssetKey], shaped: Sequence[dg.AssetKey]
) -> list[dg.AssetsDefinition]:
    """Full (of what is ``loaded``), checkpoint (after everything is ``shaped`` and right before the load), reverified."""
    full_key, checkpoint_key = key(environment, STAGE, FULL), key(environment, STAGE, CHECKPOINT)
    reverified_key = key(environment, STAGE, REVERIFIED)

    def taken(
        context: dg.AssetExecutionContext,
        kind: "Kind",
        reason: str,
        objects: ObjectStoreResource,
        notifier: Notifier,
    ) -> "Taken":
        from ledger_assets import backups

        with one_line_failures(environment):
            settings, run_id = read_settings(environment), context.run.run_id
            return backups.take(
                settings, objects.open(), kind=kind, reason=reason, run_id=run_id, tell=notifier.send
            )

    @dg.asset(
        key=full_key,
        group_name=group(environment, STAGE),
        deps=list(loaded),
        kinds={"postgres"},
        description="An encrypted snapshot of the whole database and the list of its files; restored and compared at once.",
        check_specs=checks.specs(full_key),
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=FRESH),
    )
    def full(
        context: dg.AssetExecutionContext,
        config: FullConfig,
        objects: ObjectStoreResource,
        notifier: Notifier,
        run_lock: RunLock,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses the subscripted form here
        return checks.materialized(full_key, taken(context, "full", config.reason, objects, notifier))

    @dg.asset(
        key=checkpoint_key,
        group_name=group(environment, STAGE),
        deps=list(shaped),
        kinds={"postgres"},
        description="The way back of the next load: a verified snapshot taken right before it.",
        check_specs=checks.specs(checkpoint_key),
    )
    def checkpoint(
        context: dg.AssetExecutionContext,
        config: CheckpointConfig,
        objects: ObjectStoreResource,
        notifier: Notifier,
        run_lock: RunLock,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses the subscripted form here
        return checks.materialized(
            checkpoint_key, taken(context, "checkpoint", config.reason, objects, notifier)
        )

    @dg.asset(
        key=reverified_key,
        group_name=group(environment, STAGE),
        deps=[full_key, checkpoint_key],
        kinds={"postgres"},
        description="Stored snapshots restored and compared again: the newest, and the one not looked at for longest.",
        check_specs=[checks.still_specs(reverified_key)],
    )
    def reverified(
        context: dg.AssetExecutionContext, objects: ObjectStoreResource, notifier: Notifier, run_lock: RunLock
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses the subscripted form here
        from ledger_assets import backups

        with one_line_failures(environment):
            found = backups.reverify(read_settings(environment), objects.open(), notifier.send)
        return checks.reverified(reverified_key, found)

    return [full, checkpoint, reverified]
