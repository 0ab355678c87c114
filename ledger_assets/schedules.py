"""Schedules of one environment: the nightly snapshot, its re-verification, retention, expired consents, health, news.

They run by themselves as soon as the environment's real database is set, and are off in the synthetic world. Which one that
is follows from the presence of the variable alone: nothing is opened and no secret is read at import.
"""

import os

import dagster as dg

from ledger_assets.assets.faults import one_line_failures
from ledger_assets.environment import DATABASE_VARIABLE, Environment, read_settings

DEFAULT_TIMEZONE = "Australia/Brisbane"
ANNOUNCE_CRON = "*/10 * * * *"
"""Of an hourly one, "the move has begun" would come up to an hour late; each hour is still announced once."""


def automatic(environment: Environment) -> bool:
    """True where a real database is set."""
    return bool(os.environ.get(DATABASE_VARIABLE[environment], "").strip())


def build_schedules(environment: Environment) -> list[dg.ScheduleDefinition]:
    """All of them, in the time zone ``LEDGER_TIMEZONE``."""
    timezone = os.environ.get("LEDGER_TIMEZONE", "").strip() or DEFAULT_TIMEZONE
    running = automatic(environment)
    status = dg.DefaultScheduleStatus.RUNNING if running else dg.DefaultScheduleStatus.STOPPED

    def schedule(
        name: str, job: str, cron: str, what: str, config: dict[str, object] | None = None
    ) -> dg.ScheduleDefinition:
        return dg.ScheduleDefinition(
            name=f"{name}_{environment}",
            job_name=f"{job}_{environment}",
            cron_schedule=cron,
            execution_timezone=timezone,
            default_status=status,
            run_config=config or {},
            description=what,
        )

    return [
        schedule(
            "nightly_backup",
            "backup",
            "0 2 * * *",
            "Takes a full snapshot, encrypted, restored and compared at once.",
            full_config(environment, "nightly"),
        ),
        schedule(
            "nightly_verification",
            "verify_snapshots",
            "0 4 * * *",
            "Restores stored snapshots again and compares them: the newest, and the one not looked at for longest.",
        ),
        schedule(
            "nightly_retention",
            "prune",
            "0 5 * * *",
            "Expires the snapshots that the retention no longer keeps.",
            {"ops": {"prune": {"config": {"apply": True}}}},
        ),
        schedule(
            "hourly_consent_expiries",
            "consent_expiries",
            "5 * * * *",
            "Records the consents that have run out; what they opened is closed already, by the rule itself.",
        ),
        # A withdrawal closes the story at once; a file that was public closes with the next pass.
        *(
            [
                schedule(
                    "quarter_hourly_media",
                    "place_media",
                    "7-59/15 * * * *",
                    "Puts files where the app serves them, and takes away what must not lie there.",
                )
            ]
            if os.environ.get("MEDIA_STORE_URL", "").strip()
            else []
        ),
        schedule(
            "quarter_hourly_health",
            "health",
            "*/15 * * * *",
            "Looks at every measure of health, and tells people when what is bad changes.",
        ),
        *([_announce(environment, timezone)] if environment is Environment.PRODUCTION else []),
    ]


def _announce(environment: Environment, timezone: str) -> dg.ScheduleDefinition:
    """On while a window is set. A tick looks and asks for a run only when somebody waits or the page grows old."""
    set_up = automatic(environment) and bool(os.environ.get("MIGRATION_AT", "").strip())

    @dg.schedule(
        name=f"announce_{environment}",
        job_name=f"announce_{environment}",
        cron_schedule=ANNOUNCE_CRON,
        execution_timezone=timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING if set_up else dg.DefaultScheduleStatus.STOPPED,
        description="Sends the announcement that is due, and keeps the status page fresh while a window is open.",
    )
    def announce(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from datetime import UTC

        from ledger_assets.announce import announcing
        from ledger_assets.cutover import outside

        with one_line_failures(environment):
            settings = read_settings(environment)
            now = context.scheduled_execution_time.astimezone(UTC)
            if outside.refresh(settings, now) is None:
                announcing.republish(settings, now=now)
            step, why = announcing.due(settings, now=now)
        return dg.SkipReason(why) if step is None else dg.RunRequest(tags={"ledger/announcement": str(step)})

    return announce


def full_config(environment: Environment, reason: str) -> dict[str, object]:
    """Run configuration of ``backup_<env>``."""
    return {"ops": {f"{environment}__snapshots__full": {"config": {"reason": reason}}}}
