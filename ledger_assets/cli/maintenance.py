"""``maintenance ENV on|off|status``: the owner's freeze by hand, and what holds now."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from ledger_assets.cli.consent import actor, as_option
from ledger_assets.cli.session import (
    console,
    environment_argument,
    json_option,
    local_time,
    progress_bars,
    settings_for,
    show_in_ui,
)
from ledger_assets.environment import Environment
from ledger_assets.errors import SettingsError

if TYPE_CHECKING:
    from ledger_assets.freeze.state import Frozen

LONGEST_REASON = 200


@click.command()
@environment_argument
@click.argument("action", type=click.Choice(["on", "off", "status"]))
@click.option("--reason", metavar="TEXT", help="on: why. Everybody who tries to write reads it.")
@click.option(
    "--until",
    metavar="TIME",
    help="on: it ends by itself then (2026-11-22T18:30; of LEDGER_TIMEZONE unless an offset is given).",
)
@click.option("--minutes", type=click.IntRange(1, 60 * 24 * 31), help="on: it ends by itself after so many.")
@click.option("--force", is_flag=True, help="off: also the freeze of a running cut-over, which stops by it.")
@click.option("--confirm", metavar="NAME", default="", help="on, production: the target database's own name.")
@as_option
@json_option
def maintenance(
    environment: Environment,
    action: str,
    reason: str | None,
    until: str | None,
    minutes: int | None,
    force: bool,
    confirm: str,
    who: str | None,
    as_json: bool,
) -> None:
    """Freeze writing: nobody but the loader writes, everybody reads on. Lift it; or show what holds.

    on waits for the writes that are on their way; if they do not end within a minute it opens writing again and names
    their processes. It lasts until lifted, or until --until. off never asks. The login service and file uploads are not
    stopped, views are not counted meanwhile.

    \b
    ledger-assets maintenance staging on --reason "moving to the new archive" --minutes 30
    ledger-assets maintenance staging status
    ledger-assets maintenance staging off
    """
    if action != "on" and (reason or until or minutes or confirm):
        raise click.UsageError("--reason, --until, --minutes and --confirm go with: on")
    if action != "off" and force:
        raise click.UsageError("--force goes with: off")
    from ledger_assets import events, freeze, lane
    from ledger_assets.connections import database

    settings = settings_for(environment)
    name = actor(who) if who else events.somebody()
    if action == "on":
        text, end = _reason(reason), _end(until, minutes)
        lane.assert_confirmed(settings, confirm, what="freeze")
    with database(settings, purpose="maintenance") as connection:
        if action == "on":
            with progress_bars():
                freeze.on(connection, reason=text, who=name, until=end)
        elif action == "off":
            lifted = freeze.off(connection, who=name, force=force)
        found = freeze.state(connection)
    if action != "status":
        from ledger_assets.assets.live import freeze_event

        show_in_ui(settings, lambda: freeze_event(environment, found))
    if as_json:
        console.print_json(json.dumps(found.document(), default=str))
        return
    if action == "off":
        console.print(f"{lifted.described()} is lifted" if lifted.live else "nothing was frozen")
    for line in described(found):
        console.print(line)


def described(found: Frozen) -> list[str]:
    """What holds now, for people."""
    if found.kind == "none":
        return ["writing is open"]
    if found.kind == "ran_out":
        if found.cutover is None:
            return [f"writing is open: the freeze ended by itself at {_time(found.until)}"]
        over = f"the lease of cut-over {found.cutover} ran out at {_time(found.lease_until)}"
        return [f"writing is open: {over}; its process ended without thawing: start the cut-over again"]
    lines = [
        f"writing is frozen: {found.reason}",
        f"by {found.who} since {_time(found.since)}, until {_time(found.until) if found.until else 'it is lifted'}",
    ]
    if found.kind == "lease":
        lines.append(
            f"held by cut-over {found.cutover}; unless renewed it ends by itself at {_time(found.lease_until)}"
        )
    if found.kind == "held":
        lines.append(
            f"held by cut-over {found.cutover} since its load was committed; it does not end by itself: finish that "
            "cut-over, or restore its checkpoint"
        )
    if found.abandoned:
        lines.append(f"its process is gone: nobody has renewed it since {_time(found.lease_until)}")
    return lines


def _time(at: datetime | None) -> str:
    return "an unknown time" if at is None else local_time(at)


def _reason(given: str | None) -> str:
    reason = (given or "").strip()
    if not 0 < len(reason) <= LONGEST_REASON or not reason.isprintable():
        raise click.UsageError(f"on needs --reason, in at most {LONGEST_REASON} printable characters")
    return reason


def _end(until: str | None, minutes: int | None) -> datetime | None:
    """When it ends by itself. Raises SettingsError."""
    from zoneinfo import ZoneInfo

    from ledger_assets.backup.settings import read_timezone

    if until is not None and minutes is not None:
        raise click.UsageError("--until and --minutes do not go together")
    zone = ZoneInfo(read_timezone())
    if minutes is not None:
        return datetime.now(zone) + timedelta(minutes=minutes)
    if until is None:
        return None
    try:
        end = datetime.fromisoformat(until)
    except ValueError:
        raise SettingsError("--until: write the time as 2026-11-22T18:30") from None
    return end if end.tzinfo else end.replace(tzinfo=zone)
