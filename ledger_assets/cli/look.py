"""Commands that only look: doctor, status, inventory."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.text import Text

from ledger_assets.cli.session import console, environment_argument, json_option, settings_for
from ledger_assets.cli.tables import table
from ledger_assets.environment import Environment
from ledger_assets.errors import CheckFailed, StoreError


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


@click.command()
@environment_argument
@click.option(
    "--accept", is_flag=True, help="Pin the base as it is now (base.json): its drift has been looked at."
)
@json_option
def inventory(environment: Environment, accept: bool, as_json: bool) -> None:
    """Document the base: tables, fields, links, counts, and the calls and minutes an export needs.

    Reads the base's metadata (one call) and takes the counts from the latest export.
    """
    from ledger_assets import connections
    from ledger_assets.extract import pinned
    from ledger_assets.extract.inventory import take_inventory
    from ledger_assets.extract.metadata import parse_metadata
    from ledger_assets.lane import newest_export

    settings = settings_for(environment)
    with connections.airtable_client(settings) as client:
        text = client.metadata()
    known = pinned.read(settings.pin_folder)
    if known is None or accept:
        pinned.accept(settings.pin_folder, settings.airtable.base_id, text)
    store = connections.object_store(settings)
    try:
        export = newest_export(settings, store)
    except StoreError:
        export = None
    found = take_inventory(parse_metadata(settings.airtable.base_id, text), export)
    if as_json:
        console.print_json(found.to_json().decode())
        return
    shown = table("table", "id", ">records", ">empty", ">fields", ">comments", ">files")
    for entry in found.tables:
        counts = (entry.records, entry.empty_records, len(entry.fields), entry.comments, entry.files)
        shown.add_row(entry.name, entry.id, *("?" if c is None else f"{c:,}" for c in counts))
    console.print(shown)
    links = table("link", "to", ">links", "other side", ">links")
    for link in found.links:
        sides = ("?" if n is None else f"{n:,}" for n in (link.links, link.inverse_links))
        links.add_row(
            f"{link.table}.{link.field}", link.to_table, next(sides), link.inverse or "none", next(sides)
        )
    console.print(links)
    if found.calls is None:
        console.print("? : not counted yet; run: ledger-assets export " + environment)
    else:
        shares = ", ".join(
            f"{share:.1%} of {plan}'s monthly calls" for plan, share in found.share_of_plan.items()
        )
        console.print(
            f"an export takes {found.calls} calls, {found.minutes} minutes at 5 a second ({shares})"
        )
