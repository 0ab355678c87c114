"""The way back of a cut-over as an op job: database and switch return together. Thin: the work is ``cutovers``."""

import dagster as dg

from ledger_assets.assets.cutover_events import lives
from ledger_assets.assets.faults import one_line_failures
from ledger_assets.assets.keys import key
from ledger_assets.assets.recovery import log_restores
from ledger_assets.environment import Environment, read_settings
from ledger_assets.resources.notifier import Notifier
from ledger_assets.resources.object_store import ObjectStoreResource
from ledger_assets.resources.run_lock import RunLock


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
        from ledger_assets import cutovers
        from ledger_assets.lane import assert_confirmed

        with one_line_failures(environment):
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
                lives=lives(context),
            )
            for line in done.told.trouble:
                context.log.warning("%s", line)
            restores = [] if done.restored is None else [done.restored]
            log_restores(context, environment, store, restores, left=list(done.told.trouble))
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
