"""Op jobs that change a database back: restore, take a restore back, carry out a plan of recovery.

Op jobs and no assets: "Materialize all" must never restore anything. Thin: the work is ``recoveries``.
"""

from typing import TYPE_CHECKING, Any

import dagster as dg

from ledger_assets.assets.faults import one_line_failures
from ledger_assets.assets.keys import key
from ledger_assets.environment import Environment, read_settings
from ledger_assets.resources.notifier import Notifier
from ledger_assets.resources.object_store import ObjectStoreResource
from ledger_assets.resources.run_lock import RunLock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger_assets.backup.restore import Done
    from ledger_assets.storage import ObjectStore


class RestoreConfig(dg.Config):
    """What is restored. ``mode``: lost, exact, ``table <name>`` or ``storyteller <id>``."""

    snapshot: str
    mode: str = "lost"
    who: str
    emergency: bool = True
    """Take an emergency snapshot first."""
    confirm: str = ""
    """Production only: the target database's own name."""


class RecoverConfig(dg.Config):
    """Which plan is carried out."""

    plan: str
    who: str
    emergency: bool = True
    confirm: str = ""


class UndoConfig(dg.Config):
    """Which restore is taken back."""

    undo: int
    who: str
    confirm: str = ""


def build_recovery_jobs(environment: Environment) -> list[dg.JobDefinition]:
    """All of them."""
    asset = key(environment, "operations", "restore")

    @dg.op(name="restore")
    def restore(
        context: dg.OpExecutionContext,
        config: RestoreConfig,
        objects: ObjectStoreResource,
        notifier: Notifier,
        run_lock: RunLock,
    ) -> None:
        from ledger_assets import recoveries
        from ledger_assets.lane import assert_confirmed

        with one_line_failures(environment):
            settings, store = read_settings(environment), objects.open()
            assert_confirmed(settings, config.confirm, what="restore")
            done = recoveries.restore(
                settings,
                store,
                config.snapshot,
                config.mode,
                who=config.who,
                emergency=config.emergency,
                run_id=context.run_id,
                tell=notifier.send,
            )
            log_restores(context, environment, store, done)

    @dg.op(name="recover")
    def recover(
        context: dg.OpExecutionContext,
        config: RecoverConfig,
        objects: ObjectStoreResource,
        notifier: Notifier,
        run_lock: RunLock,
    ) -> None:
        from ledger_assets import recoveries, reports
        from ledger_assets.lane import assert_confirmed

        with one_line_failures(environment):
            settings, store = read_settings(environment), objects.open()
            assert_confirmed(settings, config.confirm, what="recovery")
            if recoveries.is_of_objects(store, config.plan):
                brought_back = recoveries.bring_back_objects(settings)
                reports.publish(store, context.run_id, "restore", {"restores": [], "objects": brought_back})
                context.log_event(dg.AssetMaterialization(asset, metadata={"objects": brought_back}))
                return
            done = recoveries.recover(
                settings,
                store,
                config.plan,
                who=config.who,
                emergency=config.emergency,
                run_id=context.run_id,
                tell=notifier.send,
            )
            log_restores(context, environment, store, done)

    @dg.op(name="undo_restore")
    def undo_restore(context: dg.OpExecutionContext, config: UndoConfig, run_lock: RunLock) -> None:
        from ledger_assets import recoveries
        from ledger_assets.lane import assert_confirmed

        with one_line_failures(environment):
            settings = read_settings(environment)
            assert_confirmed(settings, config.confirm, what="taking a restore back")
            recoveries.undo(settings, config.undo, who=config.who)
        context.log_event(dg.AssetMaterialization(asset, metadata={"taken_back": config.undo}))

    @dg.job(
        name=f"restore_{environment}", description="Bring back what a snapshot holds; --undo takes it back."
    )
    def restore_job() -> None:
        restore()

    @dg.job(name=f"recover_{environment}", description="Carry out a plan of recovery.")
    def recover_job() -> None:
        recover()

    @dg.job(
        name=f"undo_restore_{environment}", description="Take a restore back: the state before it, exactly."
    )
    def undo_job() -> None:
        undo_restore()

    return [restore_job, recover_job, undo_job]


def log_restores(
    context: dg.OpExecutionContext,
    environment: Environment,
    store: "ObjectStore",
    restores: "Sequence[Done]",
    **more: object,
) -> None:
    """What a run has restored, for its command and the web UI; ``more`` is for the command alone."""
    from ledger_assets import reports

    rows = [_row(done) for done in restores]
    reports.publish(store, context.run_id, "restore", {"restores": rows, **more})
    for row in rows:
        context.log_event(
            dg.AssetMaterialization(
                key(environment, "operations", "restore"),
                metadata={k: v for k, v in row.items() if v is not None},
            )
        )


def _row(done: "Done") -> dict[str, Any]:
    return {
        "snapshot": done.snapshot_id,
        "mode": str(done.preview.mode),
        "inserted": done.preview.inserted,
        "updated": done.preview.updated,
        "deleted": done.preview.deleted,
        "undo_id": done.undo_id,
        "aside": done.aside,
        "seconds": done.seconds,
        "repaired": list(done.repaired) or None,
        "files": done.files.files or None,
        "files_failed": list(done.files.failed) or None,
    }
