"""Changing the base over the API: what links to a record and what is derived from it follows."""

from __future__ import annotations

from typing import Any

import pyairtable
import pytest
import requests

from ledger_assets.demo.server import LocalAirtable
from tests.demo.conftest import table_url


def fields(base: pyairtable.Base, table: str, record_id: str) -> dict[str, Any]:
    return dict(base.table(table).get(record_id)["fields"])


def test_batches_are_created_updated_and_deleted(base: pyairtable.Base) -> None:
    table = base.table("Themes")
    before = len(table.all())
    made = table.batch_create([{"Theme Name": f"New {n}"} for n in range(23)])
    assert len(table.all()) == before + 23
    table.batch_update([{"id": r["id"], "fields": {"Description": "described"}} for r in made])
    assert all(fields(base, "Themes", r["id"])["Description"] == "described" for r in made[::11])
    assert fields(base, "Themes", made[0]["id"])["Theme Name"] == "New 0"
    table.batch_delete([r["id"] for r in made])
    assert len(table.all()) == before


def test_put_empties_what_it_does_not_name_and_patch_does_not(base: pyairtable.Base) -> None:
    table = base.table("Storytellers")
    record_id = table.create({"Name": "Odalys Tidewell", "YJ": True, "Tag": ["elder"]})["id"]
    table.update(record_id, {"Location": "Hobart"})
    assert fields(base, "Storytellers", record_id).items() >= {"YJ": True, "Location": "Hobart"}.items()
    table.update(record_id, {"Name": "Odalys"}, replace=True)
    assert not {"YJ", "Location", "Tag"} & fields(base, "Storytellers", record_id).keys()
    table.update(record_id, {"YJ": False, "Name": ""})
    assert not {"YJ", "Name"} & fields(base, "Storytellers", record_id).keys()


def test_links_show_on_both_sides_and_lookups_follow_over_two_tables(base: pyairtable.Base) -> None:
    person = base.table("Storytellers").create({"Name": "Perrin Redgum", "YJ": True})["id"]
    media = base.table("Media").create({"File Name": "one.mp4", "Storytellers": [person]})["id"]
    quote = base.table("Quotes").create({"Quote Text": "Said once.", "Transcript Reference": [media]})["id"]
    shown = fields(base, "Storytellers", person)
    assert shown["Media"] == [media]
    assert shown["Quote Text (from Quotes) (from Media)"] == ["Said once."]
    assert shown["Unique Storyteller ID"] == f"ST-{person}"
    assert fields(base, "Media", media)["Storytellers Name"] == ["Perrin Redgum"]
    base.table("Quotes").update(quote, {"Quote Text": "Said twice."})
    assert fields(base, "Storytellers", person)["Quote Text (from Quotes) (from Media)"] == ["Said twice."]
    base.table("Storytellers").update(person, {"YJ": False})
    assert fields(base, "Media", media)["YJ (from Storytellers)"] == [None]
    base.table("Storytellers").update(person, {"Media": []})
    assert not {"Storytellers", "Storytellers Name"} & fields(base, "Media", media).keys()


def test_deleting_a_record_takes_it_out_of_every_link(base: pyairtable.Base) -> None:
    story = next(r for r in base.table("Stories").all() if len(r["fields"].get("Storytellers", [])) == 2)
    gone, stays = story["fields"]["Storytellers"]
    base.table("Storytellers").delete(gone)
    now = fields(base, "Stories", story["id"])
    assert now["Storytellers"] == [stays]
    assert len(now["Storytellers Name"]) == 1
    assert all(gone not in r["fields"].get("Storytellers", []) for r in base.table("Media").all())


def test_one_way_links_and_links_to_oneself_lose_a_deleted_record(any_server: LocalAirtable) -> None:
    base = pyairtable.Api(any_server.api_key, endpoint_url=any_server.url).base(any_server.base_id)
    node = base.table("Tree").all()[2]["id"]
    pointing = [r for r in base.table("People").all() if node in r["fields"].get("Place in the tree", [])]
    assert pointing
    base.table("Tree").delete(node)
    for table, field in (("People", "Place in the tree"), ("Tree", "Parent")):
        assert all(node not in r["fields"].get(field, []) for r in base.table(table).all())
    base.table("Tree").update(base.table("Tree").all()[0]["id"], {"Name": "Renamed"})
    assert any("Renamed" in r["fields"].get("Name (from Parent)", []) for r in base.table("Tree").all())


