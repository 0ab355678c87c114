"""The command by which a person's request to be erased is carried out: ``erase ENV``."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict

import click

from ledger_assets.cli.consent import actor, as_option
from ledger_assets.cli.session import console, environment_argument, json_option, settings_for
from ledger_assets.environment import Environment


@click.command()
@environment_argument
@click.option(
    "--request", "request_id", metavar="ID", help="Carry this request out; without it they are listed."
)
@click.option("--dry-run", is_flag=True, help="Execute it in Postgres, then roll it back and report.")
@click.option("--confirm", metavar="NAME", default="", help="Production: the target database's own name.")
@as_option
@json_option
def erase(
    environment: Environment,
    request_id: str | None,
    dry_run: bool,
    confirm: str,
    who: str | None,
    as_json: bool,
) -> None:
    """List the open requests of people to be erased, or carry one out.

    Carried out, the words are gone from Postgres (only ids of what went stay), from every stored export, and their files
    from the store; every later export, load and restore leaves the person out, also while they stand in Airtable still:
    delete them there, too. It cannot be undone. Snapshots hold the person until they expire; when that is, it says.

    \b
    ledger-assets erase staging
    ledger-assets erase staging --request 1b4e28ba-2fa1-41d2-883f-0016d3cca427
    """
    settings = settings_for(environment)
    if request_id is None:
        if dry_run or confirm:
            raise click.UsageError("--dry-run and --confirm need --request")
        _list(environment, as_json)
        return
    from ledger_assets import connections, lane
    from ledger_assets.erasure import act

    name = actor(who)
    if dry_run:
        counts = act.try_out(settings, request_id, who=name)
        if as_json:
            console.print_json(json.dumps({"dry_run": True, "counts": counts}))
            return
        console.print(f"would erase: {_counted(counts)}\na dry run: everything was rolled back")
        return
    lane.assert_confirmed(settings, confirm, what="erasure")
    done = act.erase(settings, connections.object_store(settings), request_id, who=name)
    logging.getLogger("ledger_assets").info(
        "erase %s: %s", request_id, json.dumps(done.counts, sort_keys=True)
    )
    if as_json:
        console.print_json(json.dumps(asdict(done)))
        return
    console.print(f"erased: {_counted(done.counts)}")
    for line in (*done.purged.lines(), *done.lines):
        console.print(line)
    console.print("delete them in Airtable too; the next export, load and proof leave them out")


def _list(environment: Environment, as_json: bool) -> None:
    from ledger_assets.connections import database
    from ledger_assets.erasure.requests import standing

    with database(settings_for(environment), purpose="erase") as connection:
        found = standing(connection)
    if as_json:
        console.print_json(json.dumps([asdict(one) for one in found], default=str))
        return
    for one in found:
        subject = one.storyteller_id or one.story_id or one.account_id or "nobody any more"
        console.print(f"{one.request_id}  {one.scope} {subject}  asked {one.requested_at:%Y-%m-%d}")
    if not found:
        console.print("nobody waits to be erased")


def _counted(counts: dict[str, object]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in counts.items())
