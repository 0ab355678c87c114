"""``switch ENV``: which source is live for the app, outside a cut-over."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ledger_assets.cli.consent import actor, as_option
from ledger_assets.cli.session import (
    console,
    environment_argument,
    json_option,
    local_time,
    settings_for,
    show_in_ui,
)
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import CheckFailed

if TYPE_CHECKING:
    from ledger_assets.switch import Called, Live, Source


@click.command()
@environment_argument
@click.option("--to", type=click.Choice(["supabase", "airtable"]), help="Make this the live source.")
@click.option("--confirm", metavar="NAME", default="", help="Production: the target database's own name.")
@as_option
@json_option
def switch(environment: Environment, to: Source | None, confirm: str, who: str | None, as_json: bool) -> None:
    """Make one source live for the app, at once and in one place, and tell the deploy hooks; without --to show it.

    The flip stands also where a hook does not answer: exit 1, and the same command again tells only those that have not
    taken it. The way back is the same command with the other source. Refused while a cut-over holds a freeze.

    \b
    ledger-assets switch staging
    ledger-assets switch staging --to supabase
    ledger-assets switch staging --to airtable
    """
    from ledger_assets import events, lane
    from ledger_assets import switch as engine
    from ledger_assets.connections import database

    settings, hooks = settings_for(environment), engine.read_hooks()
    name = actor(who) if who else events.somebody()
    if to is None:
        with database(settings, purpose="switch") as connection:
            found, waiting = engine.live(connection), engine.outstanding(connection, hooks)
        if as_json:
            _print_json(found, outstanding=[hook.host for hook in waiting])
            return
        _print_live(found)
        if waiting:
            console.print(f"deploy hooks that have not taken it: {', '.join(hook.host for hook in waiting)}")
        return
    lane.assert_confirmed(settings, confirm, what="switch")
    with database(settings, purpose="switch") as connection:
        flipped = engine.switch(connection, to, token=None, who=name, run_id=None)
        called = engine.call_hooks(connection, hooks, environment=environment, who=name, run_id=None)
    _show_in_ui(settings, environment, flipped.live)
    if as_json:
        _print_json(flipped.live, changed=flipped.changed, hooks=[asdict(one) for one in called])
    else:
        console.print(
            f"switched from {flipped.before} to {to}" if flipped.changed else f"{to} was live already"
        )
        _print_live(flipped.live)
        for line in engine.lines(called):
            console.print(line)
    _assert_taken(settings, to, called)


def _assert_taken(settings: Settings, to: str, called: tuple[Called, ...]) -> None:
    missed = [one.host for one in called if not one.taken]
    if missed:
        name = f" --confirm {settings.target_name}" if settings.environment is Environment.PRODUCTION else ""
        raise CheckFailed(
            f"{to} is live, and {len(missed)} of {len(called)} deploy hooks were not told ({', '.join(missed)}): put them "
            f"right, then repeat: ledger-assets switch {settings.environment} --to {to}{name}"
        )


def _show_in_ui(settings: Settings, environment: Environment, found: Live) -> None:
    from ledger_assets.assets.live import live_event

    show_in_ui(settings, lambda: live_event(environment, found))


def _print_live(found: Live) -> None:
    if found.switched_at is None:
        console.print(f"live: {found.source} (never switched)")
        return
    console.print(
        f"live: {found.source}, generation {found.generation}, since {local_time(found.switched_at)} "
        f"by {found.who}"
    )


def _print_json(found: Live, **more: object) -> None:
    console.print_json(json.dumps({**asdict(found), **more}, default=str))
