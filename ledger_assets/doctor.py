"""The checklist before anything is moved: each line is a thing looked at, what was found, and the remedy.

Every probe is a small function that returns a :class:`Line`; it reads, it changes nothing but a canary object of its
own. No probe's text holds a secret.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ledger_assets import connections
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import LedgerError, named

FREE_BYTES = 2 * 1024**3
"""Least free disk: an export, its ledger files and the load's temporary tables of the largest base fit."""

CLOCK_SECONDS = 120.0
"""Most the clock may be off: attachment addresses expire by it, and exports are ordered by it."""


@dataclass(frozen=True)
class Line:
    """One thing looked at. ``remedy`` says what to do when it is not ``ok``."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Line]:
    """Look at everything a migration of this environment needs."""
    yield Line(
        "settings", True, f"{settings.environment}, profile {settings.profile}, target {settings.target_name}"
    )
    for name, probe in PROBES.items():
        try:
            yield from probe(settings)
        except LedgerError as error:
            yield Line(name, False, named(str(error), settings.environment), "see the line itself")


def _home(settings: Settings) -> Iterator[Line]:
    settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free
    yield Line(
        "disk",
        free >= FREE_BYTES,
        f"{free / 1024**3:.1f} GiB free at LEDGER_HOME",
        f"free {FREE_BYTES / 1024**3:.0f} GiB, or set LEDGER_HOME to a larger disk",
    )
    mode = settings.home.stat().st_mode & 0o077
    yield Line(
        "home",
        mode == 0,
        f"{settings.home} mode {settings.home.stat().st_mode & 0o777:o}",
        f"chmod 700 {settings.home}",
    )


def _store(settings: Settings) -> Iterator[Line]:
    store = connections.object_store(settings)
    canary = f"doctor/{uuid.uuid4().hex}"
    store.put(canary, b"canary", create=True)
    same = store.get(canary) == b"canary"
    store.delete(canary)
    yield Line(
        "object store", same, store.url, "the store returned other bytes than were written: use another disk"
    )


def _airtable(settings: Settings) -> Iterator[Line]:
    from ledger_assets.extract.metadata import parse_metadata
    from ledger_assets.extract.responses import Refused
    from ledger_assets.extract.webhooks import SCOPE, webhooks

    base_id = settings.airtable.base_id
    with connections.airtable_client(settings) as client:
        tables = parse_metadata(base_id, client.metadata()).tables
        yield Line("Airtable: schema.bases:read", True, f"base {base_id}: {len(tables)} tables")
        try:
            found, granted = f"{len(webhooks(client))} of the base's ten webhooks", True
        except Refused:
            found, granted = (
                "not granted: every sync exports the whole base, and a cut-over is refused",
                False,
            )
        # Staging is synced by whole exports then; only production has a night that cannot do without.
        fine = granted or settings.environment is not Environment.PRODUCTION
        yield Line(f"Airtable: {SCOPE}", fine, found, f"grant the token the scope {SCOPE}")
        for table in tables:
            page = client.records(table)
            if page.records:
                yield Line("Airtable: data.records:read", True, f"a page of {table.name!r}")
                client.comments(table, page.records[0].id)
                yield Line("Airtable: data.recordComments:read", True, "comments can be read")
                return
    yield Line(
        "Airtable: data.records:read", False, "every table is empty", "is AIRTABLE_BASE_ID the right base?"
    )


def _database(settings: Settings) -> Iterator[Line]:
    from ledger_assets.load import schema

    started = time.monotonic()
    with connections.database(settings, purpose="doctor") as connection:
        row = connection.execute(
            "select current_setting('server_version'), rolsuper, rolbypassrls, rolcreatedb, "
            "clock_timestamp() "
            "from pg_roles where rolname = current_user"
        ).fetchone()
        assert row is not None
        version, superuser, bypass, createdb, there = row
        apart = abs((datetime.now(UTC) - there).total_seconds())
        yield Line(
            "clock", apart <= CLOCK_SECONDS, f"{apart:.0f} s from the database's", "set the clocks (NTP)"
        )
        waited = (time.monotonic() - started) * 1000
        yield Line(
            "database", True, f"{settings.target_name}: Postgres {version}, answered in {waited:.0f} ms"
        )
        yield Line(
            "role: row security", bypass, f"bypassrls {bypass}", "connect as the role postgres of the project"
        )
        yield Line(
            "role: rights", not superuser, f"superuser {superuser}", "connect as postgres, not as a superuser"
        )
        yield Line(
            "role: scratch",
            createdb,
            f"createdb {createdb}",
            "grant createdb: production dry runs use a scratch database",
        )
        pending = schema.pending(connection)
        yield Line(
            "schema",
            not pending,
            "up to date" if not pending else f"{len(pending)} migrations are not applied",
            f"ledger-assets schema apply {settings.environment}",
        )


def _backups(settings: Settings) -> Iterator[Line]:
    from ledger_assets.backup.bucket_checks import examine
    from ledger_assets.backup.place import open_place
    from ledger_assets.backup.tools import needs_tls, tools_for

    place = open_place(settings)
    yield Line("snapshots: key", True, f"{place.identity.key_id} opens with the password")
    for line in examine(place.backup):
        found = line.found if line.level != "warn" else f"{line.found}; {line.remedy}"
        yield Line(f"snapshots: {line.name}", line.level != "fail", found, line.remedy)
    with (
        connections.database_url(settings) as url,
        connections.database(settings, purpose="doctor") as connection,
    ):
        tools = tools_for(connection.info.server_version, place.backup.programs, tls=needs_tls(url))
    yield Line("snapshots: programs", True, f"pg_dump {tools.version}")


def _freeze(settings: Settings) -> Iterator[Line]:
    from ledger_assets import freeze

    with connections.database(settings, purpose="doctor") as connection:
        found = freeze.state(connection)
    gone = found.abandoned or (found.kind == "ran_out" and found.cutover is not None)
    told = "its process is gone" if gone else "writing is open" if not found.live else "writing is refused"
    yield Line(
        "freeze",
        not gone,
        f"{found.described()}: {told}" if found.frozen else told,
        f"start that cut-over again; see: ledger-assets maintenance {settings.environment} status",
    )


def _cutover(settings: Settings) -> Iterator[Line]:
    from ledger_assets.cutover.gates import assert_settings
    from ledger_assets.cutover.settings import read_cutover_settings

    limits = read_cutover_settings()
    assert_settings(settings)
    staging, snapshot = (
        f"{one.total_seconds() / 3600:g} h" for one in (limits.staging_within, limits.snapshot_within)
    )
    yield Line(
        "cut-over",
        True,
        f"asks for staging's proof of the last {staging}, and a verified snapshot of the last {snapshot}",
    )


def _deploy_hooks(_: Settings) -> Iterator[Line]:
    from ledger_assets.switch.settings import read_hooks

    hooks = [hook.host for hook in read_hooks().all]
    told = f"signed; they tell {', '.join(hooks)}" if hooks else "none: the app asks public.live_state()"
    yield Line("deploy hooks", True, told)


def _announcements(settings: Settings) -> Iterator[Line]:
    from ledger_assets.announce import announcing
    from ledger_assets.announce.settings import page_place
    from ledger_assets.announce.templates import Step
    from ledger_assets.announce.window import AT

    if settings.environment is not Environment.PRODUCTION or not os.environ.get(AT, "").strip():
        return
    plan = announcing.prepare(settings, Step.WEEK_BEFORE, now=datetime.now(UTC))
    announcing.sender()
    yield Line(
        "announcements",
        True,
        f"{len(plan.recipients):,} recipients; the window begins {plan.window.when(plan.window.start)}",
    )
    place = page_place(settings)
    yield Line(
        "status page",
        place is not None,
        "published" if place else "nowhere",
        "set STATUS_PAGE_URL to a place of its own",
    )


def _accounts(settings: Settings) -> Iterator[Line]:
    from ledger_assets.accounts.settings import read_auth_settings
    from ledger_assets.people import directory

    auth = read_auth_settings(settings)
    with connections.database(settings, purpose="doctor") as connection:
        place = directory(settings, connection)
        place.check()
        there = next(iter(place.users()), None) is not None
    where = "this Postgres's own auth.users" if auth is None else f"the Auth of {auth.names[0]}"
    yield Line("accounts", True, f"{where} answers; {'it has' if there else 'no'} accounts")


def _media(settings: Settings) -> Iterator[Line]:
    from ledger_assets.people import shelves
    from ledger_assets.placing.settings import read_media_settings
    from ledger_assets.placing.shelf import assert_private

    if read_media_settings(settings) is None:
        yield Line(
            "media", True, "MEDIA_STORE_URL is not set: files are not placed where the app serves them"
        )
        return
    for shelf in shelves(settings):
        canary = f"doctor/{uuid.uuid4().hex}"
        shelf.store.put(canary, b"canary", create=True)
        same = shelf.store.get(canary) == b"canary"
        shelf.store.delete(canary)
        if not shelf.public:
            assert_private(shelf)
        kind = "public" if shelf.public else "private"
        yield Line(
            f"media: {kind}", same, shelf.store.url, "the store returned other bytes than were written"
        )


PROBES: dict[str, Callable[[Settings], Iterator[Line]]] = {
    "home": _home,
    "object store": _store,
    "Airtable": _airtable,
    "database": _database,
    "snapshots": _backups,
    "freeze": _freeze,
    "cut-over": _cutover,
    "deploy hooks": _deploy_hooks,
    "announcements": _announcements,
    "accounts": _accounts,
    "media": _media,
}
