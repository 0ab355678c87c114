"""The access matrix on the oldest Postgres that is supported: every cell there too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger_assets.access.run import check_access
from ledger_assets.demo.postgres import Cluster
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply
from tests.access.world import checked, contents

pytestmark = pytest.mark.system

PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def cluster15(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    assert PROGRAMS.is_dir(), f"{PROGRAMS} is missing: apt-get install postgresql-15"
    cluster = Cluster(tmp_path_factory.mktemp("home"), bin_folder=PROGRAMS, durable=False)
    cluster.start()
    cluster.ensure_database("ledger")
    with connect(cluster.url("ledger"), application_name="tests") as connection:
        apply(connection)
    yield cluster
    cluster.stop()


@pytest.fixture
def conn15(cluster15: Cluster) -> Iterator[psycopg.Connection]:
    with connect(cluster15.url("ledger"), application_name="tests") as connection:
        assert connection.info.server_version // 10000 == 15
        yield connection


def test_every_cell_is_as_the_matrix_says_on_15(cluster15: Cluster, conn15: psycopg.Connection) -> None:
    report = checked(cluster15, cluster15.url("ledger"))
    assert report.lines == []
    assert report.not_run == ()
    assert check_access(conn15).lines == []


def test_a_loosened_policy_is_red_and_nothing_is_left_on_15(conn15: psycopg.Connection) -> None:
    before = contents(conn15)
    conn15.execute("alter policy anon_select on public.platform_config using (true)")
    conn15.commit()
    try:
        assert check_access(conn15).lines == ["public.platform_config, read, anon: more: internal"]
        assert contents(conn15) == before
    finally:
        conn15.rollback()
        conn15.execute("alter policy anon_select on public.platform_config using (is_public)")
        conn15.commit()


def test_a_trigger_that_is_no_definer_stops_the_login_service_on_15(
    cluster15: Cluster, conn15: psycopg.Connection
) -> None:
    """Before 18 a trigger behind a cascade runs as whoever deleted the account: it must be a definer."""
    conn15.execute("alter function private.account_is_gone() security invoker")
    conn15.commit()
    try:
        report = checked(cluster15, cluster15.url("ledger"))
        assert ("auth.users", "remove", "auth_admin") in {
            (d.subject, d.act, d.who) for d in report.differences
        }
    finally:
        conn15.execute("alter function private.account_is_gone() security definer")
        conn15.commit()
