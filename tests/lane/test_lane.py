"""The lane as a person uses it: real jobs over real HTTP into a real Postgres, and what is left afterwards."""

from __future__ import annotations

import dagster as dg
import psycopg
import pytest

from ledger_assets import connections, freeze, reports, runs
from ledger_assets.backup.settings import read_backup_settings
from ledger_assets.backup.vault import open_vault, set_up_key
from ledger_assets.environment import Environment, read_settings

from .conftest import Lane, facts


def test_a_migration_loads_and_proves_everything(lane: Lane) -> None:
    run = lane.run("migrate")
    assert run.is_success, facts(run, lane)
    proof = reports.read(lane.store, run.run_id, "proof")
    assert proof["passed"] is True
    raw = lane.query("select count(*) from airtable.records")[0][0]
    assert raw == sum(table["export"] for table in proof["records"]) > 300
    assert all(lane.checks(run).values())


def test_a_second_migration_writes_nothing(lane: Lane) -> None:
    assert lane.run("migrate").is_success
    before = lane.query("select xmin::text, id from public.stories order by id")
    run = lane.run("migrate")
    report = reports.read(lane.store, run.run_id, "load")
    written = {
        name: c for name, c in report["tables"].items() if c["inserted"] or c["updated"] or c["deleted"]
    }
    assert (run.is_success, written) == (True, {})
    assert lane.query("select xmin::text, id from public.stories order by id") == before


def test_a_dry_run_executes_everything_and_leaves_nothing(lane: Lane) -> None:
    run = lane.run("dry_run")
    assert run.is_success, facts(run, lane)
    report = reports.read(lane.store, run.run_id, "dry_run")
    assert report["committed"] is False
    assert sum(c["inserted"] for c in report["tables"].values()) > 100
    assert lane.query("select count(*) from public.stories")[0][0] == 0
    assert lane.query("select count(*) from airtable.records")[0][0] == 0


def test_months_are_migrated_again_as_one_run_without_reading_airtable(lane: Lane) -> None:
    assert lane.run("migrate").is_success
    lane.airtable.requests.clear()
    run = lane.run(
        "remigrate",
        tags={
            "dagster/asset_partition_range_start": "2025-01-01",
            "dagster/asset_partition_range_end": "2025-03-01",
        },
    )
    assert run.is_success, facts(run, lane)
    assert list(lane.airtable.requests) == []
    months = lane.instance.get_materialized_partitions(dg.AssetKey(["staging", "supabase", "months"]))
    assert {"2025-01-01", "2025-02-01", "2025-03-01"} <= months


def test_the_month_grid_is_full_after_a_full_load(lane: Lane) -> None:
    assert lane.run("migrate").is_success
    months = lane.instance.get_materialized_partitions(dg.AssetKey(["staging", "supabase", "months"]))
    loaded = {
        row[0]
        for row in lane.query(
            "select distinct to_char(airtable_created_at at time zone 'UTC', 'YYYY-MM-01') from public.interviews"
        )
    }
    assert loaded <= months


def test_a_failed_check_is_red_and_nothing_is_loaded(lane: Lane) -> None:
    lane.airtable.faults.add(path_contains="/files/", status=404, body=b"gone", times=None)
    run = lane.run("migrate")
    assert not run.is_success
    assert lane.checks(run)["airtable/attachments", "files_present"] is False
    assert lane.query("select count(*) from airtable.records")[0][0] == 0
    assert lane.materialised("supabase", "stories") == 0


def test_a_production_dry_run_touches_a_scratch_database_alone(
    lane: Lane, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load that updates live rows makes the app wait for it: in production nothing of the target is locked."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    run = runs.run_job(lane.instance, Environment.PRODUCTION, "dry_run")
    assert run.is_success, facts(run, lane)
    store = connections.object_store(read_settings(Environment.PRODUCTION))
    assert reports.read(store, run.run_id, "dry_run")["tables"]["stories"]["inserted"] > 0
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from airtable.exports").fetchone() == (0,)
        left = "select count(*) from pg_database where datname like 'ledger_scratch%'"
        assert connection.execute(left).fetchone() == (0,)


@pytest.mark.parametrize(
    ("confirm", "password", "words"),
    [
        ("", "a long passphrase", "--confirm"),
        ("other", "a long passphrase", "--confirm"),
        (None, "", "BACKUP_ENCRYPTION_PASSWORD is not set"),
    ],
)
def test_a_production_load_refuses_however_it_was_started(
    lane: Lane,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    confirm: str | None,
    password: str,
    words: str,
) -> None:
    """The web UI bypasses the command's question, so the step itself asks. Without a key there can be no way back."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("BACKUP_ENCRYPTION_PASSWORD", password)
    settings = read_settings(Environment.PRODUCTION)
    if password:
        backups = read_backup_settings(settings)
        set_up_key(open_vault(backups), backups)
    config = {"ops": {"load": {"config": {"confirm": settings.target_name if confirm is None else confirm}}}}
    run = runs.run_job(lane.instance, Environment.PRODUCTION, "migrate", run_config=config)
    assert not run.is_success
    assert words in facts(run, lane)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from airtable.records").fetchone() == (0,)


def test_while_a_cut_over_holds_a_load_needs_its_token(lane: Lane) -> None:
    """However it was started; with the token the freeze is held from the load's commit on."""
    with connections.database(lane.settings, purpose="test") as connection:
        token = freeze.take_lease(
            connection, reason="moving", who="a tester", cutover="cut-1", planned_end=None, seconds=600
        )
        run = lane.run("migrate")
        assert not run.is_success
        assert "load refused: the freeze of cut-over cut-1" in facts(run, lane)
        assert freeze.state(connection).kind == "lease"
        run = lane.run("migrate", config={"ops": {"load": {"config": {"token": token}}}})
        assert run.is_success, facts(run, lane)
        assert freeze.state(connection).kind == "held"
