"""The commands of accounts: ``accounts ENV make|invite|codes|disable|list``."""

from __future__ import annotations

import json
import logging
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from ledger_assets.cli.consent import actor, as_option
from ledger_assets.cli.session import console, environment_argument, json_option, settings_for
from ledger_assets.cli.tables import table
from ledger_assets.environment import Environment

_log = logging.getLogger("ledger_assets")
SHOWN = 20
dry_run_option = click.option("--dry-run", is_flag=True, help="Tell what would be done; nothing is changed.")
confirm_option = click.option(
    "--confirm", metavar="NAME", default="", help="Production: the target database's own name."
)


@click.group()
@environment_argument
def accounts(environment: Environment) -> None:
    """Accounts for storytellers with an e-mail address of their own, and claim codes for the others.

    An account publishes nothing and shows nothing more: its holder sees their own stories. Nobody is written to unless
    `invite` is asked for. An account that somebody has already is never linked: they get a code, and a steward confirms.

    \b
    ledger-assets accounts staging make --dry-run
    ledger-assets accounts production make --confirm NAME
    ledger-assets accounts production disable --run RUN --confirm NAME
    """


def _environment() -> Environment:
    parent = click.get_current_context().parent
    assert parent is not None
    found = parent.params["environment"]
    assert isinstance(found, Environment)
    return found


@accounts.command()
@dry_run_option
@confirm_option
@as_option
@json_option
def make(dry_run: bool, confirm: str, who: str | None, as_json: bool) -> None:
    """Make the accounts that are missing, and link each to its storyteller. No mail is sent."""
    from ledger_assets import connections, lane, people

    settings, name = settings_for(_environment()), actor(who)
    if not dry_run:
        lane.assert_confirmed(settings, confirm, what="accounts make")
    run_id = uuid.uuid4().hex
    with connections.database(settings, purpose="accounts") as connection:
        made = people.make_accounts(settings, connection, run_id=run_id, who=name, dry_run=dry_run)
    _log.info(
        "accounts make%s: %s", " (dry run)" if dry_run else "", json.dumps(made.detail(), sort_keys=True)
    )
    if as_json:
        console.print_json(json.dumps({"dry_run": dry_run, "run": run_id, **asdict(made)}))
        return
    console.print(f"accounts {'that would be made' if dry_run else 'made and linked'}: {made.made:,}")
    _reasons("claim code instead", made.codes)
    _reasons("neither", made.nothing)
    if made.erased:
        console.print(
            f"unused accounts of people who were erased, {'to be ' * dry_run}removed: {made.erased:,}"
        )
    if made.erased_used:
        console.print(
            f"used accounts of people who were erased: {_ids(made.erased_used)}; ask them, then delete"
        )
    console.print(
        "a dry run: nothing was changed"
        if dry_run
        else f"run {run_id} (accounts disable --run takes it back)"
    )


@accounts.command()
@dry_run_option
@confirm_option
@as_option
def invite(dry_run: bool, confirm: str, who: str | None) -> None:
    """Send each holder of an account that was made one invitation: the project's own mail. Production only."""
    from ledger_assets import connections, lane, people

    settings, name = settings_for(_environment()), actor(who)
    if not dry_run:
        lane.assert_confirmed(settings, confirm, what="accounts invite")
    with connections.database(settings, purpose="accounts") as connection:
        done = people.invite_accounts(
            settings, connection, run_id=uuid.uuid4().hex, who=name, dry_run=dry_run
        )
    _log.info("accounts invite: %d invited, %d before", done.invited, done.before)
    console.print(f"{'would be ' * dry_run}invited: {done.invited:,}; invited before: {done.before:,}")
    if done.passed:
        console.print(f"not written to (in use, disabled, or another address now): {_ids(done.passed)}")


