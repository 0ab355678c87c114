"""Dagster's storage as ``dagster.yaml`` sets it up: pooled, on Postgres, and surviving that one's restart."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest
import sqlalchemy
from dagster._core.instance.config import dagster_instance_config

from ledger_assets.dagster_storage import POOL
from ledger_assets.demo.postgres import Cluster
from ledger_assets.files import project_file


@pytest.fixture
def home(tmp_path: Path) -> Path:
    shutil.copy(project_file("dagster.yaml"), tmp_path / "dagster.yaml")
    return tmp_path


@pytest.fixture
def storage_url(cluster: Cluster) -> Iterator[str]:
    """A database for Dagster alone."""
    cluster.ensure_database("dagster", shim=False)
    yield cluster.url("dagster")
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute("drop database dagster with (force)")


@pytest.fixture
def instance(home: Path, storage_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", storage_url)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


@dg.asset
def story() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 3})


def engines(instance: dg.DagsterInstance) -> list[sqlalchemy.Engine]:
    return [
        part._engine for part in (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    ]


def test_dagster_accepts_the_whole_file(home: Path) -> None:
    """Unknown keys and wrong types are refused by Dagster itself."""
    settings, _ = dagster_instance_config(str(home))
    assert settings["telemetry"] == {"enabled": False}
    with (home / "dagster.yaml").open("a") as file:
        file.write("telemetrie: {enabled: false}\n")
    with pytest.raises(dg.DagsterInvalidConfigError):
        dagster_instance_config(str(home))


def test_a_runs_events_are_in_postgres_through_few_connections(
    instance: dg.DagsterInstance, storage_url: str
) -> None:
    opened: list[object] = []
    for engine in engines(instance):
        sqlalchemy.event.listen(engine, "connect", lambda *connection: opened.append(connection))
    result = dg.materialize([story], instance=instance)
    assert result.success
    with psycopg.connect(storage_url) as connection:
        row = connection.execute(
            "select count(*), count(*) filter (where dagster_event_type = 'ASSET_MATERIALIZATION') "
            "from event_logs where run_id = %s",
            (result.run_id,),
        ).fetchone()
    assert row is not None
    assert row[0] > 10
    assert row[1] == 1
    assert 0 < len(opened) <= 6


def test_every_process_gets_the_same_storage_from_the_instances_reference(
    instance: dg.DagsterInstance,
) -> None:
    """Code servers and run workers make theirs from the reference that the daemon hands them."""
    with dg.DagsterInstance.from_ref(instance.get_ref()) as other:
        for mine, theirs in zip(engines(instance), engines(other), strict=True):
            assert theirs.url == mine.url
            assert theirs.driver == "psycopg2"
            assert theirs.pool.size() == POOL["pool_size"]


def test_runs_go_on_after_the_storages_connections_were_cut(
    instance: dg.DagsterInstance, cluster: Cluster
) -> None:
    assert dg.materialize([story], instance=instance).success
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'dagster'")
    assert dg.materialize([story], instance=instance).success
