"""Accounts and files of one environment: what the commands, the jobs and the cut-over call.

What belongs here: which directory of accounts and which stores an environment has, and the record of what was done. What
does not: the work (``accounts``, ``placing``).

Invariant: everything that changes something leaves ``begun`` and how it ended in ``migration.events``, with counts and ids.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger_assets import events
from ledger_assets.environment import Settings
from ledger_assets.errors import LedgerError, SettingsError
from ledger_assets.writing import Writer, only_one

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.accounts.back import TakenBack
    from ledger_assets.accounts.codes import Issued
    from ledger_assets.accounts.directory import Directory
    from ledger_assets.accounts.invite import Invited
    from ledger_assets.accounts.make import Made
    from ledger_assets.placing.place import Placed
    from ledger_assets.placing.shelf import Shelf
    from ledger_assets.placing.verify import Verified
    from ledger_assets.storage import ObjectStore

SHOWN = 20
ACCOUNTS, MEDIA = "accounts", "media"
"""What one process at a time works on."""


def directory(settings: Settings, connection: psycopg.Connection) -> Directory:
    """Where this environment's accounts are. Raises SettingsError."""
    from ledger_assets.accounts.api import AuthApi
    from ledger_assets.accounts.plain import PlainDirectory
    from ledger_assets.accounts.settings import read_auth_settings

    if (auth := read_auth_settings(settings)) is not None:
        return AuthApi(auth)
    plain = PlainDirectory(connection)
    plain.check()
    return plain


def make_accounts(
    settings: Settings,
    connection: psycopg.Connection,
    *,
    run_id: str,
    who: str | None = None,
    during_freeze: bool = False,
    dry_run: bool = False,
) -> Made:
    """Make the accounts that are missing and link them; nobody is written to. Again makes nothing."""
    from ledger_assets.accounts.make import make

    writer = _writer(settings, connection, run_id, who, during_freeze)
    place = directory(settings, connection)
    with _alone(writer, "accounts_make", ACCOUNTS, dry_run=dry_run) as detail:
        made = make(writer, place, dry_run=dry_run)
        detail.update(made.detail())
    return made


def take_back_accounts(
    settings: Settings,
    connection: psycopg.Connection,
    *,
    run_id: str,
    of_run: str | None = None,
    who: str | None = None,
    during_freeze: bool = False,
    dry_run: bool = False,
) -> TakenBack:
    """Unlink and disable the accounts that run ``of_run`` (None: every run) made. Again does nothing."""
    from ledger_assets.accounts.back import take_back

    writer = _writer(settings, connection, run_id, who, during_freeze)
    place = directory(settings, connection)
    with _alone(writer, "accounts_disable", ACCOUNTS, dry_run=dry_run) as detail:
        done = take_back(writer, place, of_run=of_run, dry_run=dry_run)
        detail.update(asdict(done))
    return done


def invite_accounts(
    settings: Settings,
    connection: psycopg.Connection,
    *,
    run_id: str,
    who: str | None = None,
    dry_run: bool = False,
) -> Invited:
    """Invite, once, the people whose accounts were made."""
    from ledger_assets.accounts.invite import invite

    writer = _writer(settings, connection, run_id, who, during_freeze=False)
    place = directory(settings, connection)
    with _alone(writer, "accounts_invite", ACCOUNTS, dry_run=dry_run) as detail:
        done = invite(writer, place, dry_run=dry_run)
        detail.update(invited=done.invited, before=done.before, passed=list(done.passed[:SHOWN]))
    return done


def issue_codes(
    settings: Settings,
    connection: psycopg.Connection,
    *,
    run_id: str,
    days: int,
    again: bool = False,
    folder: Path | None = None,
    who: str | None = None,
    dry_run: bool = False,
) -> Issued:
    """Codes for those who get no account, in a new file of ``folder`` (``LEDGER_HOME/codes``)."""
    from ledger_assets.accounts import codes
    from ledger_assets.accounts.plan import decide, people

    writer = _writer(settings, connection, run_id, who, during_freeze=False)
    decisions = decide(people(connection), directory(settings, connection).users())
    place = folder or settings.home / codes.FOLDER
    with _alone(writer, "accounts_codes", ACCOUNTS, dry_run=dry_run) as detail:
        issued = codes.issue(writer, decisions, place, days=days, again=again, dry_run=dry_run)
        detail.update(issued=issued.issued, standing=issued.standing, days=days)
    return issued


def shelves(settings: Settings) -> list[Shelf]:
    """The stores that the app serves files from. Raises SettingsError."""
    from ledger_assets.placing.settings import PRIVATE, read_media_settings
    from ledger_assets.placing.shelf import open_shelves

    media = read_media_settings(settings)
    if media is None:
        raise SettingsError(
            f"{PRIVATE} is not set: name the private bucket that the app serves files from (s3://bucket), or a folder "
            "(file:///...)"
        )
    return open_shelves(media)


