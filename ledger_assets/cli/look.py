"""Commands that only look: doctor, status."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.text import Text

from ledger_assets.cli.session import console, environment_argument, json_option, settings_for
from ledger_assets.cli.tables import table
from ledger_assets.environment import Environment
from ledger_assets.errors import CheckFailed


@click.command()
@environment_argument
@json_option
def doctor(environment: Environment, as_json: bool) -> None:
    """Look at everything a migration needs; name each failure with its remedy. Exit 1 when something is wrong."""
    from ledger_assets.doctor import examine

    lines = list(examine(settings_for(environment)))
    if as_json:
        console.print_json(json.dumps([asdict(line) for line in lines]))
    else:
        shown = table("", "looked at", "found")
        for line in lines:
            shown.add_row(Text("ok", "green") if line.ok else Text("no", "red"), line.name, line.found)
            if not line.ok:
                shown.add_row("", "", Text(f"do: {line.remedy}", "bold"))
        console.print(shown)
    wrong = [line.name for line in lines if not line.ok]
    if wrong:
        raise CheckFailed(f"{len(wrong)} of {len(lines)} not ready: {', '.join(wrong)}")


@click.command()
@environment_argument
@json_option
def status(environment: Environment, as_json: bool) -> None:
    """What has been done, what is next, and its command."""
    from ledger_assets.status import state

    settings = settings_for(environment)
    found = state(settings)
    if as_json:
        console.print_json(json.dumps(asdict(found), default=str))
        return
    shown = table("step", "done")
    for step in found.steps:
        shown.add_row(step.name, step.done or Text("not yet", "dim"))
    console.print(shown)
    console.print(f"next: {found.next_command}" if found.next_command else "nothing is left to do")
