"""A base in numbers."""

from __future__ import annotations

import json

from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.export import Export
from ledger_assets.extract.inventory import LinkCount, take_inventory
from ledger_assets.extract.metadata import parse_metadata
from ledger_assets.extract.run import export_base
from ledger_assets.storage import ObjectStore

from .scripted import BASE, ScriptedAirtable, record

STORIES = [
    {"id": "fldTitle", "name": "Title", "type": "singleLineText"},
    {
        "id": "fldBy",
        "name": "Storytellers",
        "type": "multipleRecordLinks",
        "options": {"linkedTableId": "tblPeople", "inverseLinkFieldId": "fldOf"},
    },
    {
        "id": "fldShift",
        "name": "Shifts",
        "type": "multipleRecordLinks",
        "options": {"linkedTableId": "tblGone"},
    },
    {"id": "fldFile", "name": "Photo", "type": "multipleAttachments"},
]
PEOPLE = [
    {"id": "fldName", "name": "Name", "type": "singleLineText"},
    {
        "id": "fldOf",
        "name": "Stories",
        "type": "multipleRecordLinks",
        "options": {"linkedTableId": "tblStories", "inverseLinkFieldId": "fldBy"},
    },
]


def fill(airtable: ScriptedAirtable) -> None:
    cell = (
        '{"fldTitle":"t","fldBy":["rec1","rec2"],"fldFile":[{"id":"att1","size":7},{"id":"att2","size":5}]}'
    )
    stories = [record(n, fields=cell if n < 10 else "{}", comments=int(n < 2)) for n in range(101)]
    airtable.add_table("Stories", stories, STORIES)
    airtable.add_table("People", [record(1, fields='{"fldName":"n","fldOf":["rec1"]}')], PEOPLE)
    for number in range(2):
        airtable.comments[f"rec{number:014d}"] = ['{"id":"com1"}', '{"id":"com2"}']


def test_tables_links_files_and_what_an_export_costs(
    scripted: ScriptedAirtable, client: AirtableClient, store: ObjectStore
) -> None:
    fill(scripted)
    manifest = export_base(client, store, environment="staging")
    export = Export(store, manifest.export_id)
    found = take_inventory(export.metadata, export)
    stories, people = found.tables
    assert (stories.records, stories.empty_records, stories.comments) == (101, 91, 4)
    assert (stories.files, stories.file_bytes) == (20, 120)
    assert {f.name: f.cells for f in stories.fields} == {
        "Title": 10,
        "Storytellers": 10,
        "Shifts": 0,
        "Photo": 10,
    }
    assert people.records == 1
    assert found.links == (
        LinkCount("Stories", "Storytellers", "People", "Stories", 20, 1),
        LinkCount("Stories", "Shifts", "tblGone", None, 0, None),
        LinkCount("People", "Stories", "Stories", "Storytellers", 1, 20),
    )
    assert found.calls == manifest.calls == 2 + 1 + 2 + 2 + 2
    assert found.share_of_plan == {"Free": 0.009, "Team": 0.0001}
    assert json.loads(found.to_json())["tables"][0]["records"] == 101


def test_without_an_export_there_are_names_and_no_numbers(scripted: ScriptedAirtable) -> None:
    fill(scripted)
    found = take_inventory(parse_metadata(BASE, json.dumps(scripted.metadata)))
    assert [table.name for table in found.tables] == ["Stories", "People"]
    assert {table.records for table in found.tables} == {None}
    assert (found.calls, found.minutes, found.export_id) == (None, None, None)
    assert [link.inverse for link in found.links] == ["Stories", None, "Storytellers"]
