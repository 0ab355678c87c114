"""The machine fails in between: Postgres is stopped, the disk is full, SIGTERM. One line, nothing half there, and the
next run leaves the same as an undisturbed one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from ledger_assets import progress
from ledger_assets.cli.session import run_job
from ledger_assets.demo.postgres import Cluster
from ledger_assets.demo.postmaster import postmaster
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import Environment, read_settings
from ledger_assets.errors import LedgerError
from ledger_assets.extract.export import list_exports
from ledger_assets.ledger.store import list_ledgers
from ledger_assets.load import schema as target_schema
from ledger_assets.load.connect import connect

from ..commands import ended, settings_of, start
from ..conftest import Lane, content, facts
from .conftest import Undisturbed, assert_nothing_loaded, assert_undisturbed, environ_of


@pytest.fixture(scope="module")
def second_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Postgres that may be stopped: Dagster's own storage lies in another."""
    cluster = Cluster(tmp_path_factory.mktemp("second"))
    cluster.start()
    cluster.ensure_database("target")
    with connect(cluster.url("target"), application_name="test") as connection:
        target_schema.apply(connection)
    yield cluster
    cluster.stop()


def kill(cluster: Cluster) -> None:
    """SIGKILL, as when the machine takes it."""
    process = postmaster(cluster._data)
    assert process is not None
    process.kill()


def test_a_postgres_that_is_stopped_mid_load_is_one_line_and_the_next_run_is_right(
    fresh: Lane,
    undisturbed: Undisturbed,
    second_cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAGING_DATABASE_URL", second_cluster.url("target"))
    lane = replace(fresh, settings=read_settings(Environment.STAGING))
    seen = 0

    def disturb(stage: str, label: str, done: int, total: int | None) -> None:
        nonlocal seen
        seen += stage == "load"
        if stage == "load" and seen == 5:
            kill(second_cluster)

    with progress.listen(disturb), pytest.raises(LedgerError) as refused:
        run_job(lane.instance, Environment.STAGING, "migrate")
    assert seen >= 5
    assert refused.value.exit_code == 2
    assert "Postgres ended the connection; nothing is half there" in str(refused.value)
    assert "\n" not in str(refused.value)
    second_cluster.start()
    assert_nothing_loaded(lane)
    run = lane.run("migrate")
    assert run.is_success, facts(run, lane)
    assert_undisturbed(lane, undisturbed)


DISTURBED = """
import os, resource, signal, sys
from ledger_assets import progress
what, stage, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
seen = 0

def disturb(at, label, done, total):
    global seen
    seen += at == stage
    if at == stage and seen == count:
        if what == "full":  # from now on no file can grow, as on a full disk
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        else:
            os.kill(os.getpid(), signal.SIGTERM)

progress._listeners.append(disturb)
sys.argv = ["ledger-assets", "migrate", "staging"]
from ledger_assets.cli import main
main()
"""

FULL = (
    r"ledger-assets: (object (exports|ledger|media)/\S+|the file of attachment att\w+|a file /\S+) cannot be written"
    r".*: File too large.*: make room on its disk, then run this again\n"
)
"""Whichever of the files that are written at once meets the full disk first."""


def test_a_full_disk_is_one_line_each_time_and_the_run_after_it_is_right(
    fresh: Lane, undisturbed: Undisturbed
) -> None:
    """During the export; in the run that goes on with it, during the files; and in the next, during the ledger."""
    stages = {"export": 2, "attachments": 4, "ledger": 6}
    for exports, (stage, count) in enumerate(stages.items()):
        done = ended(start(environ_of(fresh), sys.executable, "-c", DISTURBED, "full", stage, str(count)))
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert re.fullmatch(FULL, done.stderr), done.stderr
        assert len(list_exports(fresh.store)) == exports
        assert list_ledgers(fresh.store) == []
        assert_nothing_loaded(fresh)
    run = fresh.run("migrate")
    assert run.is_success, facts(run, fresh)
    assert_undisturbed(fresh, undisturbed)


def test_sigterm_ends_the_run_and_the_parts_in_order(
    airtable: LocalAirtable, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    home = tmp_path / "home"
    done = ended(start(settings_of(home, airtable), sys.executable, "-c", DISTURBED, "term", "load", "3"))
    assert done.returncode == 2
    assert done.stderr == "ledger-assets: the run was stopped; nothing is half there: run it again\n"
    cluster = Cluster(home)
    assert not cluster.running
    cluster.start()
    try:
        with psycopg.connect(cluster.url("dagster")) as connection:
            assert connection.execute("select status from runs").fetchall() == [("FAILURE",)]
        with psycopg.connect(cluster.url("ledger_staging")) as connection:
            assert not any(content(connection).values())
    finally:
        cluster.stop()
