"""Fixtures: a migrated world, and both kinds of places for accounts: Supabase's Auth (its double) and plain Postgres."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest

from ledger_assets import people
from ledger_assets.accounts.back import TakenBack
from ledger_assets.accounts.make import Made
from ledger_assets.demo.postgres import Cluster
from ledger_assets.environment import Environment, Settings, read_settings
from tests.accounts.gotrue import KEY, GoTrue, gotrue
from tests.schema.world import World

DOMAIN = "mail.riverbend.org.au"
_numbers = itertools.count(1)


@dataclass
class People:
    """Hands on one database and its accounts."""

    world: World
    conn: psycopg.Connection
    settings: Settings
    auth: GoTrue | None

    def teller(self, email: str | None = None, **columns: Any) -> UUID:
        """Somebody with a story that is open to everybody, and an address."""
        person = self.world.storyteller(
            name=f"Nora Invented {next(_numbers)}",
            airtable_base_id="appSynthetic",
            airtable_table_id="tblSynthetic",
            airtable_record_id=f"rec{next(_numbers):014}",
            **columns,
        )
        self.world.story(person)
        if email is not None:
            self.world.row("storyteller_contacts", storyteller_id=person, email=email)
        return person

    def name(self, person: UUID) -> str:
        return str(self.world.one("select airtable_record_id from storytellers where id = %s", person))

    def stranger(self, email: str) -> UUID:
        """Somebody's own account, made in the app."""
        identity = uuid.uuid4()
        self.world.do(
            "insert into auth.users (id, email, raw_app_meta_data, email_confirmed_at) values (%s, %s, %s, now())",
            identity,
            email,
            json.dumps({"provider": "email"}),
        )
        return identity

    def make(self, **options: Any) -> Made:
        return people.make_accounts(self.settings, self.conn, run_id="run-1", who="a tester", **options)

    def take_back(self, **options: Any) -> TakenBack:
        return people.take_back_accounts(self.settings, self.conn, run_id="run-2", who="a tester", **options)

    def account(self, person: UUID) -> UUID | None:
        found = self.world.one("select profile_id from storytellers where id = %s", person)
        assert found is None or isinstance(found, UUID)
        return found

    def state(self, person: UUID) -> str | None:
        rows = self.world.all("select state from migration.accounts where storyteller_id = %s", person)
        return str(rows[0][0]) if rows else None

    def active(self) -> list[str]:
        """Addresses somebody can sign in with."""
        return [
            email
            for (email,) in self.world.all(
                "select email from auth.users where banned_until is null or banned_until < now() order by email"
            )
        ]


@pytest.fixture
def world(conn: psycopg.Connection, cluster: Cluster) -> World:
    conn.autocommit = True
    return World(conn, cluster.admin_url(conn.info.dbname))


@pytest.fixture
def auth(conn: psycopg.Connection, cluster: Cluster) -> Iterator[GoTrue]:
    """The double over the world's accounts."""
    with gotrue(cluster.admin_url(conn.info.dbname)) as double:
        yield double


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(Environment.PRODUCTION, {"LEDGER_HOME": str(tmp_path / "ledger")})


@pytest.fixture
def plain(world: World, conn: psycopg.Connection, settings: Settings) -> People:
    """Without a project: the shim's own table."""
    return People(world, conn, settings, None)


@pytest.fixture
def project(
    world: World, conn: psycopg.Connection, settings: Settings, auth: GoTrue, monkeypatch: pytest.MonkeyPatch
) -> People:
    """With a project: Supabase's Auth."""
    assert urlsplit(auth.url).hostname == "127.0.0.1"
    monkeypatch.setenv("SUPABASE_URL", auth.url)
    monkeypatch.setenv("SUPABASE_SERVICE_KEY", KEY)
    return People(world, conn, settings, auth)


@pytest.fixture(params=["plain", "project"])
def either(request: pytest.FixtureRequest) -> People:
    """Each in turn."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, People)
    return found
