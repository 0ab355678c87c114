"""Replication, the way to the server, and the room there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from ledger_assets.demo.postgres import Cluster
from ledger_assets.health import server
from ledger_assets.health.settings import HealthSettings
from ledger_assets.load.connect import connect
from tests.health.hands import Make
from tests.platform.pooler import pooler


@pytest.fixture(scope="module")
def replicating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server that keeps its log for copies: the tests' own does not."""
    made = Cluster(tmp_path_factory.mktemp("replicating"))
    made.start()
    made.ensure_database("copied")
    yield made
    made.stop()


def test_a_plain_server_is_not_replicated_and_says_so(context: Make) -> None:
    found = server.replication(context())
    assert (found.state, found.value) == ("ok", "not replicated")


def test_a_slot_that_nobody_reads_is_named_before_it_fills_the_disk(
    replicating: Cluster, context: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(replicating.url("copied"), application_name="test") as connection:
        connection.execute("select pg_create_physical_replication_slot('forgotten', true)")
        connection.commit()
        seen = replace(context(), connection=connection)
        idle = server.replication(seen)
        assert idle.state == "warn"
        assert "forgotten" in idle.value
        monkeypatch.setattr(server, "RETAINED_WARN", 1)
        monkeypatch.setattr(server, "RETAINED_BAD", 16 * 1024**2)
        with psycopg.connect(replicating.admin_url("copied"), autocommit=True) as admin:
            for _ in range(2):
                admin.execute("create table if not exists public.written (); drop table public.written")
                admin.execute("select pg_switch_wal()")
        assert server.replication(seen).state == "bad"


def test_a_pooler_in_session_mode_is_told(database_url: str, context: Make) -> None:
    assert server.pooler(context()).value == "directly, no pooler between"
    with pooler(database_url, transaction_mode=False) as port:
        address = psycopg.conninfo.make_conninfo(database_url, port=port)
        with connect(address, application_name="test") as pooled:
            assert server.pooler(replace(context(), connection=pooled)).value == "by a pooler in session mode"


@pytest.mark.parametrize(("allowed", "state"), [(1000.0, "ok"), (0.001, "bad"), (None, "unknown")])
def test_the_size_of_a_real_database_is_judged_by_its_plan(
    context: Make, database_url: str, allowed: float | None, state: str
) -> None:
    limits = HealthSettings(database_gb=allowed)
    found = server.database_size(context(limits=limits, database_url=database_url))
    assert found.state == state
    assert "MiB" in found.value
    assert (state == "ok") or "LEDGER_DATABASE_GB" in found.remedy or "enlarge" in found.remedy


def test_the_embedded_database_has_the_disk_for_a_limit(context: Make) -> None:
    assert server.database_size(context()).state == "ok"


def test_a_full_disk_is_bad(context: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert server.disk(context()).state in ("ok", "warn", "bad")
    monkeypatch.setattr(server, "FREE_BYTES", 2**60)
    found = server.disk(context())
    assert found.state == "bad"
    assert "LEDGER_HOME" in found.remedy
