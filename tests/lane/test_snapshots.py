"""Snapshots as a person uses them: a production of its own, loaded behind a checkpoint, damaged, and brought back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest

from ledger_assets import backups, connections, recoveries, runs
from ledger_assets.backup import catalogue
from ledger_assets.backup.place import open_place
from ledger_assets.cli.session import instance
from ledger_assets.demo.base import create_base
from ledger_assets.demo.parts import base_path
from ledger_assets.environment import Environment, Settings, read_settings

ENV = Environment.PRODUCTION
NAME = "ledger_production"


@dataclass
class Production:
    """The embedded production of a small synthetic base."""

    settings: Settings
    instance: dg.DagsterInstance

    def run(self, job: str, op: str, **config: Any) -> tuple[dg.DagsterRun, list[str]]:
        """A run, and its own words when it fails."""
        run = runs.run_job(self.instance, ENV, job, run_config={"ops": {op: {"config": config}}})
        return run, [line for line, _ in runs.failures(self.instance, run.run_id)]

    def all(self, query: str) -> list[tuple[Any, ...]]:
        with connections.database(self.settings, purpose="test") as connection:
            return connection.execute(query.encode()).fetchall()

    def do(self, *statements: str) -> None:
        with connections.database(self.settings, purpose="test") as connection:
            for statement in statements:
                connection.execute(statement.encode())
            connection.commit()

    def snapshots(self) -> Mapping[str, str]:
        """State by id."""
        return {one.id: one.word for one in catalogue.read(open_place(self.settings)).snapshots}

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of the tables that people see, as text."""
        names = [
            name for (name,) in self.all("select tablename::text from pg_tables where schemaname = 'public'")
        ]
        return {name: sorted(self.all(f'select t::text from public."{name}" t')) for name in names}


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    home = tmp_path_factory.mktemp("production") / "home"
    with pytest.MonkeyPatch.context() as patch:
        for name in (
            "DATABASE_URL",
            "AIRTABLE_API_KEY",
            "AIRTABLE_BASE_ID",
            "AIRTABLE_ENDPOINT_URL",
            "OBJECT_STORE_URL",
        ):
            patch.delenv(name, raising=False)
        patch.setenv("LEDGER_HOME", str(home))
        settings = read_settings(ENV)
        create_base(
            base_path(settings.home, settings.profile.value), scale=100, base_id=settings.airtable.base_id
        )
        with instance(home) as dagster_instance:
            made = Production(settings, dagster_instance)
            run, said = made.run("migrate", "load", confirm=NAME)
            assert run.is_success, said
            yield made


def test_a_production_migration_takes_its_checkpoint_right_before_the_load(production: Production) -> None:
    steps = [
        record.event_log_entry.step_key
        for record in production.instance.get_event_records(
            dg.EventRecordsFilter(event_type=dg.DagsterEventType.ASSET_MATERIALIZATION), ascending=True
        )
    ]
    order = list(dict.fromkeys(step for step in steps if step is not None))
    assert order.index("production__snapshots__checkpoint") == order.index("load") - 1
    assert [state for kind, state in production.snapshots().items() if kind.endswith("checkpoint")] == [
        "verified"
    ]


def test_a_load_without_a_newer_checkpoint_is_refused_however_it_is_started(production: Production) -> None:
    """The graph puts the checkpoint before the load in one job only; from the web UI the load can be run alone."""
    before = production.all("select max(load_id) from migration.loads")
    tags = {"dagster/partition": "2025-03-01"}
    config = {"ops": {"load_months": {"config": {"confirm": NAME}}}}
    run = runs.run_job(production.instance, ENV, "remigrate", run_config=config, tags=tags)
    said = [line for line, _ in runs.failures(production.instance, run.run_id)]
    assert not run.is_success
    assert "no verified checkpoint of this database newer than its last load" in said[0]
    assert production.all("select max(load_id) from migration.loads") == before


