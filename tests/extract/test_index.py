"""The index of a table: what a load learns of an export without reading its pages."""

from __future__ import annotations

import hashlib

import pytest

from ledger_assets.errors import StoreError
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.content import content_sha256
from ledger_assets.extract.export import Export, index_key
from ledger_assets.extract.index import index_of, pack_index, unpack_index
from ledger_assets.extract.run import export_base
from ledger_assets.storage import ObjectStore

from .scripted import ScriptedAirtable, record

TABLE = "tblStories"
FILE = '{"fldFile":[{"id":"att1","filename":"a.jpg","url":"https://files.example.test/signed"}]}'


@pytest.fixture
def exported(scripted: ScriptedAirtable, client: AirtableClient, store: ObjectStore) -> Export:
    """Three pages, one record with a file, and a table without records."""
    scripted.add_table("Stories", [record(n, fields=FILE if n == 150 else "{}") for n in range(230)])
    scripted.add_table("Empty", [])
    manifest = export_base(client, store, environment="staging")
    return Export(store, manifest.export_id)


def test_the_index_says_of_every_record_where_it_is_and_what_its_text_is(exported: Export) -> None:
    rows = exported.index(TABLE).rows(named=True)
    assert [row["record_id"] for row in rows] == [one.id for one in exported.records(TABLE)]
    for row, one in zip(rows, exported.records(TABLE), strict=True):
        assert one.raw in exported.page(TABLE, row["page"])
        assert row["created_time"] == one.created_time
        assert row["sha256"] == hashlib.sha256(one.raw.encode()).digest()
        assert row["content_sha256"] == content_sha256(one.raw)
    assert [row["record_id"] for row in rows if row["sha256"] != row["content_sha256"]] == [
        "rec00000000000150"
    ]
    assert exported.index("tblEmpty").is_empty()


def test_the_manifest_covers_the_index(exported: Export, store: ObjectStore) -> None:
    key = index_key(exported.export_id, TABLE)
    kept = store.get(key)
    assert exported.table(TABLE).index_sha256 == hashlib.sha256(kept).hexdigest()
    store.put(key, pack_index(unpack_index(kept).head(229)))
    with pytest.raises(StoreError, match="damaged"):
        exported.index(TABLE)
    store.delete(key)
    with pytest.raises(StoreError, match="damaged"):
        exported.index(TABLE)


def test_the_index_of_pages_is_the_one_that_was_written(exported: Export) -> None:
    assert index_of(exported.pages(TABLE)).equals(exported.index(TABLE))


def test_of_a_record_that_was_delivered_twice_the_first_text_is_in_the_index() -> None:
    first, again = record(1, fields='{"fldA":"first"}'), record(1, fields='{"fldA":"again"}')
    index = index_of([[record(0), first, again], [again, record(2)]])
    assert index["record_id"].to_list() == [f"rec{n:014d}" for n in range(3)]
    assert index["page"].to_list() == [0, 0, 1]
    assert index["sha256"][1] == hashlib.sha256(first.encode()).digest()
