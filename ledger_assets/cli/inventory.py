"""The command ``inventory``: the base and the database in numbers, now or at two moments."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ledger_assets.cli.session import console, environment_argument, errors, json_option, settings_for
from ledger_assets.cli.tables import table
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import LedgerError, StoreError, named

if TYPE_CHECKING:
    from ledger_assets.extract.inventory import Inventory
    from ledger_assets.records.database import DatabaseInventory
    from ledger_assets.storage import ObjectStore


@click.command()
@environment_argument
@click.option(
    "--accept", is_flag=True, help="Pin the base as it is now (base.json): its drift has been looked at."
)
@click.option(
    "--compare",
    "named",
    multiple=True,
    metavar="FILE|MOMENT",
    help="Compare the database's figures of then with now; given twice, two moments with each other.",
)
@json_option
def inventory(environment: Environment, accept: bool, named: tuple[str, ...], as_json: bool) -> None:
    """Document the base: tables, fields, links, counts, and the calls and minutes an export needs; and the database:
    rows by table, relations, accounts, projects.

    Reads the base's metadata (one call) and takes the counts from the latest export. The database's figures are kept with
    their moment in the object store (inventories/), to be compared with later: then Airtable is not asked.

    \b
    ledger-assets inventory production
    ledger-assets inventory production --compare 2026-11-22T01:30
    ledger-assets inventory production --compare before.json --compare after.json
    """
    from ledger_assets import connections

    settings = settings_for(environment)
    store = connections.object_store(settings)
    if named:
        if accept or len(named) > 2:
            raise click.UsageError("--compare takes one or two moments, and goes without --accept")
        _compare(settings, store, named, as_json)
        return
    found, database = _base(settings, store, accept=accept), _database(settings, store)
    if as_json:
        document: dict[str, Any] = json.loads(found.to_json())
        document["database"] = None if database is None else database.document()
        console.print_json(json.dumps(document))
        return
    _print_base(environment, found)
    if database is not None:
        _print_database(database)


def _base(settings: Settings, store: ObjectStore, *, accept: bool) -> Inventory:
    from ledger_assets import connections
    from ledger_assets.extract import pinned
    from ledger_assets.extract.inventory import take_inventory
    from ledger_assets.extract.metadata import parse_metadata
    from ledger_assets.lane import newest_export

    with connections.airtable_client(settings) as client:
        text = client.metadata()
    known = pinned.read(settings.pin_folder)
    if known is None or accept:
        pinned.accept(settings.pin_folder, settings.airtable.base_id, text)
    try:
        export = newest_export(settings, store)
    except StoreError:
        export = None
    return take_inventory(parse_metadata(settings.airtable.base_id, text), export)


def _database(settings: Settings, store: ObjectStore) -> DatabaseInventory | None:
    """The database's figures; one that cannot be counted yet is no reason not to see the base's."""
    from ledger_assets import counts

    try:
        return counts.take(settings, store)
    except LedgerError as error:
        errors.print(f"the database is not counted: {named(str(error), settings.environment)}")
        return None


def _compare(settings: Settings, store: ObjectStore, named: tuple[str, ...], as_json: bool) -> None:
    from ledger_assets import counts
    from ledger_assets.records.compared import changed

    before, after, changes = counts.compare(settings, store, named)
    if as_json:
        lines = [{**asdict(one), "difference": one.difference} for one in changes]
        console.print_json(json.dumps({"before": before.at, "after": after.at, "figures": lines}))
        return
    shown = table("figure", f">{before.at}", f">{after.at}", ">difference")
    differing = changed(changes)
    for one in differing:
        values = ("?" if value is None else f"{value:,}" for value in (one.before, one.after))
        shown.add_row(one.what, *values, "?" if one.difference is None else f"{one.difference:+,}")
    console.print(shown)
    console.print(f"{len(differing)} of {len(changes)} figures differ")


def _print_base(environment: Environment, found: Inventory) -> None:
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


def _print_database(found: DatabaseInventory) -> None:
    rows, empty = table(f"in {found.target}", ">rows"), 0
    for name, number in found.tables.items():
        empty += not number
        if number:
            rows.add_row(name, f"{number:,}")
    relations = table("relation", ">rows that refer")
    for name, number in found.relations.items():
        if number:
            relations.add_row(name, f"{number:,}")
    people = table("people and projects", ">number")
    for what, some in {**found.accounts, **found.projects}.items():
        people.add_row(what, "not told here" if some is None else f"{some:,}")
    for shown in (rows, relations, people):
        console.print(shown)
    console.print(f"{empty} tables are empty; kept: compare later with --compare {found.at}")
