"""Commands of snapshots: prepare the place, take, list, verify, hold, remove. What moves data is a run in the web UI too."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
from rich.text import Text

from ledger_assets.cli.backup_key import password, setup
from ledger_assets.cli.session import (
    console,
    environment_argument,
    instance,
    json_option,
    materialised,
    run_job,
    settings_for,
)
from ledger_assets.cli.tables import table
from ledger_assets.environment import Environment
from ledger_assets.errors import CheckFailed

if TYPE_CHECKING:
    from ledger_assets.backup.catalogue import Snapshot

KINDS = ("full", "checkpoint", "emergency", "baseline")
JOBS = {
    "full": "backup",
    "checkpoint": "checkpoint",
    "emergency": "backup_emergency",
    "baseline": "backup_baseline",
}

snapshot_argument = click.argument("snapshot_id", metavar="ID")


@click.group()
def backup() -> None:
    """Encrypted snapshots of the database and its files: take, list, verify, hold, remove.

    \b
    ledger-assets backup setup production
    ledger-assets backup take production --kind full
    ledger-assets backup list production
    """


backup.add_command(setup)
backup.add_command(password)


@backup.command()
@environment_argument
@click.option("--kind", type=click.Choice(KINDS), default="full", show_default=True)
@json_option
def take(environment: Environment, kind: str, as_json: bool) -> None:
    """Take a snapshot now and verify it: it is restored into a scratch database and compared.

    A checkpoint is the way back of the next load; an emergency one is of a database in trouble; a baseline is of whatever
    was there before us and needs nothing of ours in it.
    """
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place

    settings = settings_for(environment)
    place = open_place(settings)  # before anything starts: a missing password or bucket is one line
    with instance(settings.home) as dagster_instance:
        run = run_job(dagster_instance, environment, JOBS[kind])
    _print([one for one in catalogue.read(place).snapshots if one.manifest.run_id == run.run_id], as_json)


@backup.command("list")
@environment_argument
@json_option
def list_(environment: Environment, as_json: bool) -> None:
    """All snapshots, oldest first, and whether each was really restored."""
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place

    known = catalogue.read(open_place(settings_for(environment)))
    _print(list(known.snapshots), as_json)
    if as_json:
        return
    if not known.snapshots:
        console.print(f"no snapshot yet; take one: ledger-assets backup take {environment}")
    if known.unfinished:
        console.print(f"unfinished, of runs that were stopped: {', '.join(known.unfinished)}")
    for line in known.refused:
        console.print(Text(line, "red"))


@backup.command()
@environment_argument
@click.argument("snapshot_id", metavar="[ID]", required=False)
@json_option
def verify(environment: Environment, snapshot_id: str | None, as_json: bool) -> None:
    """Restore stored snapshots into a scratch database and compare them. Exit 1 when one is not what it was.

    Without ID: the newest, and the one that was not looked at for longest.
    """
    from ledger_assets import backups
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place
    from ledger_assets.cli.session import progress_bars
    from ledger_assets.connections import object_store

    settings = settings_for(environment)
    place = open_place(settings)
    known = catalogue.read(place)
    chosen = [known.find(snapshot_id)] if snapshot_id else backups.to_reverify(known.snapshots)
    store = object_store(settings)
    with progress_bars():
        found = [backups.verify(settings, store, place, snapshot) for snapshot in chosen]
    if as_json:
        rows = [
            {
                "id": one.snapshot.id,
                "passed": not one.problems,
                "problems": list(one.problems),
                "seconds": one.verification.seconds,
                "three_way": one.compared.facts() if one.compared else None,
            }
            for one in found
        ]
        console.print_json(json.dumps(rows))
    else:
        for one in found:
            done = one.verification
            line = Text(f"{done.snapshot_id}: ")
            console.print(line + _verdict(done.passed) + Text(f", {done.rows:,} rows, {done.seconds:.1f} s"))
            for problem in one.problems:
                console.print(f"  {problem}")
            if one.compared is not None:
                console.print(f"  three-way: {_ways(one.compared.facts())}")
    failed = [one.snapshot.id for one in found if one.problems]
    if failed:
        raise CheckFailed(
            f"does not restore exactly: {', '.join(failed)}; use an earlier one, and take a new one now"
        )


@backup.command()
@environment_argument
@click.option("--apply", "really", is_flag=True, help="Remove them; without it they are only named.")
@json_option
def prune(environment: Environment, really: bool, as_json: bool) -> None:
    """Remove the snapshots that retention lets go: BACKUP_KEEP_DAILY, _WEEKLY, _MONTHLY, _YEARLY, _RECENT."""
    from ledger_assets import backups

    decision, unfinished = backups.prune(settings_for(environment), apply=really)
    if as_json:
        told = {
            "keep": decision.keep,
            "expire": decision.expire,
            "refused": decision.refused,
            "unfinished": unfinished,
        }
        console.print_json(json.dumps(told))
        return
    shown = table("snapshot", "kept because")
    for snapshot_id, reasons in decision.keep.items():
        shown.add_row(snapshot_id, ", ".join(reasons))
    console.print(shown)
    word = "removed" if really else "would be removed with --apply"
    console.print(f"{word}: {', '.join(decision.expire) or 'none'}")
    if decision.refused:
        console.print(Text(f"nothing is removed: {decision.refused}", "yellow"))


@backup.command()
@environment_argument
@click.option("--fresh", is_flag=True, help="From a snapshot taken now, not from the newest.")
def rehearse(environment: Environment, fresh: bool) -> None:
    """Recover from a made-up disaster, in scratch, and say how long it took. Touches nothing live.

    The times are kept with the asset ENV/operations/rehearsal: its plots show the trend.
    """
    from ledger_assets.backup.place import open_place

    settings = settings_for(environment)
    open_place(settings)
    config = {"ops": {"rehearse": {"config": {"fresh": fresh}}}}
    with instance(settings.home) as dagster_instance:
        run = run_job(dagster_instance, environment, "rehearse", run_config=config)
        (told,) = materialised(dagster_instance, run)
    console.print(
        f"{told['snapshot']}: {told['rows_brought_back']:,} of {told['rows']:,} rows were lost or changed, and are back "
        f"exactly; {told['seconds_to_recover']:.1f} s from noticing it to the proof, {told['seconds_to_restore']:.1f} s of "
        "it the restore"
    )


@backup.command()
@environment_argument
@snapshot_argument
@click.option("--days", type=click.IntRange(1, 3650), help="For so long; without it until it is released.")
@click.option("--release", is_flag=True, help="End the hold (or let a baseline go).")
@click.option("--note", default="", help="Why, for whoever reads the list.")
def hold(environment: Environment, snapshot_id: str, days: int | None, release: bool, note: str) -> None:
    """Keep a snapshot whatever retention says."""
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.catalogue import State
    from ledger_assets.backup.place import open_place

    place = open_place(settings_for(environment))
    snapshot = catalogue.read(place).find(snapshot_id)
    now = datetime.now(UTC)
    if release:
        catalogue.say(place, snapshot.id, State.RELEASED, at=now, note=note)
        console.print(f"{snapshot.id} is released: retention decides")
        return
    until = None if days is None else now + timedelta(days=days)
    catalogue.say(place, snapshot.id, State.HELD, at=now, note=note, until=until)
    console.print(
        f"{snapshot.id} is held {'until it is released' if until is None else f'until {until:%Y-%m-%d}'}"
    )


def _print(snapshots: list[Snapshot], as_json: bool) -> None:
    now = datetime.now(UTC)
    if as_json:
        rows = [
            {
                "id": one.id,
                "kind": one.manifest.kind,
                "taken_at": one.manifest.taken_at,
                "state": one.word,
                "verified_at": one.verified_at.isoformat() if one.verified_at else None,
                "held": one.held(now),
                "rows": one.manifest.rows,
                "bytes": one.manifest.bytes,
                "files": one.manifest.media_files,
                "export": one.manifest.export_id,
                "reason": one.manifest.reason,
            }
            for one in snapshots
        ]
        console.print_json(json.dumps(rows))
        return
    shown = table("snapshot", "taken (UTC)", "state", ">rows", ">MB", ">files", "why")
    colours = {"verified": "green", "unverified": "yellow", "corrupt": "red"}
    for one in snapshots:
        state = Text(one.word, colours[one.word])
        if one.held(now):
            state.append(", held", "bold")
        m = one.manifest
        at = f"{m.at:%Y-%m-%d %H:%M:%S}"
        shown.add_row(m.id, at, state, f"{m.rows:,}", f"{m.bytes / 1e6:.1f}", f"{m.media_files:,}", m.reason)
    if snapshots:
        console.print(shown)


def _verdict(passed: bool) -> Text:
    return Text("restores exactly", "green") if passed else Text("DOES NOT restore exactly", "red")


def _ways(facts: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
