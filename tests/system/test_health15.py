"""Health, load test, inventory and scorecard on the oldest Postgres that is supported, Debian's 15."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from ledger_assets.demo import postgres
from ledger_assets.demo.postgres import Cluster
from ledger_assets.environment import Environment, read_settings
from ledger_assets.health import collect
from ledger_assets.health.context import Context
from ledger_assets.health.settings import HealthSettings
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply
from ledger_assets.loadtest.queries import queries, subjects
from ledger_assets.loadtest.run import run
from ledger_assets.records.database import count
from ledger_assets.scorecard import business
from ledger_assets.storage import open_store

pytestmark = pytest.mark.system

PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def url15(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    assert PROGRAMS.is_dir(), f"{PROGRAMS} is missing: apt-get install postgresql-15"
    monkeypatch.setitem(postgres.SETTINGS, "shared_preload_libraries", "pg_stat_statements")
    cluster = Cluster(tmp_path / "cluster", bin_folder=PROGRAMS, durable=False)
    cluster.start()
    cluster.ensure_database("ledger")
    with connect(cluster.url("ledger"), application_name="test") as connection:
        apply(connection)
    with psycopg.connect(cluster.admin_url("ledger"), autocommit=True) as admin:
        admin.execute("create extension pg_stat_statements schema extensions")
    yield cluster.url("ledger")
    cluster.stop()


def test_every_question_is_understood_by_postgres_15(url15: str, tmp_path: Path) -> None:
    settings = read_settings(Environment.STAGING, {"LEDGER_HOME": str(tmp_path)})
    store = open_store((tmp_path / "objects").as_uri())
    now = datetime.now(UTC)
    with connect(url15, application_name="test") as connection:
        assert connection.info.server_version // 10000 == 15
        report = collect(settings, connection, store)
        assert [one.name for one in report.measures if "could not be measured" in one.value] == []
        assert {one.name: one.state for one in report.measures}["slow_queries"] == "ok"
        counted = count(connection, environment="staging", target="t", now=now)
        assert counted.tables["public.stories"] == 0
        context = Context(settings, HealthSettings(), connection, store, now, None)
        assert business.community(context).answer == "met"
        assert business.users(context).answer == "unknown"
        connection.rollback()
        asked = queries(subjects(connection))
        connection.rollback()
    timings, _ = run(
        lambda: connect(url15, application_name="test"), asked, seconds=60, sessions=1, calls=len(asked)
    )
    assert [one.errors for one in timings] == [{}] * len(asked)
