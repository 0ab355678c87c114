"""``late-edits ENV``: what people changed in Airtable after the switch.

What belongs here: its words. What does not: finding and dismissing them (``cutover.late``).
"""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from ledger_assets.cli.consent import actor, as_option
from ledger_assets.cli.session import console, environment_argument, json_option, settings_for
from ledger_assets.environment import Environment
from ledger_assets.errors import CheckFailed


@click.command("late-edits")
@environment_argument
@click.option(
    "--dismiss",
    "dismissed",
    multiple=True,
    metavar="ID",
    help="This one need not be loaded; all: none of them.",
)
@as_option
@json_option
def late_edits(environment: Environment, dismissed: tuple[str, ...], who: str | None, as_json: bool) -> None:
    """What people changed in Airtable after the switch. For 14 days health stays red until each is loaded or dismissed.

    Exit 1 while there are any.
    """
    from ledger_assets import connections
    from ledger_assets.cutover import late

    settings = settings_for(environment)
    store = connections.object_store(settings)
    with connections.database(settings, purpose="late-edits") as connection:
        if dismissed:
            chosen = None if dismissed == ("all",) else dismissed
            count = late.dismiss(settings, connection, store, who=actor(who), records=chosen)
            console.print(f"{count} dismissed")
        found = late.late(settings, connection, store)
    if as_json:
        console.print_json(json.dumps(None if found is None else asdict(found), default=str))
    elif found is None:
        console.print("nobody looks: the app does not read from here, or has done so for more than 14 days")
    elif found.lost is not None:
        console.print(f"Airtable cannot tell what changed: {found.lost}")
    else:
        for line in (*found.schema, *found.records):
            console.print(line)
        console.print(
            f"{len(found.records)} records changed in Airtable since the last load; looked for until "
            f"{found.until:%Y-%m-%d}"
        )
    if found is not None and (found.records or found.schema or found.lost):
        name = f" --confirm {settings.target_name}" if environment is Environment.PRODUCTION else ""
        raise CheckFailed(f"to load them: ledger-assets sync {environment}{name}")
