"""The night from the freeze to the thaw, killed anywhere, stopped by a gate, taken back."""

from __future__ import annotations

import json

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableRepository

from ledger_assets.cli.session import instance
from ledger_assets.environment import Environment

from .conftest import NAME, Night

BEFORE_THE_LOAD = ("sync running", "checkpoint done")
AFTER_THE_LOAD = ("load done", "switch running")
AFTER_THE_SWITCH = ("switch done",)
"""Between the steps, by the command; every place inside and between them: ``test_kills``."""
DONE = ("done", "none", "supabase")


def test_the_whole_night(night: Night) -> None:
    finished = night.cut_over()
    assert finished.returncode == 0, finished.stderr
    assert night.stands() == DONE
    assert night.content() == night.content(Environment.STAGING)
    told = json.loads(night.command("cutover", "production", "--status", "--json").stdout)
    assert [one["step"] if "step" in one else one["name"] for one in told["steps"]] == [
        "freeze", "sync", "checkpoint", "load", "proof", "access", "health", "switch", "watch", "unfreeze",
    ]  # fmt: skip
    assert {one["outcome"] for one in told["steps"]} == {"done"}
    (events,) = night.query(
        "select array_agg(distinct action order by action) from migration.events where outcome = 'done'"
    )
    assert {"freeze", "cutover_load", "switch", "thaw", "cutover"} <= set(events[0])


@pytest.mark.parametrize("line", BEFORE_THE_LOAD)
def test_killed_before_the_load_nothing_is_left_and_the_same_command_does_it_all(
    night: Night, line: str
) -> None:
    before = night.content()
    night.killed_at(line)
    assert night.content() == before
    phase, frozen, live = night.stands()
    assert (phase, live) in {("frozen", "airtable"), ("lapsed", "airtable")}
    assert frozen in {"lease", "ran_out"}  # it cannot be held: it opens by itself
    finished = night.cut_over()
    assert finished.returncode == 0, finished.stderr
    assert night.stands() == DONE
    assert night.content() == night.content(Environment.STAGING)
    states = night.query("select state from migration.cutovers order by began_at")
    assert states == [("abandoned",), ("done",)]
    told = night.command("cutover", "production", "--status").stdout
    assert "was given up in its step" in told
    review = night.command("review", "production").stdout
    assert "another is begun" in review
    assert "done again: cutover at" in review
    assert ("its process ended before the step did" in review) == line.endswith("running")


@pytest.mark.parametrize("line", AFTER_THE_LOAD)
def test_killed_after_the_load_it_stays_frozen_and_the_same_command_goes_on(night: Night, line: str) -> None:
    night.killed_at(line)
    assert night.stands() == ("loaded", "held", "airtable")
    assert (
        "cutover production --back --confirm ledger_production"
        in night.command("status", "production").stdout
    )
    (first,) = night.query(
        "select run_id, began_at, ended_at from migration.cutover_steps where step = 'sync'"
    )
    finished = night.cut_over()
    assert finished.returncode == 0, finished.stderr
    assert night.stands() == DONE
    assert night.query("select state, cardinality(runs) from migration.cutovers") == [("done", 2)]
    assert night.query("select count(*) from migration.loads where committed_at is not null") == [(1,)]
    kept = night.query("select run_id, began_at, ended_at from migration.cutover_steps where step = 'sync'")
    assert kept == [first], "the final sync was done by the run that did it"
    assert night.query("select count(*) from migration.events where action = 'cutover_sync'") == [(1,)]
    told = json.loads(night.command("cutover", "production", "--status", "--json").stdout)["steps"]
    assert {one["name"]: [two["run_id"] for two in one["before"]] for one in told}["freeze"] == [first[0]]


@pytest.mark.parametrize("line", AFTER_THE_SWITCH)
def test_killed_after_the_switch_the_same_command_opens_writing(night: Night, line: str) -> None:
    night.killed_at(line)
    assert night.stands()[0::2] == ("switched", "supabase")
    finished = night.cut_over()
    assert finished.returncode == 0, finished.stderr
    assert night.stands() == DONE


def test_killed_after_the_load_it_can_be_taken_back_instead(night: Night) -> None:
    before = night.content()
    night.killed_at("load done")
    finished = night.command("cutover", "production", "--back", "--confirm", NAME)
    assert finished.returncode == 0, finished.stderr
    assert night.stands() == ("returned", "none", "airtable")
    assert night.content() == before


def test_an_edit_in_airtable_after_the_sync_refuses_the_switch_and_everything_is_as_before(
    night: Night,
) -> None:
    before = night.content()
    process = night.begun("checkpoint done")
    record = night.edit_airtable("Edited too late")
    out, err = process.communicate()
    assert process.returncode == 1
    assert f"1 records were changed in Airtable after the final sync ({record})" in err
    assert "The cut-over went back" in err
    assert "Edited too late" not in out + err
    assert night.stands() == ("returned", "none", "airtable")
    assert night.content() == before
    again = night.cut_over()
    assert again.returncode == 0, again.stderr
    assert night.stands() == DONE
    assert any("Edited too late" in row for row in night.content()["stories"])


def test_a_rollback_to_its_checkpoint_returns_database_and_switch_and_keeps_later_words(night: Night) -> None:
    before = night.content()
    assert night.cut_over().returncode == 0
    night.do("insert into public.themes (id, name) values (gen_random_uuid(), 'Written after the switch')")
    ((checkpoint,),) = night.query("select checkpoint from migration.cutovers")
    finished = night.command("rollback", "production", "--to", checkpoint, "--confirm", NAME)
    assert finished.returncode == 0, finished.stderr
    assert "lies encrypted in aside/" in finished.stdout
    assert night.stands() == ("returned", "none", "airtable")
    assert night.content() == before


