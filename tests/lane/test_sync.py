"""The job, the command's words and the sensor, through Dagster, on the local server and an embedded Postgres."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pyairtable
import pytest
from click.testing import CliRunner

from ledger_assets import lane_sync, reports, sensors
from ledger_assets.cli import commands
from ledger_assets.environment import Environment
from ledger_assets.extract.export import Export, latest_export, list_exports
from ledger_assets.tables import SPECS

from .conftest import Lane, facts


@pytest.fixture
def base(lane: Lane) -> pyairtable.Base:
    api = pyairtable.Api(lane.airtable.api_key, endpoint_url=lane.airtable.url, retry_strategy=None)
    return api.base(lane.airtable.base_id)


def sync_staging(lane: Lane) -> dg.DagsterRun:
    """A run of the job as the command starts it."""
    return lane.run("sync", config={"ops": {"export": {"config": {"sync": True}}}})


def test_edits_arrive_in_the_database_and_are_proven_as_by_a_migration(
    lane: Lane, base: pyairtable.Base
) -> None:
    first = lane.run("migrate")
    assert first.is_success, facts(first, lane)
    themes, people = base.table("Themes"), base.table("Storytellers")
    gone, renamed = (record["id"] for record in themes.all(max_records=2))
    quote = base.table("Quotes").all(max_records=1)[0]["id"]
    before = lane.query("select count(*) from airtable.records where source_deleted_at is not null")
    themes.delete(gone)
    themes.update(renamed, {"Theme Name": "Named anew"})
    made = themes.create({"Theme Name": "Quite new"})["id"]
    base.table("Quotes").update(quote, {"Theme": None})
    ticked = next(r["id"] for r in people.all() if r["fields"].get("Website"))
    people.update(ticked, {"Website": False})

    run = sync_staging(lane)

    assert run.is_success, facts(run, lane)
    assert all(lane.checks(run).values())
    found = reports.read(lane.store, run.run_id, "sync")
    assert found["fallback"] is None
    assert (found["created"], found["destroyed"]) == ({"Themes": 1}, {"Themes": 1})
    after = latest_export(lane.store, with_files=True)
    assert (after.export_id, after.manifest.synced_from) == (found["export_id"], list_exports(lane.store)[0])
    deleted = lane.query("select count(*) from airtable.records where source_deleted_at is not null")
    assert deleted[0][0] == before[0][0] + 1
    names = lane.query(
        "select airtable_record_id, name from public.themes where name in ('Named anew', 'Quite new')"
    )
    assert dict(names) == {renamed: "Named anew", made: "Quite new"}
    synced = lane.content()
    whole = lane.run("migrate")
    assert whole.is_success, facts(whole, lane)
    assert lane.content() == synced


def test_the_sensor_asks_once_for_each_change_and_the_job_settles_it(
    lane: Lane, base: pyairtable.Base
) -> None:
    (sensor,) = (
        one for one in sensors.build_sensors(Environment.STAGING) if one.name == "airtable_changes_staging"
    )
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED

    def tick(cursor: str | None = None) -> dg.SensorExecutionData:
        return sensor.evaluate_tick(dg.build_sensor_context(instance=lane.instance, cursor=cursor))

    assert [one.run_key for one in tick().run_requests or ()] == ["lost:None"]
    exported = lane.run("export")
    assert exported.is_success, facts(exported, lane)
    assert tick().run_requests == []
    base.table("Themes").create({"Theme Name": "New"})
    first = tick()
    request = (first.run_requests or [])[0]
    assert request.run_config == {"ops": {"export": {"config": {"sync": True}}}}
    assert tick(first.cursor).run_requests == [], "asked for already"
    run = lane.run("sync", config=request.run_config)
    assert run.is_success, facts(run, lane)
    assert tick(first.cursor).skip_message == "nothing changed since the last export"


def test_a_cut_over_s_step_brings_records_and_files(lane: Lane, base: pyairtable.Base) -> None:
    exported = lane.run("export")
    assert exported.is_success, facts(exported, lane)
    story = base.table("Stories").all(max_records=1)[0]["id"]
    image: Any = [{"url": "https://example.org/a.png", "filename": "a.png"}]
    base.table("Stories").update(story, {"Story Image": image})
    edited = lane_sync.changes(lane.settings)
    assert (edited.any, edited.records, edited.lost) == (True, 1, None)

    brought = lane_sync.bring_over(lane.settings, SPECS, final=True)

    assert (brought.synced.fallback, brought.export.manifest.final) == (None, True)
    assert latest_export(lane.store, with_files=True).export_id == brought.synced.export_id
    assert brought.inventory.downloaded == 1, "files that are here are not fetched again"
    assert not lane_sync.changes(lane.settings).any


def test_the_command_says_what_came_and_then_that_nothing_did(
    lane: Lane,
    base: pyairtable.Base,
    environ: Path,
) -> None:
    exported = lane.run("export")
    assert exported.is_success, facts(exported, lane)
    base.table("Themes").create({"Theme Name": "New"})
    said = CliRunner().invoke(commands, ["sync", "staging", "--export-only"], catch_exceptions=False).output
    assert "Themes" in said
    (_, newest) = list_exports(lane.store)
    assert f"{newest}: " in said
    assert Export(lane.store, newest).manifest.synced_from is not None
    again = CliRunner().invoke(commands, ["sync", "staging", "--export-only"], catch_exceptions=False).output
    assert "nothing changed since the last export" in again
    assert len(list_exports(lane.store)) == 2
    refused = CliRunner().invoke(commands, ["sync", "nowhere"])
    assert refused.exit_code == 2
