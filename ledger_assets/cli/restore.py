"""Commands that bring a snapshot back: ``restore``, ``rollback``. Each can show first what it would change."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import click

from ledger_assets.cli.consent import actor, as_option
from ledger_assets.cli.restored import (
    assert_confirmed,
    confirm_option,
    emergency_option,
    files_put_back,
    report,
    show,
)
from ledger_assets.cli.session import (
    console,
    environment_argument,
    instance,
    progress_bars,
    run_job,
    settings_for,
)
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import SettingsError

MODES = ("lost", "exact")
dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")


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
    "--files",
    "files_alone",
    is_flag=True,
    help="No row: only files that the database names and the store lacks.",
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
    files_alone: bool,
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
        assert_confirmed(settings, confirm)
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
    if files_alone:
        if only_table or storyteller or dry_run:
            raise click.UsageError("--files puts files back, and nothing else")
        assert_confirmed(settings, confirm)
        _files(settings, snapshot_id)
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
    """Return the database to a checkpoint, exactly. Rows that are newer are kept aside, encrypted.

    The checkpoint of a cut-over takes the switch back, too: the app reads from Airtable again.
    """
    settings = settings_for(environment)
    if not dry_run and _of_a_cutover(settings, snapshot_id):
        from ledger_assets.cli.cutover import go_back

        go_back(settings, snapshot_id, without_emergency, confirm, actor(who))
        return
    _carry_out(settings, environment, snapshot_id, "exact", dry_run, without_emergency, confirm, actor(who))


def _of_a_cutover(settings: Settings, snapshot_id: str) -> bool:
    from ledger_assets import cutovers

    return cutovers.to_go_back(settings, snapshot_id) is not None


def _mode(mode: str, only_table: str | None, storyteller: str | None) -> str:
    if only_table and storyteller:
        raise click.UsageError("--table and --storyteller do not go together")
    if only_table:
        return f"table {only_table}"
    return f"storyteller {storyteller}" if storyteller else mode


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
        show(found)
        return
    assert_confirmed(settings, confirm)
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
    report(settings, run)


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
        rows, files = recoveries.restore_into(settings, snapshot_id, url)
    seconds = (datetime.now(UTC) - started).total_seconds()
    console.print(
        f"{snapshot_id}: {rows:,} rows restored and equal to its manifest ({seconds:.1f} s); the erased stay erased"
    )
    files_put_back(settings.environment, snapshot_id, files.files, files.failed)


def _files(settings: Settings, snapshot_id: str) -> None:
    from ledger_assets import recoveries

    with progress_bars():
        found = recoveries.files_back(settings, snapshot_id)
    files_put_back(settings.environment, snapshot_id, found.files, found.failed)
    if not found.files:
        console.print("no file that this snapshot holds and the database names is missing")
