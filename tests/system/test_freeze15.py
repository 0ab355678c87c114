"""The freeze and the switch on the oldest Postgres that is supported: locks, leases and every cell of the matrix there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger_assets.demo.postgres import Cluster
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply
from tests.freeze import test_lease, test_manual, test_matrix
from tests.switch import test_flip

pytestmark = pytest.mark.system

PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Debian's 15 in the place of the embedded Postgres, for the same tests."""
    assert PROGRAMS.is_dir(), f"{PROGRAMS} is missing: apt-get install postgresql-15"
    made = Cluster(tmp_path_factory.mktemp("cluster15"), bin_folder=PROGRAMS, durable=False)
    made.start()
    made.ensure_database("template15")
    with connect(made.url("template15"), application_name="tests") as connection:
        assert connection.info.server_version // 10000 == 15
        apply(connection)
    yield made
    made.stop()


@pytest.fixture
def database_url(cluster: Cluster) -> Iterator[str]:
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute("create database frozen15 template template15 owner postgres")
        yield cluster.url("frozen15")
        admin.execute("drop database frozen15 with (force)")


@pytest.fixture
def other(database_url: str) -> Iterator[psycopg.Connection]:
    with connect(database_url, application_name="tests:other") as connection:
        yield connection


test_in_flight = test_manual.test_a_write_in_flight_is_waited_for_and_kept_and_later_ones_are_refused
test_killed = test_lease.test_it_is_renewed_while_its_process_lives_and_thaws_by_itself_after_sigkill
test_held = test_lease.test_a_held_one_does_not_run_out_and_its_own_cut_over_finds_it_held
test_late_hold = test_lease.test_a_hold_whose_lease_runs_out_before_the_commit_fails_at_the_commit
test_fenced = test_lease.test_a_fence_keeps_others_from_taking_over_and_lets_the_heartbeat_renew
test_cells = test_matrix.test_every_permitted_write_is_refused_and_every_read_is_as_before
test_switch = test_flip.test_a_switch_releases_what_its_load_held_and_the_lease_goes_on
