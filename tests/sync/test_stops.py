"""A sync never brings records of one design into an export of another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger_assets.extract.export import list_exports
from ledger_assets.extract.metadata import BaseMeta, FieldMeta, TableMeta, parse_metadata
from ledger_assets.extract.slices import parse
from ledger_assets.sync.depends import design_changes
from ledger_assets.sync.payloads import Reported, SchemaChanged, read_payloads

from .conftest import World
from .small import PEOPLE, STORIES

PATH = "meta/bases/appSyncHistories01/tables"


@pytest.fixture
def exported(world: World) -> World:
    world.writer.create(PEOPLE, 1)
    world.export()
    return world


def test_a_new_field_stops_it_and_names_it(exported: World) -> None:
    made = exported.writer.request(
        "POST", f"{PATH}/{PEOPLE.id}/fields", {"name": "Clan", "type": "singleLineText"}
    )
    with pytest.raises(
        SchemaChanged, match=rf"field {made['id']} of table 'People' was created.*export again"
    ):
        exported.sync()
    assert len(list_exports(exported.store)) == 1
    exported.export()
    exported.writer.create(PEOPLE, 1, Clan="x")
    exported.assert_exact(exported.sync())


def test_a_renamed_field_stops_it_and_so_does_one_that_was_renamed_back(exported: World) -> None:
    field = PEOPLE.field_id("Agreed")
    for name in ("Consented", "Agreed"):
        exported.writer.request("PATCH", f"{PATH}/{PEOPLE.id}/fields/{field}", {"name": name})
        with pytest.raises(SchemaChanged, match="field 'Agreed' of table 'People' was renamed"):
            exported.sync()


def test_a_design_that_no_payload_told_of_stops_it_too(exported: World) -> None:
    exported.writer.create(PEOPLE, 1)
    text = exported.client.metadata()
    exported.airtable.faults.add("/meta/", 200, text.replace('"Remote"', '"Far"'))
    with pytest.raises(SchemaChanged, match="field 'Remote' of table 'Places' was renamed"):
        exported.sync()
    exported.assert_exact(exported.sync())


def test_a_field_changed_while_it_reads_stops_it(exported: World) -> None:
    exported.writer.create(PEOPLE, 1)
    payload = _payload({PEOPLE.id: {"destroyedFieldIds": [PEOPLE.field_id("Agreed")]}}, number=99)
    exported.airtable.faults.add(
        "/payloads?cursor=3", 200, f'{{"cursor":4,"mightHaveMore":false,"payloads":[{payload}]}}'
    )
    with pytest.raises(SchemaChanged, match="field 'Agreed' of table 'People' was deleted"):
        exported.sync()
    assert len(list_exports(exported.store)) == 1


def _payload(tables: dict[str, Any], number: int = 1) -> str:
    import json

    return json.dumps({"baseTransactionNumber": number, "payloadFormat": "v0", "changedTablesById": tables})


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"createdTablesById": {"tblNew": {}}}, "table tblNew was created"),
        ({"destroyedTableIds": [PEOPLE.id]}, "table 'People' was deleted"),
        (
            {"changedTablesById": {PEOPLE.id: {"changedMetadata": {"current": {"name": "Folk"}}}}},
            "table 'People' was renamed",
        ),
        (
            {
                "changedTablesById": {
                    PEOPLE.id: {
                        "changedFieldsById": {PEOPLE.field_id("Name"): {"current": {"type": "number"}}}
                    }
                }
            },
            "field 'Name' of table 'People' was given another type",
        ),
        ({"changedTablesById": {"tblHidden": {"destroyedRecordIds": []}}}, "table tblHidden is new"),
    ],
)
def test_what_payloads_say_of_the_design(exported: World, payload: dict[str, Any], said: str) -> None:
    import json

    meta = parse_metadata("app", exported.client.metadata())
    reported = Reported()
    read_payloads(meta, [parse(json.dumps({"baseTransactionNumber": 1, **payload}))], reported)
    assert reported.schema == [said]


def test_a_new_option_of_a_select_is_taken_along(world: World) -> None:
    select = {"name": "Kind", "type": "singleSelect", "options": {"choices": [{"name": "a"}]}}
    world.writer.request("POST", f"{PATH}/{STORIES.id}/fields", select)
    made = world.writer.create(STORIES, 0, Kind="a")
    world.export()
    body = {"fields": {"Kind": "b"}, "typecast": True}
    world.writer.request("PATCH", f"{STORIES.id}/{made}", body)
    synced = world.sync()
    world.assert_exact(synced)
    assert '"b"' in world.read(synced).metadata_text


CHOICES = {"choices": [{"id": "sel1", "name": "a", "color": "red"}, {"id": "sel2", "name": "b"}]}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"choices": [*CHOICES["choices"][::-1], {"id": "sel3", "name": "c"}]}, 0),
        ({"choices": [{"id": "sel1", "name": "a", "color": "blue"}, CHOICES["choices"][1]]}, 0),
        ({"choices": [{"id": "sel1", "name": "A"}, CHOICES["choices"][1]]}, 1),
        ({"choices": CHOICES["choices"][:1]}, 1),
        ({}, 1),
    ],
    ids=["another more", "another colour", "renamed", "deleted", "without options"],
)
def test_options_of_a_select_that_were_there_must_stay_as_they_were(
    options: dict[str, Any], said: int
) -> None:
    kind = FieldMeta("fld1", "Kind", "singleSelect", CHOICES)
    before = BaseMeta("app", (TableMeta("tbl1", "T", "fld1", (kind,)),))
    after = BaseMeta("app", (TableMeta("tbl1", "T", "fld1", (replace(kind, options=options),)),))
    assert len(design_changes(before, after)) == said