def place_media(
    settings: Settings,
    connection: psycopg.Connection,
    store: ObjectStore,
    *,
    run_id: str,
    who: str | None = None,
    again: bool = False,
    during_freeze: bool = False,
    dry_run: bool = False,
) -> Placed:
    """Put every migrated file where the app serves it, and take away what must not lie there. A second pass writes nothing.

    Files that cannot be placed are in ``problems``; nothing is raised for them.
    """
    from ledger_assets.extract.scratch import remove_abandoned, scratch_folder
    from ledger_assets.placing.place import place

    writer = _writer(settings, connection, run_id, who, during_freeze)
    stores = shelves(settings)
    remove_abandoned(settings.home)
    with (
        scratch_folder(settings.home) as folder,
        _alone(writer, "media_place", MEDIA, dry_run=dry_run) as detail,
    ):
        placed = place(writer, store, stores, folder, again=again, dry_run=dry_run)
        detail.update(placed.detail())
    return placed


def verify_media(settings: Settings, connection: psycopg.Connection) -> Verified:
    """Read every placed file back whole and compare it. Changes nothing."""
    from ledger_assets.placing.verify import verify

    return verify(connection, shelves(settings))


def remove_unnamed_media(settings: Settings) -> list[str]:
    """After an erasure: remove the files that no row names any more; a line for a person where there is something to say."""
    from ledger_assets import connections
    from ledger_assets.placing.place import sweep
    from ledger_assets.placing.settings import read_media_settings
    from ledger_assets.placing.shelf import open_shelves

    try:
        media = read_media_settings(settings)
        with connections.database(settings, purpose="media") as connection:
            if not events.read(connection, actions=["media_place"]):
                return []
            if media is None:
                return ["MEDIA_STORE_URL is not set: files of theirs may lie where the app serves them still"]
            with only_one(connection, MEDIA):
                removed = sweep(connection, open_shelves(media))
    except LedgerError as error:
        return [
            (
                f"files that the app serves were not removed: {error}; then run: ledger-assets media "
                f"{settings.environment} place"
            )
        ]
    return [f"removed from where the app serves files: {removed}"] if removed else []


def remove_accounts_of_erased(settings: Settings, *, who: str) -> list[str]:
    """After an erasure: remove the accounts that were made for the erased and that nobody has used; lines for a person."""
    from ledger_assets import connections
    from ledger_assets.accounts.make import forget_erased, of_erased

    try:
        with connections.database(settings, purpose="accounts") as connection:
            if not of_erased(connection):
                return []
            writer = _writer(settings, connection, uuid.uuid4().hex, who, during_freeze=False)
            place = directory(settings, connection)
            with _alone(writer, "accounts_erased", ACCOUNTS) as detail:
                removed, used = forget_erased(writer, place)
                detail.update(removed=removed, used=used[:SHOWN])
    except LedgerError as error:
        return [
            (
                f"the account that was made for them was not removed: {error}; then run: ledger-assets accounts "
                f"{settings.environment} make"
            )
        ]
    lines = [f"unused accounts that were made for the erased, removed: {removed}"] if removed else []
    return [
        *lines,
        *(f"the account that was made for {one} is in use: ask them, then delete it" for one in used),
    ]


def _writer(
    settings: Settings,
    connection: psycopg.Connection,
    run_id: str,
    who: str | None,
    during_freeze: bool,
) -> Writer:
    return Writer(connection, settings.environment, who or events.somebody(), run_id, during_freeze)


@contextmanager
def _alone(writer: Writer, action: str, what: str, *, dry_run: bool = False) -> Iterator[dict[str, Any]]:
    """Recorded, and nobody else at the same; a dry run is neither, and its detail is told to nobody."""
    if dry_run:
        yield {}
    else:
        with _recorded(writer, action) as detail, only_one(writer.connection, what):
            yield detail


@contextmanager
def _recorded(writer: Writer, action: str) -> Iterator[dict[str, Any]]:
    """Record begun and done or failed; the block fills the detail of the latter."""
    detail: dict[str, Any] = {}
    _record(writer, action, "begun", {})
    try:
        yield detail
    except LedgerError:
        if not writer.connection.broken:
            _record(writer, action, "failed", detail)
        raise
    _record(writer, action, "failed" if detail.get("problems") else "done", detail)


def _record(writer: Writer, action: str, outcome: events.Outcome, detail: Mapping[str, Any]) -> None:
    events.record(writer.connection, action, outcome, who=writer.who, run_id=writer.run_id, detail=detail)
