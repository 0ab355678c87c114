"""What the commands of the way back share: their options, and what they print of a preview and of a restore that was made.

What belongs here: words on the terminal. What does not: the commands (``restore``, ``recover``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from rich.text import Text

from ledger_assets.cli.session import console
from ledger_assets.cli.tables import table
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import CheckFailed

if TYPE_CHECKING:
    import dagster as dg

    from ledger_assets.backup.merge import Preview

SHOWN = 20
confirm_option = click.option(
    "--confirm", metavar="NAME", default="", help="Production: the target database's own name."
)
emergency_option = click.option(
    "--without-emergency",
    is_flag=True,
    help="Do not take an emergency snapshot first. Only where the database is too damaged for one.",
)


def assert_confirmed(settings: Settings, confirm: str) -> None:
    """Production asks for its name. Raises SettingsError."""
    from ledger_assets import lane

    lane.assert_confirmed(settings, confirm, what="restore")


def show(found: Preview) -> None:
    """What a restore would change, table by table."""
    shown = table("table", ">brought back", ">replaced", ">removed", ">newer here")
    for change in found.changes:
        if change.inserted or change.updated or change.deleted or change.newer:
            counts = (change.inserted, change.updated, change.deleted, change.newer)
            shown.add_row(change.table, *(f"{count:,}" for count in counts))
    console.print(shown)
    for line in found.notes():
        console.print(Text(line, "dim"))
    console.print(
        f"{found.inserted:,} rows would be brought back, {found.updated:,} replaced, {found.deleted:,} removed; nothing was "
        "changed"
    )


def report(settings: Settings, run: dg.DagsterRun) -> None:
    """What a run has restored, and its way back. Raises CheckFailed where files are still missing."""
    from ledger_assets import connections, reports

    document = reports.read(connections.object_store(settings), run.run_id, "restore")
    if "objects" in document:
        console.print(
            f"{document['objects']:,} objects are again what was written; now look at the database:"
        )
        console.print(f"ledger-assets recover {settings.environment} --scenario ransomware")
    elif not document["restores"]:
        console.print("nothing was to be restored, and nothing was changed")
    for done in document["restores"]:
        for line in done.get("repaired") or ():
            console.print(line)
        if done["undo_id"] is None:
            console.print(f"the schema was repaired from {done['snapshot']} ({done['seconds']:.1f} s)")
            files_put_back(
                settings.environment, done["snapshot"], done.get("files"), done.get("files_failed")
            )
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
        files_put_back(settings.environment, done["snapshot"], done.get("files"), done.get("files_failed"))


def files_put_back(
    environment: Environment, snapshot_id: str, count: int | None, failed: Sequence[str] | None
) -> None:
    """Say which files are in the object store again. Raises CheckFailed where one could not be brought there."""
    if count:
        console.print(f"  {count:,} files that the object store had lost are there again")
    for line in (failed or ())[:SHOWN]:
        console.print(Text(f"  {line}", "red"))
    if failed:
        raise CheckFailed(
            "the rows are restored, not all files are: put right what the lines say, then run: ledger-assets restore "
            f"{environment} {snapshot_id} --files"
        )
