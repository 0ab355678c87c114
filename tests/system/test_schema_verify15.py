"""``schema verify`` and the linter on the oldest Postgres supported: clean there too, also against 18's catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger_assets.demo.postgres import Cluster
from ledger_assets.lane import scratch_database
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply
from ledger_assets.schema import expected
from ledger_assets.schema.verify import verify

from ..linter.lint import lint
from .test_postgres15 import PROGRAMS

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def cluster15(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    assert PROGRAMS.is_dir(), f"{PROGRAMS} is missing: apt-get install postgresql-15"
    cluster = Cluster(tmp_path_factory.mktemp("home"), bin_folder=PROGRAMS, durable=False)
    cluster.start()
    cluster.ensure_database("ledger")
    yield cluster
    cluster.stop()


@pytest.fixture
def connection15(cluster15: Cluster) -> Iterator[psycopg.Connection]:
    with connect(cluster15.url("ledger"), application_name="tests") as connection:
        apply(connection)
        yield connection


def test_a_migrated_database_has_no_difference_on_15(connection15: psycopg.Connection) -> None:
    assert connection15.info.server_version // 10000 == 15
    found = verify(connection15, scratch_database)
    assert [difference.line for difference in found.differences] == []
    assert found.objects > 1000


def test_a_drift_is_named_on_15(connection15: psycopg.Connection) -> None:
    connection15.execute("alter policy anon_select on public.stories using (true)")
    connection15.commit()
    try:
        (found,) = verify(connection15, scratch_database).differences
    finally:
        connection15.execute(
            "alter policy anon_select on public.stories using (eff_until > now() and eff_limits = 0)"
        )
        connection15.commit()
    assert (found.kind, found.object) == ("policy", "anon_select on public.stories")


def test_a_catalogue_made_on_18_fits_15(
    cluster15: Cluster,
    connection15: psycopg.Connection,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = tmp_path / "expected.json"
    with (
        connect(database_url, application_name="tests") as connection18,
        scratch_database(connection18) as made,
    ):
        release.write_text(expected.dumped(made), "utf-8")
    monkeypatch.setattr(expected, "FILE", release)
    with psycopg.connect(cluster15.admin_url("postgres"), autocommit=True) as admin:
        admin.execute("alter role postgres nocreatedb")
        try:
            found = verify(connection15, scratch_database)
        finally:
            admin.execute("alter role postgres createdb")
    assert [difference.line for difference in found.differences] == []
    assert "made on Postgres 18" in found.against


def test_the_linter_is_content_on_15(connection15: psycopg.Connection) -> None:
    assert [one for one in lint(connection15) if one.level != "INFO"] == []
