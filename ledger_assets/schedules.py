"""Schedules of one environment: the nightly snapshot, its re-verification, retention; expired consents; health.

They run by themselves as soon as the environment's real database is set, and are off in the synthetic world. Which one that
is follows from the presence of the variable alone: nothing is opened and no secret is read at import.
"""

import os

import dagster as dg

from ledger_assets.environment import DATABASE_VARIABLE, Environment

DEFAULT_TIMEZONE = "Australia/Brisbane"


def automatic(environment: Environment) -> bool:
    """True where a real database is set."""
    return bool(os.environ.get(DATABASE_VARIABLE[environment], "").strip())


def build_schedules(environment: Environment) -> list[dg.ScheduleDefinition]:
    """All of them, in the time zone ``LEDGER_TIMEZONE``."""
    timezone = os.environ.get("LEDGER_TIMEZONE", "").strip() or DEFAULT_TIMEZONE
    running = automatic(environment)
    status = dg.DefaultScheduleStatus.RUNNING if running else dg.DefaultScheduleStatus.STOPPED

    def schedule(
        name: str, job: str, cron: str, config: dict[str, object] | None = None
    ) -> dg.ScheduleDefinition:
        return dg.ScheduleDefinition(
            name=f"{name}_{environment}",
            job_name=f"{job}_{environment}",
            cron_schedule=cron,
            execution_timezone=timezone,
            default_status=status,
            run_config=config or {},
        )

    return [
        schedule("nightly_backup", "backup", "0 2 * * *", full_config(environment, "nightly")),
        schedule("nightly_verification", "verify_snapshots", "0 4 * * *"),
        schedule("nightly_retention", "prune", "0 5 * * *", {"ops": {"prune": {"config": {"apply": True}}}}),
        schedule("hourly_consent_expiries", "consent_expiries", "5 * * * *"),
        schedule("quarter_hourly_health", "health", "*/15 * * * *"),
    ]


def full_config(environment: Environment, reason: str) -> dict[str, object]:
    """Run configuration of ``backup_<env>``."""
    return {"ops": {f"{environment}__snapshots__full": {"config": {"reason": reason}}}}
