"""The commands of files: ``media ENV place|verify``."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import click

from ledger_assets.cli.consent import actor, as_option
from ledger_assets.cli.session import console, environment_argument, json_option, settings_for
from ledger_assets.environment import Environment
from ledger_assets.errors import CheckFailed

_log = logging.getLogger("ledger_assets")
SHOWN = 20


@click.group()
@environment_argument
def media(environment: Environment) -> None:
    """Put the migrated files where the app serves them, and check that they are there.

    Everything lies in the private store (MEDIA_STORE_URL). With MEDIA_PUBLIC_STORE_URL, pictures of stories that are open to
    everybody, and shown photos of their tellers, lie there instead: run `place` again after every withdrawal, which takes
    them out of it.

    \b
    ledger-assets media staging place --dry-run
    ledger-assets media production place --confirm NAME
    ledger-assets media production verify
    """


def _environment() -> Environment:
    parent = click.get_current_context().parent
    assert parent is not None
    found = parent.params["environment"]
    assert isinstance(found, Environment)
    return found


@media.command()
@click.option(
    "--again", is_flag=True, help="Read back what stands already, too, and write anew what is damaged."
)
@click.option("--dry-run", is_flag=True, help="Tell what would be done; nothing is changed.")
@click.option("--confirm", metavar="NAME", default="", help="Production: the target database's own name.")
@as_option
@json_option
def place(again: bool, dry_run: bool, confirm: str, who: str | None, as_json: bool) -> None:
    """Place every file, read it back, and let its row name the key. A second pass writes nothing.

    Exit 1: some files could not be placed; their rows are named, all others are placed.
    """
    from ledger_assets import connections, lane, people

    settings, name = settings_for(_environment()), actor(who)
    if not dry_run:
        lane.assert_confirmed(settings, confirm, what="media place")
    run_id = uuid.uuid4().hex
    with connections.database(settings, purpose="media") as connection:
        done = people.place_media(
            settings,
            connection,
            connections.object_store(settings),
            run_id=run_id,
            who=name,
            again=again,
            dry_run=dry_run,
        )
    _log.info("media place%s: %s", " (dry run)" if dry_run else "", json.dumps(done.detail(), sort_keys=True))
    if as_json:
        console.print_json(json.dumps({"dry_run": dry_run, "run": run_id, **asdict(done)}))
    else:
        console.print(
            f"files {'that would be ' * dry_run}placed: {done.placed:,}; standing: {done.standing:,}; taken out of the "
            f"public store: {done.closed:,}; removed: {done.removed:,}"
        )
        if done.changed:
            console.print(f"changed meanwhile: {done.changed:,}; run this again")
        if done.left:
            console.print(
                f"in a bucket that the settings do not name any more: {done.left:,}; they lie there still: remove them there"
            )
        _problems(done.problems)
        if dry_run:
            console.print("a dry run: nothing was changed")
    if done.problems:
        raise CheckFailed(f"{sum(map(len, done.problems.values()))} files could not be placed")


@media.command()
@json_option
def verify(as_json: bool) -> None:
    """Read every placed file back whole and compare it. Exit 1: something is the matter; the rows are named."""
    from ledger_assets import connections, people

    settings = settings_for(_environment())
    with connections.database(settings, purpose="media") as connection:
        found = people.verify_media(settings, connection)
    counts = {why: len(ids) for why, ids in found.problems.items()}
    _log.info("media verify: %d same, %d strays, %s", found.same, found.strays, json.dumps(counts))
    if as_json:
        console.print_json(json.dumps(asdict(found)))
    else:
        console.print(f"files as they should be: {found.same:,}; objects that no row names: {found.strays:,}")
        _problems(found.problems)
    if not found.ok:
        raise CheckFailed(
            f"{sum(counts.values()) + found.strays} files are not as they should be: "
            "ledger-assets media ENV place --again puts right what can be"
        )


def _problems(problems: Mapping[str, Sequence[str]]) -> None:
    for why, ids in sorted(problems.items()):
        more = f" and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
        console.print(f"{why}: {len(ids):,} ({', '.join(ids[:SHOWN])}{more})")
