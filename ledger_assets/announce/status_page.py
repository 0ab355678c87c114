"""The status page: one HTML file that needs nothing else, and a JSON beside it, published while a window is open.

What belongs here: writing both, and putting them where people read them. What does not: the words (``page_words``), what
happens in the window (``cutover`` hands over a plain :class:`State`).

Invariant: :func:`publish` never raises and never waits long: a page that cannot be written stops no migration. It is told,
recorded, and tried again with the next step and the next hour.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ledger_assets.announce import page_words
from ledger_assets.announce import state as states
from ledger_assets.announce.contacts import Contacts, contacts_file, read_contacts
from ledger_assets.announce.settings import PagePlace, announce_folder, page_place
from ledger_assets.announce.state import State
from ledger_assets.announce.window import AT, Window, read_window, window_from
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import LedgerError, StoreError

if TYPE_CHECKING:
    import psycopg

HTML, JSON = "index.html", "status.json"
TYPES = {HTML: "text/html; charset=utf-8", JSON: "application/json; charset=utf-8"}
FRESH_SECONDS = 60
"""A browser or a network of caches may show a copy that old."""
TROUBLE = "page.trouble"
"""Kept while the page cannot be published: it is told once, not at each step."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    """``done``: the page is out. ``trouble``: why it is not, in a line; None where no page is asked for."""

    done: bool
    trouble: str | None = None


def publish(
    settings: Settings,
    state: State,
    *,
    connection: psycopg.Connection | None = None,
    run_id: str | None = None,
    now: datetime | None = None,
    environ: Mapping[str, str] | None = None,
) -> Published:
    """Keep the state and publish its page; with a ``connection``, record it when it fails. Never raises.

    Of staging nothing is published: rehearsals are nobody's news. Whoever rehearses in production must not call this.
    """
    at = now or datetime.now(UTC)
    if settings.environment is not Environment.PRODUCTION:
        return Published(False)
    folder = announce_folder(settings)
    try:
        window = window_of(state, at, environ)
        states.save(folder, window, state)
        place = page_place(settings, environ)
        if place is None:
            return Published(False)
        write(place, render(settings, state, window, now=at, environ=environ))
        (folder / TROUBLE).unlink(missing_ok=True)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the migration goes on
        trouble = str(error) if isinstance(error, LedgerError) else type(error).__name__
        _log.warning("the status page could not be published: %s", trouble)
        _tell(settings, folder, error, at, environ)
        _record(connection, error, run_id)
        return Published(False, trouble)
    return Published(True)


def render(
    settings: Settings,
    state: State,
    window: Window,
    *,
    now: datetime,
    environ: Mapping[str, str] | None = None,
) -> dict[str, bytes]:
    """The page's files. A contacts file with a fault leaves the contacts out, and no more."""
    from jinja2 import Environment as Jinja
    from jinja2 import PackageLoader

    jinja = Jinja(loader=PackageLoader("ledger_assets.announce", "page"), autoescape=True, trim_blocks=False)
    page = page_words.words(state, window, _contacts(settings, environ), now)
    html = jinja.get_template("status.html.j2").render(page=page, state=state)
    document = page_words.document(state, window, page, now)
    return {HTML: html.encode(), JSON: json.dumps(document, indent=1, ensure_ascii=False).encode()}


def current(settings: Settings, *, environ: Mapping[str, str] | None = None) -> tuple[State, Window]:
    """The state as it was kept last, and its window. Raises SettingsError when none is set and none was ever begun."""
    env = os.environ if environ is None else environ
    folder = announce_folder(settings)
    if not env.get(AT, "").strip() and (begun := states.begun_at(folder)) is not None:
        window = window_from(begun, env)
    else:
        window = read_window(env)
    return states.load(folder, window), window


def window_of(state: State, now: datetime, environ: Mapping[str, str] | None = None) -> Window:
    """The window of the settings; where none is set, the one that begins when the state did."""
    env = os.environ if environ is None else environ
    return read_window(env) if env.get(AT, "").strip() else window_from(state.begun_at or now, env)


def write(place: PagePlace, files: Mapping[str, bytes]) -> None:
    """Put the files there, the page last. Raises StoreError or OSError."""
    names = sorted(files, key=lambda name: name == HTML)
    if place.folder is not None:
        write_folder(place.folder, {name: files[name] for name in names})
        return
    assert place.bucket is not None
    from ledger_assets.storage_s3 import Patience, open_bucket

    patience = Patience(retries=1, most=timedelta(seconds=15), silence=timedelta(seconds=10))
    store = open_bucket(place.bucket, patience)
    for name in names:
        _put(store, name, files[name])


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Whole files that a web server of another account can read, whatever this account's mask."""
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o755)
    for name, data in files.items():
        unfinished = folder / f".{name}.tmp"
        unfinished.write_bytes(data)
        unfinished.chmod(0o644)
        unfinished.replace(folder / name)


def _put(store: object, name: str, data: bytes) -> None:
    import obstore
    from obstore.exceptions import BaseError

    from ledger_assets.storage_s3 import reason

    attributes = {"Content-Type": TYPES[name], "Cache-Control": f"max-age={FRESH_SECONDS}"}
    try:
        obstore.put(
            store,  # type: ignore[arg-type]  # an object to PagePlace, so that reading settings imports no obstore
            name,
            data,
            attributes=attributes,
            use_multipart=False,
        )
    except (BaseError, OSError) as error:
        raise StoreError(f"STATUS_PAGE_URL: {name} cannot be written: {reason(str(error))}") from None


def _contacts(settings: Settings, environ: Mapping[str, str] | None) -> Contacts | None:
    try:
        return read_contacts(contacts_file(synthetic=settings.database_url is None, environ=environ))
    except LedgerError as error:
        _log.warning("the status page is without contacts: %s", str(error).splitlines()[0])
        return None


def _tell(
    settings: Settings, folder: Path, error: Exception, at: datetime, environ: Mapping[str, str] | None
) -> None:
    from ledger_assets.backup import messages, notices

    try:
        if (folder / TROUBLE).exists():
            return
        (folder / TROUBLE).touch()
    except OSError:
        _log.warning("the folder of announcements cannot be written: its trouble is told each time")
    notices.send(
        settings.environment,
        messages.status_page_failed(settings.environment, error, at=at),
        now=at,
        environ=environ,
    )


def _record(connection: psycopg.Connection | None, error: Exception, run_id: str | None) -> None:
    from ledger_assets import events

    if connection is None:
        return
    try:
        events.record(
            connection, "status_page", "failed", run_id=run_id, detail={"cause": type(error).__name__}
        )
    except Exception as also:  # noqa: BLE001 - as publish: the migration goes on
        _log.warning("it could not be recorded that the status page failed: %s", type(also).__name__)
