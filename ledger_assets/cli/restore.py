"""Commands of the way back: restore, rollback, recover. Each shows what it would change before it changes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from rich.text import Text

from ledger_assets.cli.consent import actor, as_option
from ledger_assets.cli.session import (
    console,
    environment_argument,
    instance,
    json_option,
    progress_bars,
    run_job,
    settings_for,
)
from ledger_assets.cli.tables import table
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import SettingsError

if TYPE_CHECKING:
    import dagster as dg

    from ledger_assets.backup.merge import Preview

MODES = ("lost", "exact")
confirm_option = click.option(
    "--confirm", metavar="NAME", default="", help="Production: the target database's own name."
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
emergency_option = click.option(
    "--without-emergency",
    is_flag=True,
    help="Do not take an emergency snapshot first. Only where the database is too damaged for one.",
)


@click.command()
@environment_argument
@click.argument("snapshot_id", metavar="[ID]", required=False)
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default="lost",
    show_default=True,
    help="lost: rows that are gone come back, no other is changed. exact: as in the snapshot; newer rows go.",
)
@click.option("--table", "only_table", metavar="T", help="This table alone, exactly as in the snapshot.")
@click.option(
    "--storyteller",
    metavar="ID",
    help="Everything of this person alone, exactly; Airtable record id or uuid.",
)
@click.option(
    "--into",
    "into_url",
    metavar="URL",
    help="Into an empty database elsewhere. No password in it: set PGPASSWORD or ~/.pgpass.",
)
@click.option(
    "--undo", "undo_id", type=int, metavar="N", help="Take restore N back: the state before it, exactly."
)
@dry_run_option
@emergency_option
@confirm_option
@as_option
def restore(
    environment: Environment,
    snapshot_id: str | None,
    mode: str,
    only_table: str | None,
    storyteller: str | None,
    into_url: str | None,
    undo_id: int | None,
    dry_run: bool,
    without_emergency: bool,
    confirm: str,
    who: str | None,
) -> None:
    """Bring back what a snapshot holds: lost rows, a table, one person, or everything.

    The snapshot is restored into scratch and proven first; people who had themselves erased stay erased. Then one
    transaction merges the rows in. What it replaces is kept, in the database and in an encrypted file: --undo takes it back.
    """
    settings = settings_for(environment)
    if undo_id is not None:
        if snapshot_id or only_table or storyteller or into_url:
            raise click.UsageError("--undo stands alone: it takes a whole restore back")
        _assert_confirmed(settings, confirm)
        _undo(settings, environment, undo_id, confirm, actor(who))
        return
    if snapshot_id is None:
        raise click.UsageError("name the snapshot's id: see ledger-assets backup list ENV")
    if into_url is not None:
        if only_table or storyteller or dry_run:
            raise click.UsageError(
                "--into restores a whole snapshot into an empty database, and nothing else"
            )
        _into(settings, snapshot_id, into_url)
        return
    chosen = _mode(mode, only_table, storyteller)
    _carry_out(settings, environment, snapshot_id, chosen, dry_run, without_emergency, confirm, actor(who))


@click.command()
@environment_argument
@click.option("--to", "snapshot_id", metavar="ID", required=True, help="The checkpoint to go back to.")
@dry_run_option
@emergency_option
@confirm_option
@as_option
def rollback(
    environment: Environment,
    snapshot_id: str,
    dry_run: bool,
    without_emergency: bool,
    confirm: str,
    who: str | None,
) -> None:
    """Return the database to a checkpoint, exactly. Rows that are newer are kept aside, encrypted."""
    settings = settings_for(environment)
    _carry_out(settings, environment, snapshot_id, "exact", dry_run, without_emergency, confirm, actor(who))


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
        _assert_confirmed(settings, confirm)
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
        _report(settings, run)
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


def _mode(mode: str, only_table: str | None, storyteller: str | None) -> str:
    if only_table and storyteller:
        raise click.UsageError("--table and --storyteller do not go together")
    if only_table:
        return f"table {only_table}"
    return f"storyteller {storyteller}" if storyteller else mode


def _assert_confirmed(settings: Settings, confirm: str) -> None:
    from ledger_assets.lane import assert_confirmed

    assert_confirmed(settings, confirm, what="restore")


def _carry_out(
    settings: Settings,
    environment: Environment,
    snapshot_id: str,
    mode: str,
    dry_run: bool,
    without_emergency: bool,
    confirm: str,
    who: str,
) -> None:
    if dry_run:
        from ledger_assets import recoveries

        with progress_bars():
            found = recoveries.preview(settings, snapshot_id, mode)
        _show(found)
        return
    _assert_confirmed(settings, confirm)
    config = {
        "snapshot": snapshot_id,
        "mode": mode,
        "who": who,
        "emergency": not without_emergency,
        "confirm": confirm,
    }
    with instance(settings.home) as dagster_instance:
        run = run_job(
            dagster_instance, environment, "restore", run_config={"ops": {"restore": {"config": config}}}
        )
    _report(settings, run)


def _show(found: Preview) -> None:
    shown = table("table", ">brought back", ">replaced", ">removed", ">newer here")
    for change in found.changes:
        if change.inserted or change.updated or change.deleted or change.newer:
            counts = (change.inserted, change.updated, change.deleted, change.newer)
            shown.add_row(change.table, *(f"{count:,}" for count in counts))
    console.print(shown)
    for line in found.lines():
        console.print(Text(line, "dim"))
    console.print(
        f"{found.inserted:,} rows would be brought back, {found.updated:,} replaced, {found.deleted:,} removed; nothing was "
        "changed"
    )


def _report(settings: Settings, run: dg.DagsterRun) -> None:
    from ledger_assets import connections, reports

    document = reports.read(connections.object_store(settings), run.run_id, "restore")
    if "objects" in document:
        console.print(
            f"{document['objects']:,} objects are again what was written; now look at the database:"
        )
        console.print(f"ledger-assets recover {settings.environment} --scenario ransomware")
    for done in document["restores"]:
        for line in done.get("repaired") or ():
            console.print(line)
        if done["undo_id"] is None:
            console.print(f"the schema was repaired from {done['snapshot']} ({done['seconds']:.1f} s)")
            continue
        console.print(
            f"{done['mode']} from {done['snapshot']}: {done['inserted']:,} rows brought back, {done['updated']:,} replaced, "
            f"{done['deleted']:,} removed ({done['seconds']:.1f} s)"
        )
        if done["aside"]:
            console.print(f"  what was replaced or removed lies encrypted in {done['aside']}")
        name = f" --confirm {settings.target_name}" if settings.environment is Environment.PRODUCTION else ""
        console.print(
            f"  the way back: ledger-assets restore {settings.environment} --undo {done['undo_id']}{name}"
        )


def _undo(settings: Settings, environment: Environment, undo_id: int, confirm: str, who: str) -> None:
    config = {"undo": undo_id, "who": who, "confirm": confirm}
    with instance(settings.home) as dagster_instance:
        run_job(
            dagster_instance,
            environment,
            "undo_restore",
            run_config={"ops": {"undo_restore": {"config": config}}},
        )
    console.print(f"restore {undo_id} was taken back: the state before it")


def _into(settings: Settings, snapshot_id: str, url: str) -> None:
    from ledger_assets import recoveries

    if urlsplit(url).password:
        raise SettingsError(
            "--into: a password on a command line can be read by everybody on this machine: leave it out and set "
            "PGPASSWORD, or use ~/.pgpass"
        )
    started = datetime.now(UTC)
    with progress_bars():
        rows = recoveries.restore_into(settings, snapshot_id, url)
    seconds = (datetime.now(UTC) - started).total_seconds()
    console.print(
        f"{snapshot_id}: {rows:,} rows restored and equal to its manifest ({seconds:.1f} s); the erased stay erased"
    )
