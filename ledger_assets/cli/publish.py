"""The command by which a person publishes stories: ``publish ENV --from list.csv``."""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_assets.cli.consent import actor, as_option
from ledger_assets.cli.session import console, environment_argument, json_option, settings_for
from ledger_assets.environment import Environment
from ledger_assets.errors import CheckFailed

if TYPE_CHECKING:
    from ledger_assets.consent.publish import Outcome


@click.command()
@environment_argument
@click.option(
    "--from",
    "listing",
    metavar="LIST.CSV",
    required=True,
    type=click.Path(path_type=Path),
    help="Columns story (Airtable record id or uuid) and circle (public, community, organisation).",
)
@click.option("--dry-run", is_flag=True, help="Execute everything, then roll it back and report.")
@click.option("--confirm", metavar="NAME", default="", help="Production: the target database's own name.")
@as_option
@json_option
def publish(
    environment: Environment, listing: Path, dry_run: bool, confirm: str, who: str | None, as_json: bool
) -> None:
    """Publish the stories of a list, each to the circle named beside it.

    A story that lacks evidence is refused, and what it lacks is named, by ids alone. The others are published, in one
    transaction; those that stood published in that circle already are left alone. Further columns of the list, such
    as note, are for you: they are not read.

    Exit 0: every listed story is published. 1: some were refused. 2: the list is wrong, and nothing was done.
    """
    from ledger_assets.connections import database
    from ledger_assets.consent import publish as engine
    from ledger_assets.consent.listing import read_list

    settings = settings_for(environment)
    listed = read_list(listing)
    name = actor(who)
    if not dry_run:
        engine.assert_confirmed(settings, confirm)
    with database(settings, purpose="publish") as connection:
        outcomes = engine.publish(
            connection, listed, source=listing.name, who=name, environment=environment, commit=not dry_run
        )
    counts = Counter[str](outcome.result for outcome in outcomes)
    logging.getLogger("ledger_assets").info(
        "publish%s: %s", " (dry run)" if dry_run else "", json.dumps(counts, sort_keys=True)
    )
    if as_json:
        document = {"environment": environment.value, "dry_run": dry_run, **_counts(counts)}
        console.print_json(json.dumps({**document, "stories": [asdict(outcome) for outcome in outcomes]}))
    else:
        _print(outcomes, counts, dry_run)
    if counts["refused"]:
        raise CheckFailed(f"{counts['refused']} of {len(outcomes)} listed stories lack evidence")


def _counts(counts: Counter[str]) -> dict[str, int]:
    return {result: counts[result] for result in ("published", "already", "refused")}


def _print(outcomes: tuple[Outcome, ...], counts: Counter[str], dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    for outcome in outcomes:
        if outcome.result == "refused":
            lacks = "; ".join(obstacle.line for obstacle in outcome.obstacles)
            console.print(f"{would}refused {outcome.story} ({outcome.circle}): {lacks}")
    circles = Counter(outcome.circle for outcome in outcomes if outcome.result == "published")
    where = ", ".join(f"{circle} {number:,}" for circle, number in sorted(circles.items()))
    console.print(
        f"{would}published: {counts['published']:,}{f' ({where})' if where else ''}; "
        f"already published in this circle: {counts['already']:,}; {would}refused: {counts['refused']:,}"
    )
    if dry_run:
        console.print("a dry run: everything was rolled back")
