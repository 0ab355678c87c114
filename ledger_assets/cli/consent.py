"""The commands of consent: ``consent record`` keeps what a person said, ``consent show`` what stands."""

from __future__ import annotations

import getpass
import json
import logging
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import click

from ledger_assets.cli.session import console, environment_argument, json_option, settings_for
from ledger_assets.cli.tables import table
from ledger_assets.consent.words import CIRCLES, EVIDENCE_KINDS, PRIVATE, PURPOSES, listed_ids, open_to
from ledger_assets.environment import Environment
from ledger_assets.errors import SettingsError

if TYPE_CHECKING:
    from ledger_assets.consent.record import Changes, Said

as_option = click.option(
    "--as", "who", metavar="NAME", help="Who does this, for the audit; without it, this machine's user."
)
storyteller_option = click.option(
    "--storyteller", metavar="ID", required=True, help="Airtable record id or uuid of the person."
)


def actor(given: str | None) -> str:
    """Who acts, for the audit. Raises SettingsError where nobody can be named."""
    try:
        name = getpass.getuser() if given is None else given.strip()
    except (KeyError, OSError):
        name = ""
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise SettingsError("--as: name who does this, in at most 100 printable characters")
    return name


@click.group()
def consent() -> None:
    """Record what a person has consented to or withdrawn; show what stands.

    \b
    ledger-assets consent record staging --storyteller recXXXXXXXXXXXXXX --purpose public_sharing \\
        --given --evidence-kind form --evidence "folder 12, page 3" --circle public
    ledger-assets consent record staging --storyteller recXXXXXXXXXXXXXX --purpose public_sharing --withdrawn
    ledger-assets consent show staging --storyteller recXXXXXXXXXXXXXX
    """


@consent.command()
@environment_argument
@storyteller_option
@click.option("--purpose", type=click.Choice(PURPOSES), help="What the consent is for; none implies another.")
@click.option("--given", is_flag=True, help="They consent to that purpose.")
@click.option("--withdrawn", is_flag=True, help="They no longer do, or never did.")
@click.option(
    "--evidence-kind", type=click.Choice(EVIDENCE_KINDS), help="With --withdrawn: spoken, unless it is named."
)
@click.option(
    "--evidence", metavar="TEXT", default="", help="Where the evidence lies, never what it says. For --given."
)
@click.option("--story", metavar="ID", help="For this story alone, not for all of theirs.")
@click.option(
    "--expires",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help="From this day (0:00 UTC) on it no longer holds.",
)
@click.option(
    "--circle",
    type=click.Choice([*CIRCLES, PRIVATE]),
    help="The widest circle the person allows for any story of theirs; a wider one only with --given.",
)
@click.option("--deceased/--not-deceased", "deceased", default=None, help="The dead need posthumous consent.")
@as_option
def record(
    environment: Environment,
    storyteller: str,
    purpose: str | None,
    given: bool,
    withdrawn: bool,
    evidence_kind: str | None,
    evidence: str,
    story: str | None,
    expires: datetime | None,
    circle: str | None,
    deceased: bool | None,
    who: str | None,
) -> None:
    """Record a consent or a withdrawal, and see what follows.

    It takes effect at once, for stories, quotes, files, analysis and insights. What came from Airtable is never
    changed: a withdrawal stands beside it and outweighs it. Again: nothing new.
    """
    from ledger_assets.connections import database
    from ledger_assets.consent import record as engine

    if given and withdrawn:
        raise click.UsageError("--given and --withdrawn do not go together")
    said = engine.Said(
        purpose=purpose,
        given=given if given or withdrawn else None,
        evidence_kind=evidence_kind,
        evidence=evidence.strip(),
        story=story,
        expires=expires.date() if expires else None,
        circle=circle,
        deceased=deceased,
    )
    engine.check(said)
    name = actor(who)
    settings = settings_for(environment)
    with database(settings, purpose="consent") as connection:
        changes = engine.record(connection, storyteller, said, who=name, environment=environment)
    logging.getLogger("ledger_assets").info(
        "consent record: %d stories closed, %d opened", len(changes.closed), len(changes.opened)
    )
    _print_changes(said, changes)


def _print_changes(said: Said, changes: Changes) -> None:
    person = changes.storyteller
    if said.purpose is not None:
        state = "given" if said.given else "withdrawn"
        scope = f"story {said.story}" if said.story else "all stories"
        already = "" if changes.recorded else " (recorded already, nothing was written)"
        console.print(f"{person}: {said.purpose} {state} for {scope}{already}")
    if said.circle is not None:
        console.print(f"{person}: widest circle {_changed(changes.circle, said.circle)}")
    if said.deceased is not None:
        flag = "deceased" if said.deceased else "not deceased"
        console.print(f"{person}: {flag}{'' if changes.deceased is not None else ' already'}")
    for standing in changes.standing:
        outdoes = "outweighs it" if standing.state == "withdrawn" else "outlasts it"
        console.print(
            f"{person}: still {standing.purpose} {standing.state} for {standing.story or 'all stories'} "
            f"(evidence: {standing.evidence_kind}), which {outdoes}"
        )
    for what, ids in (
        ("stories closed", changes.closed),
        ("stories opened", changes.opened),
        ("stories open to another circle", changes.moved),
        ("stories whose analysis closed", changes.analysis_closed),
        ("stories whose analysis opened", changes.analysis_opened),
    ):
        if ids or what in {"stories closed", "stories opened"}:
            console.print(f"{what}: {len(ids):,}{f' ({listed_ids(ids)})' if ids else ''}")


def _changed(change: tuple[str, str] | None, now: str) -> str:
    return f"{now} already" if change is None else f"{change[1]} (was {change[0]})"


@consent.command()
@environment_argument
@storyteller_option
@json_option
def show(environment: Environment, storyteller: str, as_json: bool) -> None:
    """Show a person's consents, and whom their stories are open to.

    By ids alone; with the purposes for which nothing is recorded that holds.
    """
    from ledger_assets.connections import database
    from ledger_assets.consent import standing as engine

    settings = settings_for(environment)
    with database(settings, purpose="consent") as connection:
        found = engine.show(connection, storyteller, environment=environment)
    if as_json:
        stories = [{**asdict(sight), "open_to": open_to(sight.limits)} for sight in found.stories]
        console.print_json(json.dumps({**asdict(found), "stories": stories}, default=str))
        return
    marks = [mark for mark, holds in (("deceased", found.deceased), ("sensitive", found.sensitive)) if holds]
    console.print(f"{found.storyteller}: widest circle {', '.join([found.circle, *marks])}")
    consents = table("purpose", "state", "for", "until", "evidence", "recorded")
    for row in found.consents:
        consents.add_row(
            row.purpose,
            row.state,
            row.story or "all stories",
            str(row.expires or ""),
            row.evidence_kind,
            str(row.recorded),
        )
    console.print(consents)
    console.print(f"no consent for all stories: {', '.join(found.missing) or 'none'}")
    stories_table = table("story", "status", "meant for", "open to", "analysis")
    for sight in found.stories:
        shown = "open" if sight.analysis else "closed"
        stories_table.add_row(sight.story, sight.status, sight.privacy, open_to(sight.limits), shown)
    console.print(stories_table)
