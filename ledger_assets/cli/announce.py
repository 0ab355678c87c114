"""Commands that tell people: ``announce ENV STEP``, ``status-page ENV``, ``contacts``."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_assets.announce.templates import Step
from ledger_assets.cli.session import console, environment_argument, errors, json_option, settings_for
from ledger_assets.environment import Environment
from ledger_assets.errors import CheckFailed, LedgerError

if TYPE_CHECKING:
    from ledger_assets.announce.announcing import Announced, Plan
    from ledger_assets.environment import Settings


@click.command()
@environment_argument
@click.argument("step", type=click.Choice([step.value for step in Step]))
@click.option("--dry-run", is_flag=True, help="Print the text and the number of recipients; send nothing.")
@click.option("--confirm", metavar="NAME", default="", help="Production: the target database's own name.")
@json_option
def announce(environment: Environment, step: str, dry_run: bool, confirm: str, as_json: bool) -> None:
    """Tell people about the maintenance window that MIGRATION_AT and MIGRATION_HOURS name.

    STEP is week_before, day_before, begun, hourly, done or rolled_back. Everybody of ANNOUNCE_RECIPIENTS gets a message of
    their own, once: again sends only to those who do not have it. BACKUP_WEBHOOK_URL gets it once, too. begun opens the
    status page, done and rolled_back close it, and are refused while the database says otherwise. Never from staging, but
    for --dry-run.

    Exit 0: everybody has it. 1: some could not be reached; run it again. 2: a file or setting is wrong, nothing was sent.

    \b
    ledger-assets announce staging week_before --dry-run
    ledger-assets announce production week_before --confirm NAME
    """
    from ledger_assets.announce import announcing
    from ledger_assets.announce.truth import ENDS, assert_true
    from ledger_assets.connections import database
    from ledger_assets.cutover import outside
    from ledger_assets.lane import assert_confirmed

    settings = settings_for(environment)
    now = datetime.now(UTC)
    if dry_run:
        _show(announcing.prepare(settings, Step(step), now=now), as_json)
        return
    if environment is Environment.PRODUCTION:
        assert_confirmed(settings, confirm, what="announcement")
        if Step(step) in ENDS:
            with database(settings, purpose="announce") as connection:
                assert_true(connection, Step(step))
        if Step(step) is Step.HOURLY:
            outside.refresh(settings, now)
    try:
        announced = announcing.announce(settings, Step(step), now=now)
    except OSError as error:
        raise LedgerError(
            f"it cannot be remembered who has it, so it was stopped: {error.strerror}"
        ) from None
    _record(settings, announced)
    if as_json:
        console.print_json(json.dumps(announced.counts))
    else:
        _print(announced)
    if not announced.complete:
        raise CheckFailed("not everybody was reached: run it again, those who have it get nothing twice")


@click.command("status-page")
@environment_argument
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="Write it there.")
@json_option
def status_page(environment: Environment, out: Path | None, as_json: bool) -> None:
    """Write the status page as it stands now into a folder, to look at it. Publishes nothing."""
    from ledger_assets.announce import status_page as pages
    from ledger_assets.announce.settings import announce_folder

    settings = settings_for(environment)
    now = datetime.now(UTC)
    state, window = pages.current(settings)
    files = pages.render(settings, state, window, now=now)
    if as_json:
        console.print_json(files[pages.JSON].decode())
        return
    folder = (out or announce_folder(settings) / "page").absolute()
    try:
        pages.write_folder(folder, files)
    except OSError as error:
        raise LedgerError(f"--out: the folder {folder} cannot be written: {error.strerror}") from None
    console.print(f"open {(folder / pages.HTML).as_uri()}")


@click.command()
@click.option("--example", is_flag=True, help="Print the example file, to copy and fill in.")
@json_option
def contacts(example: bool, as_json: bool) -> None:
    """Whom to call: the technical and the business team, and the escalation path, from LEDGER_CONTACTS.

    Without that setting the invented people of the example are shown.
    """
    from ledger_assets.announce.contacts import EXAMPLE, contacts_file, read_contacts

    if example:
        click.echo(EXAMPLE.read_text(encoding="utf-8"), nl=False)
        return
    path = contacts_file(synthetic=True)
    found = read_contacts(path)
    if as_json:
        console.print_json(json.dumps(found.document()))
        return
    if path == EXAMPLE:
        console.print("LEDGER_CONTACTS is not set: these people are invented")
    for title, group in (("technical", found.technical), ("business", found.business)):
        console.print(title)
        for contact in group:
            console.print(f"  {contact.line}")
    console.print("escalation, in this order")
    for number, step in enumerate(found.escalation, start=1):
        console.print(f"  {number}. {step.contact.line}" + (f" ({step.when})" if step.when else ""))


def _show(plan: Plan, as_json: bool) -> None:
    text = plan.text()
    if as_json:
        document = {"subject": text.subject, "text": text.body} if text else {}
        console.print_json(json.dumps({"dry_run": True, "recipients": len(plan.recipients), **document}))
        return
    if text is None:
        console.print("its template is empty: this step is not announced")
        return
    console.print(f"Subject: {text.subject}\n\n{text.body}\n")
    console.print(f"a dry run: nothing was sent; it would go to {len(plan.recipients):,} recipients")


def _print(announced: Announced) -> None:
    if announced.mailed is None:
        console.print(f"{announced.step}: its template is empty, so nobody was told")
        return
    for name, one in (("people", announced.mailed), ("webhook", announced.webhook)):
        if one is None:
            continue
        if one.busy:
            console.print(f"{announced.step}, {name}: another process is sending it now")
            continue
        console.print(
            f"{announced.step}, {name}: sent to {one.sent:,}, {one.had:,} had it, {one.waiting:,} wait, "
            f"{one.refused:,} refused by their server ({one.recipients:,} in all)"
        )
        for reason in one.reasons:
            console.print(f"  {reason}")


def _record(settings: Settings, announced: Announced) -> None:
    """People were told already: that it could not be written down must not look as if they were not."""
    from ledger_assets.announce import announcing
    from ledger_assets.connections import database

    log = logging.getLogger("ledger_assets")
    log.info("announce %s", json.dumps(announced.counts))
    try:
        with database(settings, purpose="announce") as connection:
            announcing.record(connection, announced)
    except LedgerError as error:
        log.warning("announce: not recorded: %s", error)
        errors.print(f"it was announced, but not recorded in the database: {error}")
