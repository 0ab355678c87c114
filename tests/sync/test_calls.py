"""What a sync costs: its calls grow with what changed, not with the base; and webhooks are used as Airtable allows."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pyairtable
import pytest

from ledger_assets.demo.basefile import SEQ_PER_TABLE, Row
from ledger_assets.extract.export import list_exports
from ledger_assets.extract.webhooks import SPECIFICATION

from .conftest import World
from .histories import Writer
from .small import PEOPLE, PLACES, STORIES, TABLES

HOOKS = "bases/appSyncHistories01/webhooks"
EDITED = int(os.environ.get("SYNC_EDITED", "3000"))
"""Records, in twenties. 100000 takes some minutes."""
AT_LEAST = 5
"""The webhooks, the payloads, the metadata, one page of records, and the payloads once more."""


def fill(world: World, records: int) -> None:
    """So many places, which nobody links to, written without a request. Their ids tell nothing of their order."""
    file = world.airtable._file
    assert file is not None
    start = TABLES.index(PLACES) * SEQ_PER_TABLE + 1
    now = "2026-01-01T00:00:00.000Z"
    name = PLACES.field_id("Name")
    ids = [f"rec{n * 2654435761 % 2**32:08x}Place{n}" for n in range(records)]
    file.add_records(
        Row(start + n, one, now, now, 0, f'\x02{name}\x02:"place {n}"') for n, one in enumerate(ids)
    )
    file.db.commit()
    world.writer.ids["Places"] = ids


def rename(writer: Writer, ids: list[str], word: str) -> None:
    """Ten records a request, as the API takes them."""
    for first in range(0, len(ids), 10):
        records = [{"id": one, "fields": {"Name": f"{word} {one}"}} for one in ids[first : first + 10]]
        writer.request("PATCH", PLACES.id, {"records": records})


@pytest.mark.parametrize("records", [200, 5_000])
def test_one_edit_costs_five_calls_in_a_base_of_any_size(world: World, records: int) -> None:
    fill(world, records)
    world.export()
    rename(world.writer, world.writer.ids["Places"][:1], "renamed")
    before = world.client.calls
    synced = world.sync()
    assert synced.calls == world.client.calls - before == AT_LEAST
    assert world.read(synced).manifest.calls == AT_LEAST
    assert dict(synced.changed) == {"Places": 1}
    world.assert_exact(synced)


def test_nothing_changed_costs_two_calls_and_makes_no_export(world: World) -> None:
    fill(world, 300)
    export = world.export()
    synced = world.sync()
    assert (synced.export_id, synced.calls, synced.fallback) == (export.export_id, 2, None)
    assert len(list_exports(world.store)) == 1


def test_thousands_of_edits_are_read_a_hundred_a_call_and_fifty_payloads_a_call(world: World) -> None:
    """More than a page of payloads, and records that were edited again and again: none missed, none doubled."""
    fill(world, EDITED + 1_000)
    export = world.export()
    ids = world.writer.ids["Places"]
    rename(world.writer, ids[:EDITED], "once")
    rename(world.writer, ids[: EDITED // 2], "twice")
    for one in ids[-60:]:
        world.writer.request("DELETE", f"{PLACES.id}/{one}")
    synced = world.sync()
    payloads = EDITED // 10 + EDITED // 20 + 60
    assert synced.calls == AT_LEAST - 2 + -(-payloads // 50) + EDITED // 100
    assert (dict(synced.changed), dict(synced.destroyed)) == ({"Places": EDITED}, {"Places": 60})
    world.assert_exact(synced)
    manifest = world.read(synced).table(PLACES.id)
    assert (manifest.records, manifest.duplicates) == (EDITED + 940, 0)
    assert export.table(PLACES.id).records == EDITED + 1_000


def test_an_export_takes_one_call_for_a_webhook_that_is_there_and_two_to_make_or_extend_it(
    world: World,
) -> None:
    pages = len(TABLES) + 2
    first = world.export().manifest
    assert (first.calls, first.cursor and first.cursor.position) == (pages + 2, 1)
    world.writer.create(PEOPLE, 0)
    second = world.export().manifest
    assert (second.calls, second.cursor and second.cursor.position) == (pages + 1, 2)
    assert {one and one.webhook for one in (first.cursor, second.cursor)} == {
        first.cursor and first.cursor.webhook
    }
    file = world.airtable._file
    assert file is not None
    (body,) = (row[0] for row in file.db.execute("select body from webhooks"))
    soon = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    file.db.execute(
        "update webhooks set body = ?", (json.dumps({**json.loads(body), "expirationTime": soon}),)
    )
    assert world.export().manifest.calls == pages + 2
    (hook,) = world.writer.request("GET", HOOKS)["webhooks"]
    assert hook["expirationTime"] > soon


def test_a_webhook_of_somebody_else_is_left_alone_and_one_that_has_ended_is_replaced(world: World) -> None:
    others: list[dict[str, Any]] = [
        {"notificationUrl": "https://example.org/", "specification": SPECIFICATION},
        {"specification": {"options": {"filters": {"dataTypes": ["tableData"]}}}},
        {
            "specification": {
                "options": {**SPECIFICATION["options"], "includes": {"includePreviousCellValues": True}}
            }
        },
    ]
    theirs = {world.writer.request("POST", HOOKS, body)["id"] for body in others}
    first = world.export().manifest.cursor
    assert first is not None
    assert first.webhook not in theirs
    ended = {hook["id"] for hook in world.writer.request("GET", HOOKS)["webhooks"]} - theirs
    world.airtable.webhooks.expire()
    second = world.export().manifest.cursor
    assert second is not None
    after = {hook["id"] for hook in world.writer.request("GET", HOOKS)["webhooks"]}
    assert after == theirs | {second.webhook}
    assert ended == {first.webhook}


def test_the_official_client_reads_the_same_from_the_same_webhook(world: World) -> None:
    """pyairtable is the judge of what the local server says."""
    cursor = world.export().manifest.cursor
    assert cursor is not None
    person = world.writer.create(PEOPLE, 0)
    story = world.writer.create(STORIES, 0, People=[person])
    world.writer.request("DELETE", f"{PEOPLE.id}/{person}")
    base = pyairtable.Api(world.airtable.api_key, endpoint_url=world.airtable.url).base(
        world.airtable.base_id
    )
    payloads = list(base.webhook(cursor.webhook).payloads(cursor=cursor.position))
    tables = [payload.changed_tables_by_id for payload in payloads]
    created = {r for one in tables for table in one.values() for r in table.created_records_by_id}
    destroyed = {r for one in tables for table in one.values() for r in table.destroyed_record_ids}
    assert (created, destroyed) == ({person, story}, {person})
    synced = world.sync()
    assert (dict(synced.created), dict(synced.destroyed)) == ({"Stories": 1}, {})
    end = world.read(synced).manifest.cursor
    assert end is not None
    assert end.position == cursor.position + len(payloads)
