"""What Airtable leaves out, restores, or tells in an order that people rarely see."""

from __future__ import annotations

import json

import pytest

from ledger_assets.errors import SourceError
from ledger_assets.sync.payloads import TableChanges

from .conftest import World
from .small import PEOPLE, STORIES


def test_a_record_that_is_not_answered_is_gone_or_asked_for_once_more(world: World) -> None:
    world.writer.create(PEOPLE, 0)
    world.export()
    (person,) = world.writer.ids["People"]
    world.writer.update(PEOPLE, person, {"Name": "Another"})
    world.airtable.faults.add("filterByFormula", 200, '{"records":[]}')
    world.assert_exact(world.sync())
    world.writer.update(PEOPLE, person, {"Name": "A third"})
    world.airtable.faults.add("filterByFormula", 200, '{"records":[]}', times=2)
    with pytest.raises(
        SourceError, match=rf"record {person} of table 'People' is there, but Airtable does not list"
    ):
        world.sync()


@pytest.mark.parametrize("status", [404, 403])
def test_a_record_that_went_without_a_word_is_gone(world: World, status: int) -> None:
    """Airtable may answer 403 for a record that is not there."""
    stays, goes = world.writer.create(PEOPLE, 0), world.writer.create(PEOPLE, 0)
    world.export()
    world.writer.update(PEOPLE, goes, {"Name": "Another"})
    file = world.airtable._file
    assert file is not None
    file.remove([goes])
    world.airtable.faults.add(
        f"/{goes}", status, '{"error":{"type":"INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND","message":""}}'
    )
    synced = world.sync()
    assert (dict(synced.changed), dict(synced.destroyed)) == ({}, {"People": 1})
    world.assert_exact(synced)
    assert [r.id for r in world.read(synced).records(PEOPLE.id)] == [stays]


def test_a_record_that_was_not_asked_for_is_refused(world: World) -> None:
    person, other = world.writer.create(PEOPLE, 0), world.writer.create(PEOPLE, 0)
    world.export()
    world.writer.update(PEOPLE, person, {"Name": "Another"})
    body = f'{{"records":[{{"id":"{other}","createdTime":"2026-01-01T00:00:00.000Z","fields":{{}}}}]}}'
    world.airtable.faults.add("filterByFormula", 200, body)
    with pytest.raises(SourceError, match=f"answered {other}, which nobody asked for"):
        world.sync()


def test_a_deleted_record_that_is_restored_while_it_reads_is_there(world: World) -> None:
    """Airtable's undo brings a record back under its own id."""
    person = world.writer.create(PEOPLE, 0)
    world.writer.create(STORIES, 0, People=[person])
    world.export()
    file = world.airtable._file
    assert file is not None
    row = file.record(person)
    assert row is not None
    world.writer.request("DELETE", f"{PEOPLE.id}/{person}")
    position = len(file.db.execute("select 1 from payloads").fetchall()) + 1
    payload = {
        "baseTransactionNumber": 10_000,
        "payloadFormat": "v0",
        "changedTablesById": {PEOPLE.id: {"createdRecordsById": {person: {}}}},
    }
    body = f'{{"cursor":{position + 1},"mightHaveMore":false,"payloads":[{json.dumps(payload)}]}}'
    world.airtable.faults.add(f"payloads?cursor={position}", 200, body)
    file.add_records([row])
    synced = world.sync()
    assert dict(synced.destroyed) == {}
    world.assert_exact(synced)


def test_the_order_in_which_a_record_s_changes_are_told_counts() -> None:
    table = TableChanges()
    for act in (table.create, table.destroy):
        act("recBrief")
    table.change("recEdited", edited=True)
    table.destroy("recEdited")
    table.destroy("recRestored")
    table.create("recRestored")
    table.create("recNew")
    table.change("recNew", edited=False)
    table.change("recComputed", edited=False)
    assert (table.created, table.destroyed) == ({"recNew"}, {"recEdited"})
    assert (table.changed, table.edited) == ({"recRestored", "recComputed"}, {"recRestored"})


def test_comments_that_an_export_missed_are_found_by_a_final_sync(world: World) -> None:
    """One was written between a record's page and its comments: the record itself stays as it was."""
    person = world.writer.create(PEOPLE, 0)
    world.writer.comment(PEOPLE, person, "missed")
    world.airtable.faults.add("/comments", 200, '{"comments":[],"offset":null}')
    assert list(world.export().comments(PEOPLE.id)) == []
    synced = world.sync(final=True)
    assert len(list(world.read(synced).comments(PEOPLE.id))) == 1
    world.assert_exact(synced)


def test_the_comments_of_a_record_that_is_read_again_take_the_place_of_the_old_ones(world: World) -> None:
    kept, read = world.writer.create(PEOPLE, 0), world.writer.create(PEOPLE, 0)
    for record in (kept, read):
        world.writer.comment(PEOPLE, record, "of before")
    world.export()
    world.writer.comment(PEOPLE, read, "new")
    synced = world.sync()
    world.assert_exact(synced)
    assert len(list(world.read(synced).comments(PEOPLE.id))) == 3
