"""An empty database to restore into: on an embedded Postgres of its own, or on a server that a setting names.

What belongs here: making it and taking it away. What does not: what is restored (``restored``).

Invariants: it is never a database that keeps anything; it listens on this machine only; it is gone afterwards, also
after an error, Ctrl-C or SIGTERM. After SIGKILL the embedded one is taken away by the next that is made.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import psycopg
from psycopg import conninfo, sql

from ledger_assets.backup.settings import BackupSettings
from ledger_assets.backup.tools import servers_for
from ledger_assets.demo.postgres import Cluster
from ledger_assets.demo.processes import exclusive, open_lock, private_folder, try_lock
from ledger_assets.errors import TargetError
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply_stand_in
from ledger_assets.load.sqlfiles import plain_errors
from ledger_assets.schema.roles import EXPECTED

_log = logging.getLogger(__name__)

SETTING = "SCRATCH_DATABASE_URL"
DATABASE = "scratch"
LOCK = "lock"
BYPASSES = "service_role"
"""On Supabase no policy hides a row from it."""


@dataclass(frozen=True)
class Scratch:
    """An empty database with what Supabase gives. ``admin_url``: for restoring, a superuser on the embedded one, because
    owners and their default privileges are not everybody's to set."""

    url: str = field(repr=False)
    admin_url: str = field(repr=False)


@contextmanager
def scratch(settings: BackupSettings, major: int) -> Iterator[Scratch]:
    """``major``: of the tool that wrote the dump; the server is of that version or the next newer one that is here."""
    with _ended_orderly():
        if settings.scratch_url is None:
            with _embedded(settings, major) as made:
                yield made
        else:
            with _on_server(settings.scratch_url, major) as made:
                yield made


@contextmanager
def _embedded(settings: BackupSettings, major: int) -> Iterator[Scratch]:
    programs = servers_for(major, settings.programs)
    parent = private_folder(settings.home / "scratch")
    # Under one lock: a folder whose own is not taken yet looks like one that a killed process left.
    with exclusive(settings.home / "scratch.lock"):
        _sweep(parent)
        folder = Path(tempfile.mkdtemp(dir=parent))
        descriptor = open_lock(folder / LOCK)
        try_lock(descriptor)
    try:
        cluster = Cluster(folder, bin_folder=programs, durable=False)
        try:
            cluster.start()
            cluster.ensure_database(DATABASE)
            yield Scratch(cluster.url(DATABASE), cluster.admin_url(DATABASE))
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)
        os.close(descriptor)


def _sweep(parent: Path) -> None:
    """Take away what killed processes left: their locks are free."""
    for folder in parent.iterdir():
        descriptor = open_lock(folder / LOCK)
        try:
            if try_lock(descriptor):
                Cluster(folder, durable=False).stop()
                shutil.rmtree(folder)
        finally:
            os.close(descriptor)


@contextmanager
def _on_server(url: str, major: int) -> Iterator[Scratch]:
    name = f"ledger_scratch_{secrets.token_hex(6)}"
    with plain_errors("the scratch database", undone="nothing was restored"):
        with connect(url, application_name="ledger:scratch", setting=SETTING) as server:
            if server.info.server_version // 10000 < major:
                raise TargetError(
                    f"{SETTING} is Postgres {server.info.server_version // 10000}, this snapshot needs {major} or newer: "
                    "name a newer server, or unset it to use an embedded one"
                )
            server.autocommit = True
            server.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        try:
            made = conninfo.make_conninfo(url, dbname=name)
            with connect(made, application_name="ledger:scratch", setting=SETTING) as fresh:
                _make_roles(fresh)
                apply_stand_in(fresh)
            yield Scratch(made, made)
        finally:
            with psycopg.connect(url, autocommit=True) as server:
                server.execute(
                    sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
                )


def _make_roles(connection: psycopg.Connection) -> None:
    """The API's roles, which grants and policies name; they cannot log in. One that is there stays as it is."""
    for role in (item.name for item in EXPECTED if item.kind == "role"):
        if not connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
            name = sql.Identifier(role)
            connection.execute(sql.SQL("create role {} nologin noinherit").format(name))
            # Since Postgres 16 whoever makes a role may not act as it yet, as the check of access does.
            connection.execute(sql.SQL("grant {} to current_user").format(name))
            if role == BYPASSES and _may_let_bypass(connection):
                connection.execute(sql.SQL("alter role {} bypassrls").format(name))
            elif role == BYPASSES:
                _log.warning(
                    "%s: only a superuser of that server may let %s bypass row-level security; until then a check of access "
                    "of a copy there finds less: alter role %s bypassrls",
                    SETTING,
                    role,
                    role,
                )
    connection.execute("create schema if not exists extensions")


def _may_let_bypass(connection: psycopg.Connection) -> bool:
    """Until Postgres 15 a superuser only."""
    row = connection.execute(
        "select rolsuper or (rolbypassrls and current_setting('server_version_num')::int >= 160000) "
        "from pg_roles where rolname = current_user"
    ).fetchone()
    return row is not None and bool(row[0])


@contextmanager
def _ended_orderly() -> Iterator[None]:
    """SIGTERM ends a Python process without its ``finally``: here it raises instead, unless somebody (Dagster) has a
    handler of their own already."""
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if not ours:
        yield
        return
    signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _exit(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)
