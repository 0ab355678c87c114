"""A night of its own for each test: staging proven, a snapshot taken, production empty; and the command as a person runs it.

The world is made once and copied while nothing of it runs. Its Airtable answers without a limit: at 5 requests a second
each night waits six seconds for it, and the limit has tests of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from json import loads
from pathlib import Path
from typing import Any

import pytest

from ledger_assets import connections, freeze, switch
from ledger_assets.cutover import state
from ledger_assets.demo import schema
from ledger_assets.demo.base import create_base
from ledger_assets.demo.parts import EmbeddedParts, base_path
from ledger_assets.demo.processes import kept_secret, open_lock, private_folder, try_lock
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import Environment, Settings, read_settings
from ledger_assets.extract.responses import Subject
from tests.lane.commands import COMMAND, done, ended, run, settings_of, start
from tests.lane.worlds import OF_A_LANE

from .played import a_night, play

NAME = "ledger_production"
AT_ONCE = ("--base-is-read-only", "--confirm", NAME, "--watch-minutes", "0")
SCALE = 60
OWN = frozenset({"updated_at", "created_at", "loaded_at"})


@dataclass
class Night:
    """The embedded world of one test. ``environ``: what its commands get."""

    settings: Settings
    environ: dict[str, str]
    lines: list[str] = field(default_factory=list)

    def command(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """``ledger-assets`` with these, and what it said."""
        return run({**self.environ, **more}, *arguments)

    def cut_over(self, **more: str) -> subprocess.CompletedProcess[str]:
        """The night, whole."""
        return self.command("cutover", "production", *AT_ONCE, **more)

    def killed_at(self, line: str) -> None:
        """Begin the night and kill its process as soon as it prints a line with these words."""
        with self.begun(line) as process:
            process.kill()

    def begun(self, line: str) -> subprocess.Popen[str]:
        """Begin the night; answers when it prints a line with these words."""
        process = start(self.environ, *COMMAND, "cutover", "production", *AT_ONCE)
        assert process.stdout is not None
        said = []
        for told in process.stdout:
            said.append(told)
            if line in told:
                return process
        raise AssertionError(f"{line!r} was never printed: {''.join(said)} {ended(process).stderr}")

    def kill(self, what: str, point: str, **more: str) -> None:
        """``night``, ``back`` or ``rehearse`` in a process of its own, killed at a point (see ``killed``)."""
        process = start({**self.environ, **more}, sys.executable, "-m", "tests.cutover.killed", what, point)
        finished = ended(process)
        assert finished.returncode == -signal.SIGKILL, f"{point} was never reached: {finished.stderr}"

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with connections.database(self.settings, purpose="test") as connection:
            return connection.execute(statement.encode(), values or None).fetchall()

    def do(self, statement: str) -> None:
        """As a person with the database's owner's rights."""
        with connections.database(self.settings, purpose="test") as connection:
            connection.execute(statement.encode())

    def stands(self) -> tuple[str | None, str, str]:
        """How far the newest cut-over came, the freeze, and which source is live."""
        with connections.database(self.settings, purpose="test") as connection:
            found = state.latest(connection)
            phase = None if found is None else state.phase(connection, found)
            return phase, freeze.state(connection).kind, switch.live(connection).source

    def unrecorded_freezes(self) -> int:
        """Of the freeze that stands, whether the record lacks it."""
        ((count,),) = self.query(
            "select count(*) from migration.maintenance m where m.frozen and not exists (select from migration.events e "
            "where e.action = 'freeze' and (e.detail ->> 'token')::bigint = m.token)"
        )
        return int(count)

    def content(self, environment: Environment = Environment.PRODUCTION) -> dict[str, list[str]]:
        """The rows that people see, without times of loading."""
        with connections.database(read_settings(environment), purpose="test") as connection:
            tables = connection.execute(
                "select table_name, array_agg(quote_ident(column_name) order by column_name) from "
                "information_schema.columns where table_schema = 'public' and table_name in (select tablename from "
                "pg_tables where schemaname = 'public') and column_name <> all (%s) group by 1",
                ([*OWN, "export_id", "first_export_id", "at", "run"],),
            ).fetchall()
            return {
                table: sorted(
                    r[0]
                    for r in connection.execute(
                        f"select row({', '.join(columns)})::text from public.{table}".encode()
                    )
                )
                for table, columns in tables
                if table != "consent_events"  # made anew by every load, with ids of their own
            }

    def edit_airtable(self, title: str) -> str:
        """Somebody gives a story another title, within Airtable's limit; the record's id."""
        subject = Subject("a story", "data.records:write")
        table = f"{self.settings.airtable.base_id}/{schema.STORIES.id}"
        with connections.airtable_client(self.settings) as client:
            record = client.call("GET", f"{table}?pageSize=1", subject, loads)["records"][0]["id"]
            fields = {schema.STORIES.field_id("Title"): title}
            client.call("PATCH", f"{table}/{record}", subject, loads, {"fields": fields})
        return str(record)


@contextmanager
def quick_airtable(settings: Settings) -> Iterator[None]:
    """The home's base served without a limit, found by every process with this home as its own server would be."""
    path = base_path(settings.home, settings.profile.value)
    folder = private_folder(path.parent)
    for stale in ("server.port", "server.pid"):  # of the home that was copied
        (folder / stale).unlink(missing_ok=True)
    lock = open_lock(folder / "server.lock")
    assert try_lock(lock)
    try:
        with LocalAirtable(path, requests_per_second=None, api_key=kept_secret(folder / "api_key")) as server:
            (folder / "server.port").write_text(server.url.rpartition(":")[2])
            yield
    finally:
        os.close(lock)


