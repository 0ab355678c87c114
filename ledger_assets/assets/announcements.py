"""The op job that sends the announcement that is due. Thin: the work is in ``announce``.

No asset, because "Materialize all" must never write to anybody. It sends what the time and the state of the window make
due, once: whoever launches it in the web UI can send nothing else. Staging has none.
"""

import dagster as dg

from ledger_assets.assets.faults import one_line_failures
from ledger_assets.environment import Environment, read_settings
from ledger_assets.resources.postgres import PostgresResource
from ledger_assets.resources.run_lock import RunLock


def build_announcement_jobs(environment: Environment) -> list[dg.JobDefinition]:
    """``announce_production``; nothing for staging."""
    if environment is not Environment.PRODUCTION:
        return []

    @dg.op(name="announce")
    def announce(context: dg.OpExecutionContext, postgres: PostgresResource, run_lock: RunLock) -> None:
        from datetime import UTC, datetime

        from ledger_assets.announce import announcing
        from ledger_assets.errors import CheckFailed

        with one_line_failures(environment):
            settings, now = read_settings(environment), datetime.now(UTC)
            step, why = announcing.due(settings, now=now)
            if step is None:
                context.log.info(why)
                return
            announced = announcing.announce(settings, step, now=now)
            context.add_output_metadata(announced.counts)
            with postgres.connect(context.run_id) as connection:
                announcing.record(connection, announced, run_id=context.run_id)
            if announced.in_vain:
                raise CheckFailed(
                    f"nobody was reached by {step}: is BACKUP_SMTP_URL right? It is tried again each hour"
                )

    @dg.job(
        name=f"announce_{environment}",
        description="Send the announcement that is due by MIGRATION_AT and the state of the window, to each once.",
    )
    def job() -> None:
        announce()

    return [job]
