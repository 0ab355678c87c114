"""Commands that move data: export, migrate, verify. Each is a run of the job of that name."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import click

from ledger_assets.cli import report
from ledger_assets.cli.session import (
    environment_argument,
    instance,
    run_job,
    settings_for,
)
from ledger_assets.environment import Environment
from ledger_assets.errors import SettingsError


@click.command()
@environment_argument
@click.option(
    "--final", is_flag=True, help="Read a second, independent list of ids and fail on any difference."
)
def export(environment: Environment, final: bool) -> None:
    """Keep the whole Airtable base as it is now: every record, comment and file.

    Writes only to the object store, never to Postgres.
    """
    settings = settings_for(environment)
    with instance(settings.home) as dagster_instance:
        config = {"ops": {"export": {"config": {"final": final}}}}
        run_job(dagster_instance, environment, "export", run_config=config)
    report.print_export(settings)


@click.command()
@environment_argument
@click.option("--dry-run", is_flag=True, help="Execute everything, then roll it back and report.")
@click.option(
    "--months", metavar="FROM..TO", help="Only these months again, from the stored export: 2025-01..2025-03."
)
@click.option("--confirm", metavar="NAME", default="", help="Production: the target database's own name.")
def migrate(environment: Environment, dry_run: bool, months: str | None, confirm: str) -> None:
    """Export, shape, load in one transaction, and prove it, read back from Postgres."""
    settings = settings_for(environment)
    if dry_run and months:
        raise click.UsageError("--dry-run and --months do not go together: a dry run executes the whole load")
    chosen = parse_months(months, settings.first_month) if months else None
    if not dry_run:
        from ledger_assets.lane import assert_can_load

        assert_can_load(settings, confirm)
    with instance(settings.home) as dagster_instance:
        load_config = {"config": {"confirm": confirm}}
        if dry_run:
            run = run_job(dagster_instance, environment, "dry_run")
            report.print_dry_run(settings, run.run_id)
        elif chosen:
            if (
                environment is Environment.PRODUCTION
            ):  # months are partitions, a checkpoint is not: a run of its own
                run_job(dagster_instance, environment, "checkpoint")
            run = run_job(
                dagster_instance,
                environment,
                "remigrate",
                run_config={"ops": {"load_months": load_config}},
                tags={
                    "dagster/asset_partition_range_start": f"{chosen[0]}-01",
                    "dagster/asset_partition_range_end": f"{chosen[1]}-01",
                },
            )
            report.print_load(settings, run.run_id)
        else:
            run_job(
                dagster_instance,
                environment,
                "migrate",
                run_config={"ops": {"load": load_config}},
                tell=lambda run_id: report.print_migration(settings, run_id),
            )


def parse_months(value: str, first_month: date) -> tuple[str, str]:
    """``2025-01..2025-03`` or ``2025-01`` as first and last month. Raises SettingsError."""
    match = re.fullmatch(r"(\d{4}-(?:0[1-9]|1[0-2]))(?:\.\.(\d{4}-(?:0[1-9]|1[0-2])))?", value)
    if match is None:
        raise SettingsError(f"--months: {value!r} is not a range of months; write 2025-01..2025-03")
    first, last = match[1], match[2] or match[1]
    if last < first:
        raise SettingsError(f"--months: {first} is after {last}; write the earlier month first")
    oldest, newest = f"{first_month:%Y-%m}", f"{datetime.now(UTC):%Y-%m}"
    if first < oldest:
        raise SettingsError(
            f"--months: {first} is before the first month {oldest}, to which all older records belong"
        )
    if last > newest:
        raise SettingsError(f"--months: {last} is in the future; the newest month is {newest}")
    return first, last


@click.command()
@environment_argument
def verify(environment: Environment) -> None:
    """Prove the last load again: every cell, read back from Postgres. Exit 1 when the proof fails."""
    settings = settings_for(environment)
    with instance(settings.home) as dagster_instance:
        run_job(
            dagster_instance,
            environment,
            "verify",
            tell=lambda run_id: report.print_migration(settings, run_id),
        )