def test_killed_on_its_way_back_the_same_command_finishes_the_way_back(night: Night) -> None:
    before = night.content()
    process = night.begun("checkpoint done")
    night.edit_airtable("Edited too late")
    assert process.stdout is not None
    for told in process.stdout:
        if "switch failed" in told:
            break
    process.kill()
    process.wait()
    assert night.stands()[0] in {"loaded", "returning"}
    assert night.stands()[1] == "held"
    finished = night.command("cutover", "production", "--back", "--confirm", NAME)
    assert finished.returncode == 0, finished.stderr
    assert night.stands() == ("returned", "none", "airtable")
    assert night.content() == before


def test_a_run_that_failed_goes_on_from_its_failed_step_while_the_lease_lives(night: Night) -> None:
    """As "re-execute from failure" in the web UI."""
    process = night.begun("sync running")
    process.kill()
    process.wait()
    with instance(night.settings.home) as running:  # reports the lost run as failed
        (failed,) = running.get_runs(dg.RunsFilter(job_name="cutover_production"))
        folder = str(night.settings.home.parent)
        job = ReconstructableRepository.for_module(
            "ledger_assets.definitions", "production", working_directory=folder
        ).get_reconstructable_job("cutover_production")
        options = dg.ReexecutionOptions.from_failure(failed.run_id, running)
        with dg.execute_job(job, running, reexecution_options=options) as again:
            assert again.success, [one.message for one in again.all_events if one.is_step_failure]
            steps = {event.step_key for event in again.all_events if event.is_step_success}
    assert "freeze" not in steps
    assert night.stands() == DONE
    assert night.query("select state, cardinality(runs) from migration.cutovers") == [("done", 2)]


def test_two_at_once_the_second_is_refused(night: Night) -> None:
    process = night.begun("sync running")
    second = night.cut_over()
    assert second.returncode == 2
    assert "is under way in run" in second.stderr
    process.communicate()
    assert process.returncode == 0
    assert night.stands() == DONE


@pytest.mark.parametrize(
    ("arguments", "more", "said"),
    [
        (("--base-is-read-only", "--confirm", "another"), {}, "--confirm ledger_production"),
        (("--confirm", NAME), {}, "first make the base read-only in Airtable"),
        (
            ("--base-is-read-only", "--confirm", NAME),
            {"CUTOVER_STAGING_HOURS": "0.000001"},
            "CUTOVER_STAGING_HOURS",
        ),
        (
            ("--base-is-read-only", "--confirm", NAME),
            {"CUTOVER_SNAPSHOT_HOURS": "0.000001"},
            "backup take production --kind full",
        ),
        (
            ("--base-is-read-only", "--confirm", NAME),
            {"CUTOVER_SNAPSHOT_HOURS": "soon"},
            "CUTOVER_SNAPSHOT_HOURS: 'soon' is not a number of hours",
        ),
        (
            ("--base-is-read-only", "--confirm", NAME),
            {"DEPLOY_HOOK_URLS": "https://app.example.org/hook"},
            "DEPLOY_HOOK_SECRET is not set",
        ),
    ],
)
def test_a_gate_that_is_shut_touches_nothing(
    night: Night, arguments: tuple[str, ...], more: dict[str, str], said: str
) -> None:
    finished = night.command("cutover", "production", *arguments, **more)
    assert finished.returncode == 2
    assert said in finished.stderr
    assert len(finished.stderr.strip().splitlines()) == 1
    assert night.stands() == (None, "none", "airtable")
    assert night.query("select count(*) from migration.events where action = 'freeze'") == [(0,)]
    with instance(night.settings.home) as running:  # health would be red for a day
        assert running.get_runs(dg.RunsFilter(job_name="cutover_production")) == []


def test_a_database_of_another_base_is_refused(night: Night) -> None:
    night.do("insert into migration.target values (default, 'production', 'x', 'appAnother00000000')")
    finished = night.cut_over()
    assert (finished.returncode, "belongs to environment production, base appAnother" in finished.stderr) == (
        2,
        True,
    )


def test_staging_that_was_proven_at_another_schema_is_refused(night: Night) -> None:
    night.do(
        "insert into supabase_migrations.schema_migrations (version, name) values ('29990101000000', 'of tomorrow')"
    )
    finished = night.cut_over()
    assert finished.returncode == 2
    assert "production is at 29990101000000" in finished.stderr
    assert night.stands() == (None, "none", "airtable")


def test_an_edit_in_airtable_after_the_switch_keeps_health_red_until_it_is_dismissed_or_loaded(
    night: Night,
) -> None:
    assert night.cut_over().returncode == 0
    assert night.command("late-edits", "production").returncode == 0
    record = night.edit_airtable("Edited after the switch")
    listed = night.command("late-edits", "production")
    assert (listed.returncode, listed.stdout.split()[0]) == (1, record)
    health = json.loads(night.command("health", "production", "--json").stdout)
    late = next(one for one in health["measures"] if one["name"] == "late_edits")
    assert late["state"] == "bad"
    assert record in late["value"]
    assert "Edited after the switch" not in json.dumps(health)

    assert night.command("late-edits", "production", "--dismiss", "recNotListed00000").returncode == 2
    assert night.command("late-edits", "production", "--dismiss", record).returncode == 0
    night.edit_airtable("Edited once more")
    again = night.command("late-edits", "production", "--json")
    assert (again.returncode, json.loads(again.stdout)["records"]) == (1, [record])

    assert night.command("backup", "take", "production", "--kind", "checkpoint").returncode == 0
    loaded = night.command("sync", "production", "--confirm", NAME)
    assert loaded.returncode == 0, loaded.stderr
    assert night.command("late-edits", "production").returncode == 0
    assert any("Edited once more" in row for row in night.content()["stories"])
