"""The command after a disaster: ``recover``. A plan first, which changes nothing, then just that."""

from __future__ import annotations

import click

from ledger_assets.cli.consent import actor, as_option
from ledger_assets.cli.restored import assert_confirmed, confirm_option, emergency_option, report
from ledger_assets.cli.session import (
    console,
    environment_argument,
    instance,
    json_option,
    progress_bars,
    run_job,
    settings_for,
)
from ledger_assets.environment import Environment


@click.command()
@environment_argument
@click.option(
    "--scenario",
    type=click.Choice(["data_loss", "data_corruption", "bad_migration", "ransomware", "regional_failure"]),
    help="What happened: finds the extent and makes a plan; changes nothing.",
)
@click.option("--plan", "plan_id", metavar="ID", help="Carry out this plan.")
@emergency_option
@confirm_option
@as_option
@json_option
def recover(
    environment: Environment,
    scenario: str | None,
    plan_id: str | None,
    without_emergency: bool,
    confirm: str,
    who: str | None,
    as_json: bool,
) -> None:
    """After a disaster: find its extent, choose the snapshot, make a plan; with --plan restore just what it needs.

    \b
    ledger-assets recover production --scenario data_loss
    ledger-assets recover production --plan plan-1795352400-4f2a1c --confirm NAME
    """
    settings = settings_for(environment)
    if (scenario is None) == (plan_id is None):
        raise click.UsageError("give --scenario to make a plan, or --plan to carry one out")
    if plan_id is not None:
        assert_confirmed(settings, confirm)
        with instance(settings.home) as dagster_instance:
            config = {
                "plan": plan_id,
                "who": actor(who),
                "emergency": not without_emergency,
                "confirm": confirm,
            }
            run = run_job(
                dagster_instance, environment, "recover", run_config={"ops": {"recover": {"config": config}}}
            )
        report(settings, run)
        return
    from ledger_assets import recoveries

    assert scenario is not None
    with progress_bars():
        plan = recoveries.plan(settings, scenario)
    if as_json:
        console.print_json(plan.to_json().decode())
        return
    against = f", against {plan.snapshot_id}" if plan.snapshot_id else ""
    console.print(f"{plan.scenario} of {settings.target_name}{against}:")
    for line in plan.extent:
        console.print(f"  {line}")
    if not plan.modes:
        console.print("nothing is to be restored")
        return
    if plan.modes == ("into",):
        command = f"ledger-assets restore {environment} {plan.snapshot_id} --into URL"
        console.print(
            f"to do it, make a new project and give its address (password in PGPASSWORD): {command}"
        )
        return
    console.print(f"would restore: {', '.join(plan.modes)}")
    name = f" --confirm {settings.target_name}" if environment is Environment.PRODUCTION else ""
    console.print(f"to do it: ledger-assets recover {environment} --plan {plan.id}{name}")