def test_lost_stories_come_back_and_newer_rows_stay_and_the_way_back_is_exact(production: Production) -> None:
    store = connections.object_store(production.settings)
    taken = backups.take(production.settings, store, kind="full", reason="test")
    assert (taken.verification.problems, taken.compared is not None and taken.compared.passed) == ((), True)
    whole = production.content()
    production.do(
        "truncate public.stories cascade",
        "insert into public.themes (id, name) values (gen_random_uuid(), 'newer')",
    )
    damaged = production.content()
    assert damaged["stories"] == []
    (lost_file,) = production.all("select min(object_key) from airtable.attachments")[0]
    words = store.get(lost_file)
    store.delete(lost_file)

    plan = recoveries.plan(production.settings, "data_loss")
    assert (plan.snapshot_id, plan.modes) == (taken.snapshot.id, ("lost",))
    run, said = production.run("recover", "recover", plan=plan.id, who="test", confirm=NAME)
    assert run.is_success, said
    after = production.content()
    assert {name: set(rows) - set(whole[name]) for name, rows in after.items() if rows != whole[name]} == {
        "themes": set(damaged["themes"]) - set(whole["themes"])
    }
    assert store.get(lost_file) == words
    emergency = [one for one in production.snapshots() if one.endswith("emergency")]
    assert [production.snapshots()[one] for one in emergency] == ["verified"]

    assert "keeps no earlier versions" in recoveries.plan(production.settings, "ransomware").extent[0]
    (undo_id,) = production.all("select max(undo_id) from migration.undo")[0]
    run, said = production.run("undo_restore", "undo_restore", undo=undo_id, who="test", confirm=NAME)
    assert run.is_success, said
    assert production.content() == damaged


def test_nothing_of_production_is_restored_without_its_name(production: Production) -> None:
    newest = list(production.snapshots())[-1]
    run, said = production.run("restore", "restore", snapshot=newest, who="test")
    assert not run.is_success
    assert f"--confirm {NAME}" in said[0]


def test_a_snapshot_that_no_longer_restores_exactly_is_red_and_its_load_is_refused(
    production: Production,
) -> None:
    run, said = production.run("checkpoint", "production__snapshots__checkpoint", reason="test")
    assert run.is_success, said
    newest = list(production.snapshots())[-1]
    place = open_place(production.settings)
    data = next(info for info in place.vault.list(f"snapshots/{newest}/data") if "toc" not in info.key)
    content = bytearray(place.vault.get(data.key))
    content[-20] ^= 1
    place.vault.put(data.key, bytes(content))
    (found,) = [
        one for one in backups.reverify(production.settings, connections.object_store(production.settings))
        if one.snapshot.id == newest
    ]  # fmt: skip
    assert found.verification.problems
    assert data.key in found.verification.problems[0]
    assert production.snapshots()[newest] == "corrupt"
    run, said = production.run("restore", "restore", snapshot=newest, who="test", confirm=NAME)
    assert not run.is_success
    assert data.key in said[0]


def test_what_a_snapshot_tells_holds_ids_and_counts_alone(production: Production) -> None:
    words = {str(value) for (value,) in production.all("select name from public.storytellers")}
    events = production.instance.get_event_records(
        dg.EventRecordsFilter(event_type=dg.DagsterEventType.ASSET_MATERIALIZATION), limit=1000
    )
    told = json.dumps([str(record.event_log_entry.dagster_event) for record in events])
    assert words
    assert not [word for word in words if word in told]


def test_a_snapshot_that_still_holds_somebody_who_was_erased_is_red(production: Production) -> None:
    """An erasure that left something behind must not be found out by the person."""
    production.do(
        "with one as (select id, airtable_base_id b, airtable_table_id t, airtable_record_id r from public.storytellers "
        "where airtable_record_id is not null order by id limit 1), "
        "asked as (insert into public.erasure_requests (scope, storyteller_id, state, done_at, counts) "
        "select 'storyteller', id, 'done', now(), '{}' from one returning id) "
        "insert into migration.erasures (base_id, table_id, record_id, request_id) "
        "select b, t, r, asked.id from one, asked"
    )
    (record,) = production.all("select record_id from migration.erasures")[0]
    run, _ = production.run("backup", "production__snapshots__full", reason="test")
    assert not run.is_success
    checks = {
        evaluation.check_name: (evaluation.passed, str(evaluation.metadata.get("left")))
        for entry in production.instance.all_logs(run.run_id)
        if entry.dagster_event is not None
        and entry.dagster_event.event_type_value == "ASSET_CHECK_EVALUATION"
        for evaluation in [entry.dagster_event.asset_check_evaluation_data]
    }
    assert checks["restores_exactly"][0]
    assert not checks["erased_absent"][0]
    assert record in checks["erased_absent"][1]
