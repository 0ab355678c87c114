"""The command of the night: cutover, its rehearsal, its way back, and where it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ledger_assets.cli.consent import actor, as_option
from ledger_assets.cli.restored import confirm_option, emergency_option, report
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
from ledger_assets.errors import CheckFailed, SettingsError
from ledger_assets.moment import utc
from ledger_assets.progress import listen

if TYPE_CHECKING:
    from rich.table import Table

    from ledger_assets.cutover.attempts import Step
    from ledger_assets.cutovers import Seen

PHASES = {
    "lapsed": "its process ended before anything was loaded; the freeze is over; start again by the same command",
    "frozen": "under way, nothing is loaded yet; should its process die, writing opens by itself within a minute",
    "forced": "loaded and not switched, and its freeze was ended by force: --back returns to before",
    "loaded": "loaded and not switched: writing stays frozen; the same command again goes on, --back returns to before",
    "opened": "loaded, and its freeze was ended by force before the switch: --back returns to before",
    "switched": "the app reads from here; writing opens with the last step; the same command again goes on",
    "returning": "on its way back; the same command again finishes it",
    "done": "done: the app reads from here and people write",
    "returned": "taken back: the checkpoint is restored, the app reads from Airtable",
    "abandoned": "given up before anything was loaded",
}
STOPPED = "a step failed before anything was loaded; writing opens by itself within a minute; then the same command again"


@click.command()
@environment_argument
@click.option(
    "--base-is-read-only",
    is_flag=True,
    help="You have made the base read-only in Airtable. Nothing begins before that.",
)
@click.option(
    "--hours",
    type=click.FloatRange(0.1, 48),
    default=5.0,
    show_default=True,
    help="How long the night is planned to be.",
)
@click.option(
    "--watch-minutes",
    type=click.FloatRange(0, 24 * 60),
    default=120.0,
    show_default=True,
    help="Health is watched for so long between the switch and the end of the freeze.",
)
@click.option(
    "--rehearse", is_flag=True, help="All of it against a copy of the database; says the time it will take."
)
@click.option("--back", is_flag=True, help="Take the cut-over back: database and switch return together.")
@click.option("--status", is_flag=True, help="Where the newest cut-over stands, step by step.")
@emergency_option
@confirm_option
@as_option
@json_option
def cutover(
    environment: Environment,
    base_is_read_only: bool,
    hours: float,
    watch_minutes: float,
    rehearse: bool,
    back: bool,
    status: bool,
    without_emergency: bool,
    confirm: str,
    who: str | None,
    as_json: bool,
) -> None:
    """Freeze, sync, checkpoint, load, prove, check access and health, switch, watch, unfreeze: the whole night.

    Until the load is committed, a killed process leaves nothing behind and writing opens by itself. From then on writing
    stays frozen until the switch, or until the checkpoint is restored, which happens by itself when a gate stays shut.
    The same command again goes on where a killed one stood.

    \b
    ledger-assets cutover production --rehearse
    ledger-assets cutover production --base-is-read-only --confirm NAME
    """
    if sum((rehearse, back, status)) > 1:
        raise click.UsageError("--rehearse, --back and --status do not go together")
    settings = settings_for(environment)
    if status:
        _status(settings, as_json)
    elif rehearse:
        _rehearse(settings, as_json)
    elif back:
        go_back(settings, None, without_emergency, confirm, actor(who))
    else:
        _cut_over(settings, base_is_read_only, hours, watch_minutes, confirm, actor(who))


def _cut_over(
    settings: Settings, base_is_read_only: bool, hours: float, watch_minutes: float, confirm: str, who: str
) -> None:
    from ledger_assets import cutovers
    from ledger_assets.assets.cutover_events import staging_proof
    from ledger_assets.lane import assert_can_load

    assert_can_load(settings, confirm)
    name = f" --confirm {settings.target_name}" if settings.environment is Environment.PRODUCTION else ""
    config = {
        "confirm": confirm,
        "base_is_read_only": base_is_read_only,
        "who": who,
        "hours": hours,
        "watch_minutes": watch_minutes,
    }
    with instance(settings.home) as dagster_instance, _told():
        if (done := cutovers.live(settings)) is not None:
            console.print(f"cut-over {done.id[:8]} of {settings.target_name}: {PHASES['done']}")
        else:
            cutovers.assert_ready(
                settings,
                confirm=confirm,
                base_is_read_only=base_is_read_only,
                staging=staging_proof(dagster_instance),
            )
            run_job(
                dagster_instance,
                settings.environment,
                "cutover",
                run_config={
                    "ops": {"freeze": {"config": config}, "load_finally": {"config": {"confirm": confirm}}}
                },
                tell=lambda run_id: _status_of(settings, run_id),
            )
        console.print(
            f"to take it back, database and switch together: ledger-assets cutover {settings.environment} --back{name}"
        )
        _assert_told(settings, name)


def _assert_told(settings: Settings, name: str) -> None:
    """Raises CheckFailed while a deploy hook has not taken the switch: what it builds reads from the old place."""
    from ledger_assets import connections, switch

    with connections.database(settings, purpose="cutover") as connection:
        missed = [hook.host for hook in switch.outstanding(connection, switch.read_hooks())]
    if missed:
        raise CheckFailed(
            f"the cut-over is done, and {len(missed)} deploy hooks were not told ({', '.join(missed)}): put them right, "
            f"then: ledger-assets switch {settings.environment} --to supabase{name}"
        )


def go_back(
    settings: Settings, snapshot_id: str | None, without_emergency: bool, confirm: str, who: str
) -> None:
    """Take a cut-over back by its job; ``snapshot_id`` None: the newest."""
    from ledger_assets import connections, cutovers, reports
    from ledger_assets.lane import assert_confirmed

    assert_confirmed(settings, confirm, what="the way back")
    found = cutovers.to_go_back(settings, snapshot_id)
    if found is None:
        raise SettingsError(f"{settings.target_name} has no cut-over that could be taken back")
    config = {"cutover": found.id, "who": who, "emergency": not without_emergency, "confirm": confirm}
    with instance(settings.home) as dagster_instance:
        run = run_job(
            dagster_instance,
            settings.environment,
            "cutover_back",
            run_config={"ops": {"go_back": {"config": config}}},
        )
    if found.state != "returned":
        report(settings, run)
    console.print(f"cut-over {found.id[:8]} is taken back: the app reads from Airtable, people write again")
    left = reports.read(connections.object_store(settings), run.run_id, "restore").get("left", [])
    if left:
        raise CheckFailed(f"the way back is complete here, and not outside: {'; '.join(left)}")


def _rehearse(settings: Settings, as_json: bool) -> None:
    import uuid

    from ledger_assets import connections
    from ledger_assets.build import table_specs
    from ledger_assets.cutover.rehearse import rehearse

    with progress_bars():
        found = rehearse(
            settings,
            connections.object_store(settings),
            table_specs(settings.profile),
            run_id=f"rehearsal-{uuid.uuid4().hex[:12]}",
        )
    if as_json:
        console.print_json(json.dumps({**asdict(found), "total": found.total}))
    else:
        shown = table("step", ">seconds")
        for name, seconds in found.seconds.items():
            shown.add_row(name, f"{seconds:.1f}")
        console.print(shown)
        console.print(
            f"writing would be frozen for {found.total:.0f} s, and for the watch after it; the load would write "
            f"{found.written:,} rows; snapshot {found.snapshot_id} stays"
        )
    if found.problems:
        raise CheckFailed(f"the night would have stopped: {'; '.join(found.problems[:5])}")


@contextmanager
def _told() -> Iterator[None]:
    """A line for each step as it begins and ends, for whoever watches at night."""

    def show(stage: str, label: str, done: int, total: int | None) -> None:
        if stage == "cutover":
            console.print(f"{datetime.now(UTC):%H:%M:%S} UTC {label} ({done} of {total} steps)")

    with listen(show):
        yield


def _status_of(settings: Settings, run_id: str) -> None:
    """Unless the run was refused before it belonged to any."""
    from ledger_assets import cutovers

    found = cutovers.seen(settings)
    if found is not None and run_id in found.cutover.runs:
        _status(settings, as_json=False)


def _status(settings: Settings, as_json: bool) -> None:
    from ledger_assets import cutovers

    found = cutovers.seen(settings)
    if as_json:
        console.print_json(json.dumps(None if found is None else _document(found), default=str))
        return
    if found is None:
        console.print(f"{settings.target_name} has had no cut-over")
        return
    stopped = found.phase == "frozen" and any(one.outcome == "failed" for one in found.steps)
    words = STOPPED if stopped else PHASES[found.phase]
    for one, steps in found.given_up:
        last = f"in its step {steps[-1].name}" if steps else "before its first step"
        console.print(
            f"before it, cut-over {one.id[:8]} of {utc(one.began_at)} was given up {last}: {one.why}"
        )
    console.print(f"cut-over {found.cutover.id[:8]} of {settings.target_name}: {words}")
    shown = table("step", "began (UTC)", ">seconds", "outcome", "run", "facts")
    for step in found.steps:
        for one_try in (*step.before, step):
            _add_step(shown, one_try, killed=one_try is not step)
    console.print(shown)


def _add_step(shown: Table, step: Step, *, killed: bool) -> None:
    facts = ", ".join(f"{name} {value}" for name, value in step.facts.items() if value not in ([], None, ""))
    shown.add_row(
        step.name,
        f"{step.began_at.astimezone(UTC):%H:%M:%S}",
        "" if step.seconds is None else f"{step.seconds:.1f}",
        step.outcome or ("its process ended" if killed else "not ended"),
        step.run_id[:8],
        facts,
    )


def _document(found: Seen) -> dict[str, object]:
    return {
        **asdict(found.cutover),
        "phase": found.phase,
        "steps": [_step_document(one) for one in found.steps],
        "given_up": [
            {**asdict(one), "steps": [_step_document(step) for step in steps]}
            for one, steps in found.given_up
        ],
    }


def _step_document(step: Step) -> dict[str, object]:
    return {**asdict(step), "seconds": step.seconds}