def test_numbers_and_times_are_the_servers(base: pyairtable.Base) -> None:
    table = base.table("Stories")
    before = table.all()
    made = [table.create({"Title": title})["fields"] for title in ("One", "Two")]
    assert made[0]["Story ID"] > max(r["fields"]["Story ID"] for r in before)
    assert made[1]["Story ID"] == made[0]["Story ID"] + 1
    newest = max(r["fields"]["Airtable: Last modified time"] for r in before)
    changed = table.update(before[0]["id"], {"Title": "Changed"})
    assert changed["fields"]["Airtable: Last modified time"] > newest
    later = table.all(formula=f"LAST_MODIFIED_TIME() > '{newest}'")
    assert before[0]["id"] in {r["id"] for r in later}
    assert before[5]["id"] not in {r["id"] for r in later}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"Nonsense": 1}, "UNKNOWN_FIELD_NAME"),
        ({"Story Count": 1}, "INVALID_VALUE_FOR_COLUMN"),
        ({"Media": ["recAAAAAAAAAAAAAA"]}, "ROW_DOES_NOT_EXIST"),
        ({"Media": "recAAAAAAAAAAAAAA"}, "INVALID_VALUE_FOR_COLUMN"),
        ({"Consent Status": "No such option"}, "INVALID_MULTIPLE_CHOICE_OPTIONS"),
    ],
)
def test_a_refused_change_changes_nothing(
    server: LocalAirtable, session: requests.Session, base: pyairtable.Base, given: dict[str, Any], kind: str
) -> None:
    person = base.table("Storytellers").all(max_records=1)[0]
    body = {"records": [{"fields": {"Name": "First"}}, {"fields": given}]}
    answer = session.post(table_url(server, "Storytellers"), json=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, kind)
    assert len(base.table("Storytellers").all()) == 187
    eleven = {"records": [{"id": person["id"], "fields": {}}] * 11}
    assert session.patch(table_url(server, "Storytellers"), json=eleven).status_code == 422


def test_a_refused_record_takes_no_number(base: pyairtable.Base) -> None:
    table = base.table("Stories")
    before = table.create({"Title": "Before"})["fields"]["Story ID"]
    with pytest.raises(requests.HTTPError):
        table.create({"Title": "Refused", "Status": "No such option"})
    assert table.create({"Title": "After"})["fields"]["Story ID"] == before + 1


def test_typecast_makes_the_option(base: pyairtable.Base) -> None:
    made = base.table("Storytellers").create({"Consent Status": "Asked again"}, typecast=True)
    assert made["fields"]["Consent Status"] == "Asked again"
    choices = base.schema(force=True).table("Storytellers").field("Consent Status").options.choices
    assert "Asked again" in {choice.name for choice in choices}


def test_a_renamed_field_keeps_its_id_and_a_new_field_can_be_filled(
    server: LocalAirtable, session: requests.Session, base: pyairtable.Base
) -> None:
    table = base.schema().table("Media")
    field = table.field("Transcript")
    url = f"{server.url}/v0/meta/bases/{server.base_id}/tables/{table.id}/fields"
    assert session.patch(f"{url}/{field.id}", json={"name": "Words"}).json()["id"] == field.id
    assert any("Words" in r["fields"] for r in base.table("Media").all())
    person = next(r for r in base.table("Storytellers").all() if "Transcript (from Media)" in r["fields"])
    media = person["fields"]["Media"][0]
    base.table("Media").update(media, {"Words": "New words"})
    assert "New words" in fields(base, "Storytellers", person["id"])["Transcript (from Media)"]
    added = session.post(url, json={"name": "Mood", "type": "singleLineText"}).json()
    assert base.table("Media").update(media, {"Mood": "calm"})["fields"]["Mood"] == "calm"
    assert added["id"] in {f.id for f in base.schema(force=True).table("Media").fields}


def test_comments_are_added_and_counted(base: pyairtable.Base) -> None:
    table = base.table("Quotes")
    record = table.all(max_records=1)[0]["id"]
    comment = table.add_comment(record, "A remark")
    assert [c.text for c in table.comments(record)] == ["A remark"]
    assert table.all(max_records=1, count_comments=True)[0]["commentCount"] == 1
    comment.delete()
    assert table.comments(record) == []
