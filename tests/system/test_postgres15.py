"""The oldest Postgres that is supported, Debian's 15: shim, migrations and the cluster's handling."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_assets.demo.postgres import Cluster
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply, migrations, pending

pytestmark = pytest.mark.system

PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def cluster15(tmp_path: Path) -> Iterator[Cluster]:
    assert PROGRAMS.is_dir(), f"{PROGRAMS} is missing: apt-get install postgresql-15"
    cluster = Cluster(tmp_path / "home", bin_folder=PROGRAMS, durable=False)
    cluster.start()
    yield cluster
    cluster.stop()


def test_shim_and_migrations_apply_and_apply_again(cluster15: Cluster) -> None:
    cluster15.ensure_database("ledger")
    with connect(cluster15.url("ledger"), application_name="tests") as connection:
        assert connection.info.server_version // 10000 == 15
        assert apply(connection) == [migration.filename for migration in migrations()]
        assert pending(connection) == []
        assert apply(connection) == []
        row = connection.execute(
            "select rolsuper, rolbypassrls from pg_roles where rolname = current_user"
        ).fetchone()
        assert row == (False, True)


def test_two_databases_share_the_clusters_roles(cluster15: Cluster) -> None:
    for name in ("first", "second"):
        cluster15.ensure_database(name)
        with connect(cluster15.url(name), application_name="tests") as connection:
            apply(connection)
            connection.execute("set local role authenticated")
            assert connection.execute("select auth.uid()").fetchone() == (None,)
