"""Reading the local server as Airtable is read: by pyairtable unchanged, and page by page over plain HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable

import pyairtable
import pytest
import requests
from pyairtable.formulas import OR, RECORD_ID
from pyairtable.models.schema import UnknownFieldSchema

from ledger_assets.demo.any_base import ODD_NUMBERS, ODD_TEXTS, ODD_THINGS
from ledger_assets.demo.server import LocalAirtable
from tests.demo.conftest import table_url


def test_pyairtable_reads_names_ids_and_schema(server: LocalAirtable, base: pyairtable.Base) -> None:
    by_id = pyairtable.Api(server.api_key, endpoint_url=server.url, use_field_ids=True).base(server.base_id)
    for table in base.schema().tables:
        assert not any(isinstance(f, UnknownFieldSchema) for f in table.fields)
        named, numbered = base.table(table.name).all(), by_id.table(table.id).all()
        names = {f.id: f.name for f in table.fields}
        assert [record["id"] for record in named] == [record["id"] for record in numbered]
        assert [set(record["fields"]) for record in named] == [
            {names[f] for f in record["fields"]} for record in numbered
        ]
    assert [b.id for b in base.api.bases()] == [server.base_id]
    assert "schema.bases:read" in base.api.whoami()["scopes"]


def test_records_are_read_by_id_by_field_by_formula_sorted_and_counted(base: pyairtable.Base) -> None:
    table = base.table("Storytellers")
    everyone = table.all()
    some = [record["id"] for record in everyone[5:120]]
    formula = OR(*(RECORD_ID().eq(record_id) for record_id in some))
    assert [record["id"] for record in table.all(formula=formula)] == some
    assert table.get(some[0])["fields"]["Name"] == everyone[5]["fields"]["Name"]
    only = table.all(fields=["Name"], max_records=3, page_size=2)
    assert [set(record["fields"]) for record in only] == [{"Name"}] * 3
    names = [record["fields"]["Name"] for record in table.all(sort=["-Name"])]
    assert names == sorted(names, reverse=True)
    with_comments = [record for record in table.all(count_comments=True) if record["commentCount"]]
    assert {len(table.comments(r["id"])) for r in with_comments} == {r["commentCount"] for r in with_comments}
    assert with_comments
    cut = sorted(record["createdTime"] for record in everyone)[-10]
    newer = table.all(formula=f"IS_AFTER(CREATED_TIME(), '{cut}')")
    assert {r["id"] for r in newer} == {r["id"] for r in everyone if r["createdTime"] > cut}


def test_comments_come_newest_first_over_more_than_one_page(any_server: LocalAirtable) -> None:
    base = pyairtable.Api(any_server.api_key, endpoint_url=any_server.url).base(any_server.base_id)
    table = base.table("Everything")
    record = table.all(max_records=1, count_comments=True)[0]
    comments = table.comments(record["id"])
    assert len(comments) == record["commentCount"] == 120
    assert [c.created_time for c in comments] == sorted((c.created_time for c in comments), reverse=True)
    assert sum("/comments" in r.path for r in any_server.requests) == 2


def test_a_listing_is_frozen_in_order_and_live_in_values(
    server: LocalAirtable, base: pyairtable.Base, session: requests.Session
) -> None:
    url, table = table_url(server, "Themes"), base.table("Themes")
    everything = [record["id"] for record in table.all(fields=["Theme Name"])]
    first = session.get(url).json()
    created = table.create({"Theme Name": "Made during the listing"})["id"]
    table.update(everything[150], {"Theme Name": "Changed during the listing"})
    table.delete(everything[160])
    seen, page = first["records"], first
    while offset := page.get("offset"):
        assert offset.startswith("itr")
        assert "/rec" in offset
        page = session.get(url, params={"offset": offset}).json()
        assert len(page["records"]) <= 100
        seen = seen + page["records"]
    assert [r["id"] for r in seen] == [i for i in everything if i != everything[160]]
    assert created not in {r["id"] for r in seen}
    assert seen[150]["fields"]["Theme Name"] == "Changed during the listing"


@pytest.mark.parametrize("how", ["idle", "restart", "other table"])
def test_an_offset_that_is_not_known_any_more_answers_422(
    serve: Callable[..., LocalAirtable], how: str
) -> None:
    server = serve(offset_minutes=-1 if how == "idle" else 10)
    headers = {"Authorization": f"Bearer {server.api_key}"}
    url = table_url(server, "Themes")
    offset = requests.get(url, headers=headers).json()["offset"]
    if how == "restart":
        server.faults.expire_offsets()
    if how == "other table":
        url = table_url(server, "Quotes")
    answer = requests.get(url, headers=headers, params={"offset": offset})
    assert answer.status_code == 422
    assert answer.json()["error"]["type"] == "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"


def test_the_same_page_can_be_asked_for_twice(server: LocalAirtable, session: requests.Session) -> None:
    url = table_url(server, "Quotes")
    offset = session.get(url).json()["offset"]
    pages = [session.get(url, params={"offset": offset}).json()["records"] for _ in range(2)]
    assert pages[0] == pages[1]


def test_a_listing_by_post_is_the_listing_by_get(server: LocalAirtable, session: requests.Session) -> None:
    url = table_url(server, "Quotes")
    got = session.get(url, params={"pageSize": 7, "fields[]": ["Theme"], "returnFieldsByFieldId": 1}).json()
    posted = session.post(
        f"{url}/listRecords", json={"pageSize": 7, "fields": ["Theme"], "returnFieldsByFieldId": True}
    ).json()
    assert got["records"] == posted["records"]
    assert len(got["records"]) == 7


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("Communities", 403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"),
        ("Stories/recAAAAAAAAAAAAAA", 404, "NOT_FOUND"),
        ("Stories?fields[]=Nonsense", 422, "UNKNOWN_FIELD_NAME"),
        ("Stories?pageSize=101", 422, "INVALID_REQUEST_UNKNOWN"),
        ("Stories?view=Published", 422, "VIEW_NAME_NOT_FOUND"),
        ("Stories?filterByFormula=NONSENSE(", 422, "INVALID_FILTER_BY_FORMULA"),
    ],
)
def test_wrong_requests_get_airtables_answers(
    server: LocalAirtable, session: requests.Session, path: str, status: int, kind: str
) -> None:
    answer = session.get(f"{server.url}/v0/{server.base_id}/{path}")
    error = answer.json()["error"]
    assert (answer.status_code, error if isinstance(error, str) else error["type"]) == (status, kind)


def test_no_token_or_a_wrong_one_is_401_and_another_base_403(
    server: LocalAirtable, session: requests.Session
) -> None:
    url = table_url(server, "Stories")
    assert requests.get(url).status_code == 401
    assert requests.get(url, headers={"Authorization": "Bearer patOther"}).status_code == 401
    assert session.get(f"{server.url}/v0/appAAAAAAAAAAAAAA/Stories").status_code == 403


def test_odd_cells_go_out_exactly_as_they_are(any_server: LocalAirtable) -> None:
    headers = {"Authorization": f"Bearer {any_server.api_key}"}
    url = table_url(any_server, "Odd values: 日本語 / #1?")
    text = requests.get(url, headers=headers).content.decode()
    for texts, field in ((ODD_TEXTS, "Text"), (ODD_NUMBERS, "Number"), (ODD_THINGS, "Anything")):
        for value in texts:
            assert f'"{field}":{value},' in text
    assert len(json.loads(text)["records"]) == len(ODD_TEXTS)


def test_the_base_of_every_shape_has_every_oddity(any_server: LocalAirtable) -> None:
    base = pyairtable.Api(any_server.api_key, endpoint_url=any_server.url).base(any_server.base_id)
    tables = base.schema().tables
    assert len(tables) == 12
    types = {f.type for table in tables for f in table.fields}
    assert {
        "aiText",
        "barcode",
        "button",
        "externalSyncSource",
        "manualSort",
        "quantumText",
        "duration",
    } <= types
    assert [r["fields"] for r in base.table("Blank rows").all()] == [{}] * 12
    assert base.table("Nothing yet").all() == []
    everything = base.table("Everything").all()
    assert len(everything) > 1000
    assert max(len(r["fields"].get("Main person", [])) for r in everything) == 2
    assert max(len(r["fields"].get("Long line", "")) for r in everything) == 200
    assert {"B2C", "b2c", "", "B2B, wholesale"} <= {r["fields"].get("Level") for r in everything}
    assert any(None in r["fields"].get("People agreed", []) for r in everything)