@accounts.command()
@click.option("--days", default=30, show_default=True, help="How long a code is valid (90 at most).")
@click.option("--again", is_flag=True, help="Also for those who hold a code, which ends: the file was lost.")
@click.option(
    "--folder",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Where the file is written [LEDGER_HOME/codes].",
)
@dry_run_option
@confirm_option
@as_option
def codes(days: int, again: bool, folder: Path | None, dry_run: bool, confirm: str, who: str | None) -> None:
    """Issue claim codes to storytellers who get no account, in a new file that its owner alone can read.

    The file holds record ids and codes and is the only place a code stands in. Give each person theirs in a way that you
    would trust with their story, then delete the file. A steward confirms each claim in the app.
    """
    from ledger_assets import connections, lane, people

    settings, name = settings_for(_environment()), actor(who)
    if not dry_run:
        lane.assert_confirmed(settings, confirm, what="accounts codes")
    with connections.database(settings, purpose="accounts") as connection:
        done = people.issue_codes(
            settings,
            connection,
            run_id=uuid.uuid4().hex,
            days=days,
            again=again,
            folder=folder,
            who=name,
            dry_run=dry_run,
        )
    _log.info("accounts codes: %d issued, %d standing", done.issued, done.standing)
    console.print(f"codes {'that would be ' * dry_run}issued: {done.issued:,}; standing: {done.standing:,}")
    if done.path is not None:
        console.print(f"they are in {done.path}")


@accounts.command()
@click.option("--run", "of_run", metavar="RUN", help="Only what this run made (as `make` printed it).")
@dry_run_option
@confirm_option
@as_option
def disable(of_run: str | None, dry_run: bool, confirm: str, who: str | None) -> None:
    """Take back the accounts that were made: unlink each from its storyteller, and let nobody sign in with it.

    Words that somebody wrote with one stay. `make` enables and links them again.
    """
    from ledger_assets import connections, lane, people

    settings, name = settings_for(_environment()), actor(who)
    if not dry_run:
        lane.assert_confirmed(settings, confirm, what="accounts disable")
    with connections.database(settings, purpose="accounts") as connection:
        done = people.take_back_accounts(
            settings, connection, run_id=uuid.uuid4().hex, of_run=of_run, who=name, dry_run=dry_run
        )
    _log.info("accounts disable: %s", json.dumps(asdict(done), sort_keys=True))
    console.print(
        f"accounts {'that would be ' * dry_run}disabled: {done.disabled:,}; unlinked: {done.unlinked:,}; "
        f"begun and never made: {done.never_made:,}; deleted by others before: {done.gone:,}"
    )


@accounts.command(name="list")
@json_option
def list_accounts(as_json: bool) -> None:
    """List what was made, by ids, from our own record: the project is not asked."""
    from ledger_assets import connections
    from ledger_assets.accounts.plan import people

    environment = _environment()
    with connections.database(settings_for(environment), purpose="accounts") as connection:
        everybody = people(connection)
    made = [one for one in everybody if one.state is not None]
    if as_json:
        rows = [
            {
                "storyteller": one.name,
                "account": str(one.user_id),
                "state": one.state,
                "linked": one.claimed,
                "invited": one.invited,
            }
            for one in made
        ]
        console.print_json(json.dumps(rows))
        return
    shown = table("storyteller", "account", "state", "linked", "invited")
    for one in made:
        answers = ("yes" if value else "no" for value in (one.claimed, one.invited))
        shown.add_row(one.name, str(one.user_id), one.state or "", *answers)
    console.print(shown)
    counts = Counter(one.state for one in made)
    states = ", ".join(f"{state} {number:,}" for state, number in sorted(counts.items(), key=str))
    holding = sum(one.has_code for one in everybody)
    console.print(
        f"storytellers: {len(everybody):,}; {states or 'no account was made'}; codes standing: {holding:,}"
    )


def _reasons(what: str, found: Mapping[str, Sequence[str]]) -> None:
    for why, ids in sorted(found.items()):
        console.print(f"{what}, {why}: {len(ids):,} ({_ids(ids)})")


def _ids(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
    return ", ".join(ids[:SHOWN]) + more
