"""What the tests of health, load test, scorecard and review share: a database of their own, hands that fill it, a context.

A database each, and not the schema tests' shared one: sessions, locks and statistics are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from ledger_assets.demo.postgres import Cluster
from ledger_assets.environment import Environment, read_settings
from ledger_assets.health.context import Context
from ledger_assets.health.facts import RunFacts
from ledger_assets.health.settings import HealthSettings
from ledger_assets.storage import ObjectStore
from tests.schema.world import World

NOW = datetime.now(UTC)
Make = Callable[..., Context]


@pytest.fixture
def world(cluster: Cluster, database_url: str) -> Iterator[World]:
    """Hands on the test's database."""
    name = str(psycopg.conninfo.conninfo_to_dict(database_url)["dbname"])
    with psycopg.connect(database_url, autocommit=True) as owner:
        yield World(owner, cluster.admin_url(name))


@pytest.fixture
def context(conn: psycopg.Connection, store: ObjectStore, tmp_path: Path) -> Make:
    """Make what a measure looks at."""

    def make(
        *,
        now: datetime | None = None,
        runs: RunFacts | None = None,
        limits: HealthSettings | None = None,
        database_url: str | None = None,
    ) -> Context:
        settings = read_settings(Environment.STAGING, {"LEDGER_HOME": str(tmp_path / "home")})
        (tmp_path / "home").mkdir(exist_ok=True)
        settings = replace(settings, database_url=database_url)
        return Context(settings, limits or HealthSettings(), conn, store, now or datetime.now(UTC), runs)

    return make


def damaged(world: World, *statements: str) -> None:
    """Change rows as nobody can: no trigger fires, no rule is asked."""
    with psycopg.connect(world.admin_url) as admin:
        admin.execute("set session_replication_role = replica")
        for statement in statements:
            admin.execute(statement.encode())


def loaded(world: World, *, proof: bool | None = True) -> int:
    """A full load and (unless None) its proof, in the migration's own records; the load's id."""
    load = world.one(
        "insert into migration.loads (run_id, environment, export_id, started_at, committed_at) "
        "values ('run-1', 'staging', 'export-1', now(), now()) returning load_id"
    )
    if proof is not None:
        world.do(
            "insert into migration.reports (kind, run_id, export_id, passed, document, made_at) values "
            "('proof', 'run-1', 'export-1', %s, '{\"headline\": \"what the proof says\"}', clock_timestamp())",
            proof,
        )
    return int(load)
