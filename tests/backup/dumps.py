"""Databases with rows in every table, and programs that a test can hold, watch or kill.

What belongs here: what the tests on Postgres 18 and those on 15 both use. What does not: what must hold (the tests).
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from ledger_assets.access import run
from ledger_assets.access.trials import world
from ledger_assets.backup.compared import compare
from ledger_assets.backup.contents import Contents
from ledger_assets.backup.dump import Dumped, Kind, dump
from ledger_assets.backup.restored import restore_folder
from ledger_assets.backup.scratch import Scratch, scratch
from ledger_assets.backup.settings import BackupSettings, BucketSettings
from ledger_assets.backup.tools import Tools, tools_for
from ledger_assets.load.connect import connect
from ledger_assets.storage import open_store
from ledger_assets.tables import SPECS
from tests.proof.small_base import small_base
from tests.proof.world import publish

FOREIGN = """
create schema crm;
create schema "Odd Name";
create extension if not exists pg_trgm with schema public;
create type crm.mood as enum ('good', 'bad');
create table crm.people (
  id bigint generated always as identity primary key, name text not null, mood crm.mood,
  kind varchar(20) check (kind in ('one', 'two')), upper_name text generated always as (upper(name)) stored,
  account uuid references auth.users (id), boss bigint references crm.people (id) deferrable initially deferred
);
create index people_name on crm.people using gin (name public.gin_trgm_ops);
create table "Odd Name"."a table" (id serial primary key, "a b" numeric, person bigint references crm.people (id));
create table crm.events (at timestamptz not null, person bigint references crm.people (id), primary key (at, person))
  partition by range (at);
create table crm.events_old partition of crm.events for values from (minvalue) to ('2026-01-01');
create table crm.events_new partition of crm.events for values from ('2026-01-01') to (maxvalue);
create view crm.glad as select name from crm.people where mood = 'good' or (name = 'x' or (kind = 'one' and id > 3));
alter table crm.people enable row level security;
create policy everybody on crm.people for select to public using (mood = 'good' or (name = 'x' or kind = 'two'));
insert into auth.users (id) values ('00000000-0000-4000-8000-000000000001'), ('00000000-0000-4000-8000-000000000002');
insert into crm.people (name, mood, kind, account)
  select 'person ' || n, 'good', 'one', case n when 5 then '00000000-0000-4000-8000-000000000002'::uuid end
  from generate_series(1, 1000) n;
update crm.people set boss = id - 1 where id > 1;
insert into "Odd Name"."a table" ("a b", person) values (1.0, 1), (1.00, 2), ('NaN', 3);
insert into crm.events select '2025-12-01'::timestamptz + n * interval '1 day', n from generate_series(1, 100) n;
"""


def fill(url: str, folder: Path) -> None:
    """A database with all migrations: a small base loaded, and the world of the access matrix beside it."""
    with connect(url, application_name="tests") as conn:
        publish(conn, open_store((folder / "objects").as_uri()), small_base(), SPECS)
        run.prepare(conn)
        run.write(conn, world())
        conn.commit()


def foreign(admin_url: str) -> None:
    """A database that knows nothing of us."""
    with psycopg.connect(admin_url) as conn:
        conn.execute(FOREIGN.encode())


def settings(home: Path, **others: object) -> BackupSettings:
    return BackupSettings("staging", home, BucketSettings((home / "backups").as_uri()), None, **others)  # type: ignore[arg-type]  # values of many types


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url) as conn:
        conn.execute(statement.encode())


@dataclass(frozen=True)
class Copy:
    """A dump and the scratch database that it was restored into."""

    contents: Contents
    scratch: Scratch

    @property
    def differences(self) -> list[str]:
        return compare(self.contents, self.scratch.admin_url)


def taken(url: str, folder: Path, *, kind: Kind = "full") -> Dumped:
    """A dump with the programs of the server's version."""
    return dump(url, folder, kind=kind, tools=tools_of(url))


def tools_of(url: str) -> Tools:
    with psycopg.connect(url) as conn:
        return tools_for(conn.info.server_version)


@contextmanager
def restored(dumped: Dumped, folder: Path, home: Path) -> Iterator[Copy]:
    """The dump in ``folder`` in a scratch database of its own."""
    tools = tools_for(int(dumped.tool.split(".")[0]) * 10000)
    with scratch(settings(home), tools.major) as made:
        restore_folder(made.admin_url, folder, dumped.contents, tools=tools)
        yield Copy(dumped.contents, made)


def instead(tools: Tools, folder: Path, script: str) -> Tools:
    """``pg_dump`` replaced by a shell script, in which ``real`` is the real one."""
    fake = folder / "pg_dump"
    fake.write_text(f"#!/bin/sh\nreal={shlex.quote(str(tools.pg_dump))}\n{script}\n")
    fake.chmod(0o700)
    return Tools(fake, tools.pg_restore, tools.version)


class Gate:
    """A pg_dump that stops before it does anything, until the test says go."""

    def __init__(self, tools: Tools, folder: Path, *, only_first: bool = False) -> None:
        self._reached, self._go = folder / "reached", folder / "go"
        self._kept_open: list[int] = []
        os.mkfifo(self._reached)
        os.mkfifo(self._go)
        once = f'[ -e {folder}/passed ] && exec $real "$@"\ntouch {folder}/passed\n' if only_first else ""
        self.tools = instead(
            tools, folder, f'{once}echo reached > {self._reached}\nread line < {self._go}\nexec $real "$@"'
        )

    def wait(self) -> None:
        """Until pg_dump has been started, or never will be."""
        with self._reached.open() as fifo:
            fifo.readline()

    def open(self) -> None:
        self._tell(self._go)

    def give_up(self) -> None:
        """The dump has ended: nobody waits at the gate any longer."""
        self._tell(self._reached)

    def close(self) -> None:
        """Once the dump has ended."""
        while self._kept_open:
            os.close(self._kept_open.pop())

    def _tell(self, fifo: Path) -> None:
        """Without waiting for a reader: its pg_dump may just have been ended, and would never come."""
        self._kept_open.append(os.open(fifo, os.O_RDWR | os.O_NONBLOCK))
        os.write(self._kept_open[-1], b"go\n")
