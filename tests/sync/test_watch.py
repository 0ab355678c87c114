"""Before the switch, and for weeks after it: is there anything in Airtable that the export does not have?"""

from __future__ import annotations

import pytest

from ledger_assets.errors import CheckFailed
from ledger_assets.extract.export import list_exports
from ledger_assets.sync.changes import Changes, changes_since

from .conftest import World
from .small import PEOPLE, STORIES


@pytest.fixture
def exported(world: World) -> World:
    world.writer.create(PEOPLE, 0)
    world.export()
    return world


def since(world: World, **options: object) -> Changes:
    return changes_since(world.client, world.store, list_exports(world.store)[-1], **options)  # type: ignore[arg-type]


def test_no_edit_is_no_change_and_an_edit_is_named_by_table_and_record(exported: World) -> None:
    assert not since(exported).any
    (person,) = exported.writer.ids["People"]
    story = exported.writer.create(STORIES, 0, People=[person])
    found = since(exported)
    assert found.tables[STORIES.id].created == {story}
    assert found.tables[PEOPLE.id].changed == {person}
    assert (found.records, found.schema, found.lost) == (2, (), None)
    exported.writer.request("DELETE", f"{PEOPLE.id}/{person}")
    assert since(exported).tables[PEOPLE.id].destroyed == {person}
    exported.sync()
    assert not since(exported).any


def test_what_is_only_computed_is_nobody_s_edit(exported: World) -> None:
    (person,) = exported.writer.ids["People"]
    exported.writer.create(STORIES, 0, People=[person])
    exported.sync()
    exported.writer.update(PEOPLE, person, {"Name": "Another"})
    assert set(since(exported).tables) == {PEOPLE.id}, "the story's lookup is told too, and left out"


def test_a_watch_goes_on_from_its_own_cursor_when_the_export_s_is_too_old(exported: World) -> None:
    exported.writer.create(PEOPLE, 0)
    first = since(exported)
    exported.airtable.webhooks.purge(before=2)
    assert "payloads are missing" in (since(exported).lost or "")
    exported.writer.create(PEOPLE, 0)
    again = since(exported, after=first.cursor)
    assert (again.records, again.lost) == (1, None)


def test_a_changed_design_is_a_change(exported: World) -> None:
    field = {"name": "Clan", "type": "singleLineText"}
    exported.writer.request("POST", f"meta/bases/appSyncHistories01/tables/{PEOPLE.id}/fields", field)
    found = since(exported)
    assert found.any
    assert "of table 'People' was created" in found.schema[0]


def test_a_final_sync_refuses_a_base_in_which_people_go_on_editing(
    exported: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (person,) = exported.writer.ids["People"]
    read = exported.client.call

    def call(method: str, path: str, *more: object) -> object:
        if "/payloads" in path:
            exported.writer.touch(PEOPLE, person)
        return read(method, path, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(exported.client, "call", call)
    with pytest.raises(CheckFailed, match="people are still editing the base"):
        exported.sync(final=True)
    assert len(list_exports(exported.store)) == 1
    synced = exported.sync()
    monkeypatch.undo()
    assert synced.fallback is None
    assert since(exported).any, "what came last is the next sync's"
    exported.assert_exact(exported.sync())
