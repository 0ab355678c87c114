"""The export against the local Airtable server: whole bases, judged by another client, under its real limit."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyairtable
import pytest

from ledger_assets.demo.base import create_base
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.extract.attachments import download_attachments
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.export import Export
from ledger_assets.extract.inventory import WEBHOOK_CALLS, take_inventory
from ledger_assets.extract.run import export_base
from ledger_assets.storage import ObjectStore

UNLIMITED = 100_000.0


@pytest.fixture(scope="session", params=["empathy_ledger", "any_base"])
def base_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of each shape, several pages long."""
    path = tmp_path_factory.mktemp("base") / "base.sqlite"
    create_base(path, seed=3, scale=600, shape=request.param)
    return path


@pytest.fixture
def base(base_file: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(base_file, tmp_path / "base.sqlite"))


@contextmanager
def reading(
    airtable: LocalAirtable, locks: Path, *, rate: float = UNLIMITED, **options: Any
) -> Iterator[AirtableClient]:
    client = AirtableClient(
        airtable.url,
        airtable.api_key,
        airtable.base_id,
        requests_per_second=rate,
        lock_folder=locks,
        **options,
    )
    yield client
    client.close()


def run(client: AirtableClient, store: ObjectStore, **options: Any) -> Export:
    return Export(store, export_base(client, store, environment="staging", **options).export_id)


def by_pyairtable(airtable: LocalAirtable) -> dict[str, dict[str, Any]]:
    """Every record of every table, read by the client that others use."""
    api = pyairtable.Api(airtable.api_key, endpoint_url=airtable.url, use_field_ids=True)
    found = {}
    for table in api.base(airtable.base_id).schema().tables:
        found[table.id] = {record["id"]: record for record in api.table(airtable.base_id, table.id).all()}
    return found


def without_addresses(fields: Any) -> str:
    """Cells for comparison: attachments' addresses are signed anew with every answer."""
    if isinstance(fields, dict):
        fields = {
            name: without_addresses(value)
            for name, value in fields.items()
            if name not in {"url", "thumbnails"}
        }
    elif isinstance(fields, list):
        fields = [without_addresses(value) for value in fields]
    return json.dumps(fields)


def test_every_record_and_cell_that_another_client_sees_is_in_the_export(
    base: Path, store: ObjectStore, locks: Path
) -> None:
    with LocalAirtable(base, requests_per_second=None) as airtable, reading(airtable, locks) as client:
        export = run(client, store, final=True)
        expected = by_pyairtable(airtable)
    assert {table.id for table in export.metadata.tables} == set(expected)
    for table_id, records in expected.items():
        found = {record.id: json.loads(record.raw) for record in export.records(table_id)}
        assert found.keys() == records.keys()
        for record_id, record in records.items():
            assert found[record_id]["createdTime"] == record["createdTime"]
            assert without_addresses(found[record_id]["fields"]) == without_addresses(record["fields"])
    assert sum(map(len, expected.values())) == sum(table.records for table in export.manifest.tables) > 500


def test_every_comment_is_kept(base: Path, store: ObjectStore, locks: Path) -> None:
    with LocalAirtable(base, requests_per_second=None) as airtable:
        api = pyairtable.Api(airtable.api_key, endpoint_url=airtable.url)
        with reading(airtable, locks) as client:
            export = run(client, store)
        asked = [request for request in airtable.requests if request.path.endswith("/comments")]
        for table in export.metadata.tables:
            found = {
                (line["record_id"], line["comment"]["id"])
                for line in map(json.loads, export.comments(table.id))
            }
            records = [json.loads(record.raw) for record in export.records(table.id)]
            commented = [record["id"] for record in records if record["commentCount"]]
            other = api.table(airtable.base_id, table.id)
            assert found == {(one, comment.id) for one in commented for comment in other.comments(one)}
            assert (
                len(found)
                == export.table(table.id).comments
                == sum(record["commentCount"] for record in records)
            )
    assert sum(table.comments for table in export.manifest.tables) > 0
    assert len(asked) < sum(table.records for table in export.manifest.tables) / 4


def test_every_file_is_kept_whole(base: Path, store: ObjectStore, locks: Path) -> None:
    with LocalAirtable(base, requests_per_second=None) as airtable, reading(airtable, locks) as client:
        export = run(client, store)
        inventory = download_attachments(client, store, export)
        counted = take_inventory(export.metadata, export)
    assert not inventory.problems
    assert len(inventory.entries) == sum(table.files or 0 for table in counted.tables) > 10
    for entry in inventory.entries:
        assert entry.object_key is not None
        content = store.get(entry.object_key)
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry.size, entry.sha256)


def test_the_real_limit_is_never_met_by_us(base: Path, store: ObjectStore, locks: Path) -> None:
    with (
        LocalAirtable(base, requests_per_second=40.0) as airtable,
        reading(airtable, locks, rate=40.0) as client,
    ):
        run(client, store)
        assert {request.status for request in airtable.requests} == {200}


def test_met_by_somebody_else_the_penalty_is_waited_out_and_nothing_is_missing(
    base: Path, store: ObjectStore, locks: Path
) -> None:
    with (
        LocalAirtable(base, requests_per_second=10.0, penalty_seconds=0.2) as airtable,
        reading(airtable, locks, rate=60.0, penalty_seconds=0.25) as client,
    ):
        export = run(client, store)
        assert 429 in {request.status for request in airtable.requests}
        served = [request for request in airtable.requests if request.status == 200]
    pages = sum(table.pages for table in export.manifest.tables)
    comments = sum("/comments" in request.path for request in served)
    assert len(served) == pages + comments + 2 + WEBHOOK_CALLS, (
        "each is asked for again until it is answered, and once only"
    )


def test_records_made_and_deleted_show_in_the_next_export(
    base: Path, store: ObjectStore, locks: Path
) -> None:
    with LocalAirtable(base, requests_per_second=None) as airtable, reading(airtable, locks) as client:
        api = pyairtable.Api(airtable.api_key, endpoint_url=airtable.url)
        before = run(client, store)
        table = max(before.manifest.tables, key=lambda t: t.records)
        gone = next(iter(before.records(table.id))).id
        api.table(airtable.base_id, table.id).delete(gone)
        made = api.table(airtable.base_id, table.id).create({})["id"]
        after = run(client, store, final=True)
    ids = {record.id for record in after.records(table.id)}
    assert ids == {record.id for record in before.records(table.id)} - {gone} | {made}
    assert before.table(table.id).ids_sha256 != after.table(table.id).ids_sha256
