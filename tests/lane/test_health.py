"""Health, load test, inventory, scorecard and review as a person runs them, on a lane that was migrated."""

import json
from pathlib import Path

import dagster as dg
import pytest

from ledger_assets import events, monitoring
from ledger_assets.assets.keys import key
from ledger_assets.connections import database
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import Environment
from ledger_assets.resources.notifier import Notifier
from ledger_assets.run_facts import run_facts
from tests.lane.commands import done, run, settings_of
from tests.lane.conftest import Lane, facts

ENV = Environment.STAGING


def test_the_job_logs_every_measure_its_page_and_its_check_and_tells_only_of_changes(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(Notifier, "send", lambda _self, message: told.append(" ".join(message.lines)))
    for _ in range(2):
        looked = lane.run("health")
        assert looked.is_success, facts(looked, lane)
    assert lane.materialised("operations", "health") == 2
    assert lane.checks(looked) == {("operations/health", "nothing_bad"): False}
    assert told == ["Bad: snapshot_age. Remedy: ledger-assets health staging says what to do."]
    record = lane.instance.fetch_materializations(key(ENV, "operations", "health"), limit=1).records[0]
    assert record.asset_materialization is not None
    page = Path(str(record.asset_materialization.metadata["page"].value))
    assert "snapshot age" in page.read_text()
    with database(lane.settings, purpose="test") as connection:
        (kept,) = events.read(connection, actions=[monitoring.HEALTH])
    assert kept.detail == {"bad": ["snapshot_age"]}
    assert kept.run_id is not None


def test_runs_are_counted_by_how_they_ended_and_by_environment(lane: Lane) -> None:
    assert run_facts(lane.instance, ENV).ended == 0
    assert lane.run("consent_expiries").is_success
    failed = lane.run("verify")
    assert not failed.is_success
    found = run_facts(lane.instance, ENV)
    assert (found.ended, [one.run_id for one in found.failed]) == (2, [failed.run_id])
    assert found.failed[0].job == "verify_staging"
    assert run_facts(lane.instance, Environment.PRODUCTION).ended == 0
    assert (found.rehearsal, found.access) == (None, None)


def test_the_last_rehearsal_and_the_last_check_of_access_are_found(lane: Lane) -> None:
    asset = key(ENV, "operations", "rehearsal")

    @dg.op
    def rehearse(context: dg.OpExecutionContext) -> None:
        told = {"seconds_to_recover": dg.MetadataValue.float(12.5), "passed": dg.MetadataValue.bool(True)}
        context.log_event(dg.AssetMaterialization(asset, metadata=told))

    @dg.job
    def rehearsal() -> None:
        rehearse()

    assert rehearsal.execute_in_process(instance=lane.instance).success
    migrated = lane.run("migrate")
    assert migrated.is_success, facts(migrated, lane)
    found = run_facts(lane.instance, ENV)
    assert found.rehearsal is not None
    assert (found.rehearsal.seconds, found.rehearsal.passed) == (12.5, True)
    assert found.access is not None
    assert (found.access.run_id, found.access.passed) == (migrated.run_id, True)


def test_the_commands_answer_with_their_exit_codes_and_keep_a_record(
    lane: Lane, environ: Path, tmp_path: Path
) -> None:
    migrated = lane.run("migrate")
    assert migrated.is_success, facts(migrated, lane)
    settings = settings_of(environ, lane.airtable)
    page = tmp_path / "health.html"
    looked = run(settings, "health", "staging", "--page", str(page), "--json")
    assert looked.returncode == 1
    assert looked.stderr.strip() == "ledger-assets: bad: snapshot_age, recovery_point"
    measures = {one["name"]: one["state"] for one in json.loads(looked.stdout)["measures"]}
    assert (measures["migration"], measures["snapshot_age"]) == ("ok", "bad")
    assert "snapshot age" in page.read_text()
    watched = run(settings, "health", "staging", "--watch", "--minutes", "1", "--every", "1")
    assert watched.returncode == 1
    assert "bad twice in a row: snapshot_age" in watched.stderr
    assert watched.stderr.count("measures bad") == 2
    first = json.loads(done(settings, "inventory", "staging", "--json"))
    assert (
        first["database"]["tables"]["public.stories"]
        == lane.query("select count(*) from public.stories")[0][0]
    )
    assert {one["name"] for one in first["tables"]} >= {"Stories"}
    lane.execute("insert into public.themes (id, name) values (gen_random_uuid(), 'one more')")
    compared = done(settings, "inventory", "staging", "--compare", first["database"]["at"])
    assert "public.themes" in compared
    assert "+1" in compared
    asked = done(settings, "loadtest", "staging", "--seconds", "30", "--sessions", "2", "--calls", "75")
    assert "75 calls by 2 sessions" in asked
    scored = run(settings, "scorecard", "staging", "--json")
    assert scored.returncode == 1
    answers = {one["name"]: one["answer"] for one in json.loads(scored.stdout)["criteria"]}
    assert answers["Zero data loss during migration"] == answers["RLS policies enforced correctly"] == "met"
    assert answers["Backup system operational"] == "not met"
    assert answers["All automated tests passing"] == "unknown"
    out = tmp_path / "review.md"
    done(settings, "review", "staging", "--out", str(out))
    report = out.read_text()
    for words in (
        "## The timetable",
        "| loadtest | done |",
        "| scorecard | failed |",
        "| public.themes |",
        "week 5",
    ):
        assert words in report


def test_a_database_that_cannot_be_reached_is_exit_2_and_a_watch_looks_twice_before_it_says_so(
    environ: Path, airtable: LocalAirtable
) -> None:
    nowhere = "postgresql://postgres:hunter2secret@127.0.0.1:1/app"
    settings = settings_of(
        environ, airtable, STAGING_DATABASE_URL=nowhere, BACKUP_ENCRYPTION_PASSWORD="a long passphrase"
    )
    once = run(settings, "health", "staging")
    assert (once.returncode, len(once.stderr.splitlines())) == (2, 1)
    assert "refuses connections" in once.stderr
    watched = run(settings, "health", "staging", "--watch", "--minutes", "5", "--every", "1")
    assert watched.returncode == 2
    assert watched.stderr.count("1 of 1 measures bad: database") == 2
    assert "hunter2secret" not in once.stderr + watched.stderr + watched.stdout
