"""Commands that judge what was done: scorecard, review."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from ledger_assets.cli.session import console, environment_argument, instance, json_option, settings_for
from ledger_assets.cli.tables import table
from ledger_assets.environment import Environment
from ledger_assets.errors import CheckFailed, SettingsError

if TYPE_CHECKING:
    from ledger_assets.scorecard.model import Scorecard

STYLES = {"met": "green", "not met": "red", "unknown": "yellow"}


@click.command()
@environment_argument
@json_option
def scorecard(environment: Environment, as_json: bool) -> None:
    """Answer the roadmap's success criteria one by one, each with its evidence or with what is missing.

    Nothing counts as met without evidence: a proof, a run, an event, or a question asked of the database just now. Exit 1
    when one is not met; what is not known is no failure, and no success.
    """
    from ledger_assets import connections, judgements
    from ledger_assets.run_facts import run_facts

    settings = settings_for(environment)
    store = connections.object_store(settings)
    with instance(settings.home) as dagster_instance:
        card = judgements.score(settings, store, runs=run_facts(dagster_instance, environment))
    if as_json:
        console.print_json(json.dumps(card.document()))
    else:
        _print(card)
    if not card.passed:
        raise CheckFailed(f"not met: {', '.join(one.name for one in card.of('not met'))}")


def _print(card: Scorecard) -> None:
    group = ""
    shown = table("", "criterion", "evidence")
    for one in card.criteria:
        if one.group != group:
            group = one.group
            shown.add_row("", Text(group, "bold"), "")
        shown.add_row(Text(one.answer, STYLES[one.answer]), one.name, one.evidence)
        if one.command:
            shown.add_row("", "", Text(f"do: {one.command}", "bold"))
    console.print(shown)
    console.print(card.headline)


@click.command("review")  # the module cli.review is the findings'
@environment_argument
@click.option(
    "--since", metavar="TIME", help="Begin there (default: the day before MIGRATION_AT, else a week ago)."
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it there, not here."
)
def after_action(environment: Environment, since: str | None, out: Path | None) -> None:
    """The after-action report in Markdown, from the records: the timeline against the timetable, what failed and what
    undid it, figures before and after, open questions for the meeting of week 5.

    \b
    ledger-assets review production --since 2026-12-05T12:00 --out review.md
    """
    from ledger_assets import connections, judgements
    from ledger_assets.review.document import markdown

    settings = settings_for(environment)
    found = judgements.review(settings, connections.object_store(settings), since=_moment(since))
    text = markdown(found)
    if out is None:
        click.echo(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"--out {out} cannot be written: {error.strerror}") from None
    console.print(
        f"{out}: {len(found.lines)} lines of the record, {len(found.failures)} failures and refusals"
    )


def _moment(text: str | None) -> datetime | None:
    import os
    from zoneinfo import ZoneInfo

    from ledger_assets.backup.settings import read_timezone

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"--since {text!r} is not a time: write it as 2026-12-05T12:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(read_timezone(os.environ)))