@contextmanager
def opened(home: Path) -> Iterator[Night]:
    """The night in this home; its parts run meanwhile, and this process has its settings."""
    environ = settings_of(home, AIRTABLE_REQUESTS_PER_SECOND="100000")
    with pytest.MonkeyPatch.context() as patch:
        for name in (*OF_A_LANE, "AIRTABLE_API_KEY", "AIRTABLE_BASE_ID", "AIRTABLE_ENDPOINT_URL"):
            patch.delenv(name, raising=False)
        for name in ("LEDGER_HOME", "AIRTABLE_REQUESTS_PER_SECOND"):
            patch.setenv(name, environ[name])
        settings = read_settings(Environment.PRODUCTION)
        with quick_airtable(settings), EmbeddedParts(home) as parts:
            parts.postgres()
            yield Night(settings, environ)


@contextmanager
def copied(made: Path, home: Path) -> Iterator[Night]:
    """A night of its own in a copy of a home of which nothing runs."""
    # With its owners: as root, Postgres runs as another user.
    subprocess.run(["cp", "-a", str(made), str(home)], check=True)
    with opened(home) as night:
        yield night


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose staging is proven and whose production has a verified snapshot and no rows."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    settings = read_settings(Environment.PRODUCTION, {"LEDGER_HOME": str(home)})
    path = base_path(settings.home, settings.profile.value)
    create_base(path, scale=SCALE, base_id=settings.airtable.base_id)
    with opened(home) as night:
        done(night.environ, "migrate", "staging")
        done(night.environ, "backup", "take", "production", "--kind", "full")
    return home


@dataclass(frozen=True)
class Made:
    """A home of which nothing runs, and production's rows before its night."""

    home: Path
    before: dict[str, list[str]]


@pytest.fixture(scope="session")
def switched(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A home whose night has just switched: loaded, proven, the app reads from here, writing is frozen."""
    home = tmp_path_factory.mktemp("switched") / "home"
    with copied(prepared, home) as night:
        before = night.content()
        play(a_night(night.settings), until="switch")
    return Made(home, before)


@pytest.fixture
def night(prepared: Path, tmp_path: Path) -> Iterator[Night]:
    with copied(prepared, tmp_path / "home") as night:
        yield night


@pytest.fixture
def after_switch(switched: Made, tmp_path: Path) -> Iterator[Night]:
    with copied(switched.home, tmp_path / "home") as night:
        yield night


@pytest.fixture
def airtable(tmp_path: Path) -> Iterator[LocalAirtable]:
    """The local Airtable server alone, for what needs no database."""
    path = tmp_path / "base.sqlite"
    create_base(path, seed=7, scale=SCALE)
    with LocalAirtable(path, requests_per_second=100_000) as server:
        yield server


def staging_of(airtable: LocalAirtable, folder: Path) -> Settings:
    """Staging that reads this server's base."""
    return read_settings(
        Environment.STAGING,
        {
            "LEDGER_HOME": str(folder),
            "AIRTABLE_ENDPOINT_URL": airtable.url,
            "AIRTABLE_API_KEY": airtable.api_key,
            "AIRTABLE_BASE_ID": airtable.base_id,
            "AIRTABLE_REQUESTS_PER_SECOND": "100000",
        },
    )
