"""What follows the way back once people write again: it undoes nothing, and what is left of it can be finished."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from ledger_assets import cutovers, freeze, people, switch
from ledger_assets.cutover import aftermath, back, state
from ledger_assets.cutover.state import Cutover
from ledger_assets.demo.postgres import Cluster
from ledger_assets.environment import Environment, Settings, read_settings
from ledger_assets.errors import SettingsError
from ledger_assets.storage import ObjectStore
from tests.schema.world import World
from tests.switch.receiver import SECRET, receiver


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return replace(
        read_settings(Environment.STAGING, {"LEDGER_HOME": str(tmp_path / "home")}), database_url=database_url
    )


@pytest.fixture
def world(conn: psycopg.Connection, cluster: Cluster) -> World:
    conn.autocommit = True
    return World(conn, cluster.admin_url(conn.info.dbname))


def done(conn: psycopg.Connection) -> Cutover:
    """A cut-over that has switched and that people have written since; it had nothing to load."""
    cutover_id = str(uuid.uuid4())
    state.begin(
        conn, cutover_id, who="a tester", planned_end=datetime.now(UTC) + timedelta(hours=1), watch_minutes=0
    )
    state.join(conn, cutover_id, cutover_id)
    token = freeze.take_lease(conn, reason="a test", who="a tester", cutover=cutover_id, planned_end=None)
    state.note(conn, cutover_id, token=token)
    switch.switch(conn, "supabase", token=token, who="a tester", run_id=cutover_id)
    state.end(conn, cutover_id, "done")
    freeze.thaw(conn, token, who="a tester")
    return state.of_run(conn, cutover_id)


def account(world: World, settings: Settings, conn: psycopg.Connection, run_id: str) -> uuid.UUID:
    """Made by that run for somebody with an address of their own."""
    person = world.storyteller(
        name="Nora Invented",
        airtable_base_id="app",
        airtable_table_id="tbl",
        airtable_record_id=f"rec{run_id}",
    )
    world.story(person)
    world.row("storyteller_contacts", storyteller_id=person, email=f"{run_id}@mail.riverbend.org.au")
    assert people.make_accounts(settings, conn, run_id=run_id, who="a tester").made == 1
    return person


def of(world: World, person: uuid.UUID) -> str:
    return str(world.one("select state from migration.accounts where storyteller_id = %s", person))


def go_back(settings: Settings, store: ObjectStore, cutover: Cutover) -> back.Returned:
    return cutovers.go_back(
        settings,
        store,
        cutover.id,
        who="a tester",
        run_id="run-back",
        why="a test",
        emergency=False,
        lives=lambda _: False,
    )


def test_a_fault_in_the_hooks_settings_is_told_and_undoes_nothing(
    settings: Settings, store: ObjectStore, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    cutover = done(conn)
    monkeypatch.setenv("DEPLOY_HOOK_URLS", "https://app.example.org/hook")
    (left,) = go_back(settings, store, cutover).told.trouble
    assert "DEPLOY_HOOK_SECRET is not set" in left
    assert (state.phase(conn, state.of_run(conn, cutover.id)), freeze.state(conn).kind) == (
        "returned",
        "none",
    )
    assert cutovers.to_go_back(settings, None) is not None, "the hooks are not told"


def test_killed_before_the_hooks_and_accounts_the_same_command_does_what_is_left(
    settings: Settings,
    store: ObjectStore,
    conn: psycopg.Connection,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cutover = done(conn)
    with monkeypatch.context() as patched:
        patched.setattr(aftermath, "tell", _killed)
        meanwhile = account(world, settings, conn, "meanwhile")
        with pytest.raises(KeyboardInterrupt):
            go_back(settings, store, cutover)
    later = account(world, settings, conn, "later")
    assert (of(world, meanwhile), of(world, later)) == ("linked", "linked")
    with receiver() as server:
        monkeypatch.setenv("DEPLOY_HOOK_URLS", server.url)
        monkeypatch.setenv("DEPLOY_HOOK_SECRET", SECRET)
        found = cutovers.to_go_back(settings, None)
        assert found is not None
        assert go_back(settings, store, found).told.trouble == ()
        assert [one["source"] for one in server.got] == ["airtable"]
    assert (of(world, meanwhile), of(world, later)) == ("disabled", "linked")
    assert cutovers.to_go_back(settings, None) is None
    with pytest.raises(SettingsError, match="was taken back already"):
        go_back(settings, store, cutover)
    assert not aftermath.is_left(conn, state.of_run(conn, cutover.id))


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_an_account_that_an_earlier_night_made_and_this_one_made_whole_again_is_disabled_too(
    settings: Settings, store: ObjectStore, conn: psycopg.Connection, world: World
) -> None:
    first = done(conn)
    person = account(world, settings, conn, "first")
    assert go_back(settings, store, first).told.trouble == ()
    assert of(world, person) == "disabled"
    second = done(conn)
    people.make_accounts(settings, conn, run_id="second", who="a tester")
    assert of(world, person) == "linked"
    assert go_back(settings, store, second).told.trouble == ()
    assert of(world, person) == "disabled"


def test_an_account_of_the_week_before_stays(
    settings: Settings, store: ObjectStore, conn: psycopg.Connection, world: World
) -> None:
    person = account(world, settings, conn, "before")
    assert go_back(settings, store, done(conn)).told.trouble == ()
    assert of(world, person) == "linked"
