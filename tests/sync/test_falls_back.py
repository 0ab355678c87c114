"""Where what changed cannot be told for certain, everything is exported, and it is said why."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ledger_assets.erasure.model import Erasure
from ledger_assets.errors import SourceError
from ledger_assets.extract.export import FOLDER, Export, index_key, list_exports, page_key
from ledger_assets.extract.responses import BillingLimit

from .conftest import World
from .histories import content
from .small import PEOPLE, STORIES, THEMES

HOOKS = "bases/appSyncHistories01/webhooks"


@pytest.fixture
def exported(world: World) -> World:
    for number in range(8):
        world.writer.create(PEOPLE, number)
        world.writer.create(STORIES, number)
    world.export()
    world.writer.create(THEMES, 5)
    return world


def older(world: World) -> None:
    """The export's cursor is seven days old."""
    (export_id,) = list_exports(world.store)
    key = f"{FOLDER}/{export_id}/MANIFEST.json"
    manifest = json.loads(world.store.get(key))
    manifest["cursor"]["at"] = (datetime.now(UTC) - timedelta(days=7, seconds=1)).isoformat()
    world.store.put(key, json.dumps(manifest).encode())


def without_cursor(world: World) -> None:
    """As an older version has written it."""
    (export_id,) = list_exports(world.store)
    key = f"{FOLDER}/{export_id}/MANIFEST.json"
    manifest = json.loads(world.store.get(key))
    del manifest["cursor"], manifest["synced_from"]
    world.store.put(key, json.dumps(manifest).encode())


def deleted(world: World) -> None:
    """Somebody has deleted the webhook."""
    for hook in world.writer.request("GET", HOOKS)["webhooks"]:
        world.writer.request("DELETE", f"{HOOKS}/{hook['id']}")


def told(body: str, status: int = 200) -> Callable[[World], None]:
    """Airtable's answer to the first question for payloads."""

    def trouble(world: World) -> None:
        world.airtable.faults.add("/payloads", status, body)

    return trouble


def payload(number: int, **more: object) -> str:
    return json.dumps(
        {
            "timestamp": "2026-01-01T00:00:00.000Z",
            "baseTransactionNumber": number,
            "payloadFormat": "v0",
            **more,
        }
    )


def page(following: int, *payloads: str) -> str:
    return f'{{"cursor":{following},"mightHaveMore":false,"payloads":[{",".join(payloads)}]}}'


def damaged(world: World) -> None:
    (export_id,) = list_exports(world.store)
    world.store.put(page_key(export_id, PEOPLE.id, 0), b"no page")


def no_index(world: World) -> None:
    (export_id,) = list_exports(world.store)
    world.store.delete(index_key(export_id, THEMES.id))
    world.store.delete(index_key(export_id, PEOPLE.id))


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (older, "older than the seven days"),
        (without_cursor, "by an older version"),
        (lambda world: world.airtable.webhooks.expire(), "the webhook has ended"),
        (deleted, "the webhook has ended"),
        (lambda world: world.airtable.webhooks.purge(), "payloads are missing"),
        (lambda world: world.airtable.webhooks.purge(before=2), "payloads are missing"),
        (told('{"error":{"type":"INVALID_CURSOR"}}', 422), r"refuses the cursor \(INVALID_CURSOR\)"),
        (told('{"error":"NOT_FOUND"}', 404), "the webhook has ended"),
        (told("{}", 403), "lacks the scope webhook:manage"),
        (told(page(2, payload(1, error=True, code="INVALID_HOOK"))), r"failed \(INVALID_HOOK\)"),
        (told(page(2, payload(1, error=True, code="INVALID_FILTERS"))), r"failed \(INVALID_FILTERS\)"),
        (told(page(3, payload(7), payload(6))), "transactions do not follow on"),
        (told(page(5, payload(7))), "payloads are missing"),
        (told(page(2, '{"payloadFormat":"v1","baseTransactionNumber":1}')), "format that is not known"),
        (damaged, "cannot be read any more"),
        (no_index, "cannot be read any more"),
    ],
)
def test_it_falls_back_and_says_why(exported: World, trouble: Callable[[World], None], said: str) -> None:
    trouble(exported)
    synced = exported.sync()
    assert synced.fallback is not None
    assert re.search(said, synced.fallback)
    export = exported.read(synced)
    assert export.manifest.synced_from is None
    assert content(export) == exported.truth()
    exported.airtable.faults.clear()
    exported.writer.create(PEOPLE, 4)
    exported.assert_exact(exported.sync())


def test_a_final_one_falls_back_to_a_final_one(exported: World) -> None:
    exported.airtable.webhooks.expire()
    synced = exported.sync(final=True)
    assert synced.fallback == "the webhook has ended"
    assert exported.read(synced).manifest.final


def test_before_any_export_it_is_one(world: World) -> None:
    synced = world.sync()
    assert synced.fallback == "there is no export yet that could be read"
    world.writer.create(PEOPLE, 1)
    world.assert_exact(world.sync())


@pytest.mark.parametrize("status", [403, 404])
def test_a_token_without_the_scope_exports_all_the_same_and_says_so(world: World, status: int) -> None:
    world.writer.create(PEOPLE, 1)
    world.airtable.faults.add("/webhooks", status, '{"error":{"type":"INVALID_PERMISSIONS"}}', times=None)
    export = world.export()
    assert export.manifest.cursor is not None
    assert (export.manifest.cursor.webhook, export.manifest.cursor.why) == ("", "no_scope")
    synced = world.sync()
    assert synced.fallback == "the newest export has no webhook: the token lacks the scope webhook:manage"
    world.airtable.faults.clear()
    world.sync()
    world.writer.create(PEOPLE, 2)
    world.assert_exact(world.sync())


def test_ten_webhooks_of_others_leave_no_room_and_no_harm(world: World) -> None:
    body = {
        "notificationUrl": "https://example.org/",
        "specification": {"options": {"filters": {"dataTypes": ["tableData"]}}},
    }
    for _ in range(10):
        world.writer.request("POST", HOOKS, body)
    cursor = world.export().manifest.cursor
    assert cursor is not None
    assert (cursor.webhook, cursor.why) == ("", "too_many_webhooks")


def test_a_webhook_that_does_not_answer_costs_no_export(world: World) -> None:
    world.airtable.faults.add("/webhooks", 500, times=None)
    cursor = world.export().manifest.cursor
    assert cursor is not None
    assert cursor.why == "unavailable"


def test_the_month_s_calls_used_up_is_no_reason_for_a_full_export(exported: World) -> None:
    body = '{"errors":[{"error":"PUBLIC_API_BILLING_LIMIT_EXCEEDED"}]}'
    exported.airtable.faults.add("/payloads", 429, body)
    with pytest.raises(BillingLimit):
        exported.sync()
    assert len(list_exports(exported.store)) == 1


def erasure(world: World, *records: str) -> Erasure:
    at = datetime.now(UTC)
    return Erasure(
        "request1", "storyteller", at, records=tuple((world.airtable.base_id, PEOPLE.id, r) for r in records)
    )


def test_erased_people_are_left_out_as_by_a_full_export(exported: World) -> None:
    """They stand in Airtable still: which cells repeat their words follows from the whole base's links."""
    person = exported.writer.ids["People"][0]
    erased = (erasure(exported, person),)
    for said in ("holds people who had themselves erased since", "stand in the base still"):
        exported.writer.create(THEMES, 5)
        synced = exported.sync(erased=erased)
        assert said in (synced.fallback or "")
        assert person not in "".join(map(str, content(exported.read(synced))["records"][PEOPLE.id]))
    exported.writer.request("DELETE", f"{PEOPLE.id}/{person}")
    exported.sync(erased=erased)
    exported.writer.create(THEMES, 5)
    synced = exported.sync(erased=erased)
    exported.assert_exact(synced)
    assert exported.read(synced).manifest.erasures == ("request1",)


def test_somebody_erased_who_is_put_back_in_airtable_is_not_brought_back(exported: World) -> None:
    gone = (erasure(exported, "recErasedLongAgo1"),)
    exported.assert_exact(exported.sync(erased=gone))
    back = exported.writer.create(PEOPLE, 1)
    synced = exported.sync(erased=(erasure(exported, back),))
    assert synced.fallback == "people who had themselves erased are in the base again"
    assert Export(exported.store, synced.export_id).table(PEOPLE.id).erased == 1


def test_a_scan_that_finds_what_the_webhook_did_not_tell_ends_in_a_full_export(exported: World) -> None:
    exported.airtable.webhooks.silent = True
    for record in exported.writer.ids["Stories"][:2]:
        row = exported.airtable._file  # what no client can do: a record goes without a word
        assert row is not None
        row.remove([record])
    synced = exported.sync(final=True)
    assert synced.fallback == "a scan of the base finds 2 records otherwise than the webhook told"
    assert content(exported.read(synced)) == exported.truth()


def test_what_cannot_be_read_stops_it_and_leaves_nothing(exported: World) -> None:
    exported.airtable.faults.add("filterByFormula", 403, "{}")
    with pytest.raises(SourceError, match=r"table 'Stories' .* cannot be read"):
        exported.sync()
    assert len(exported.store.folders(FOLDER)) == 1 or not any(
        exported.store.list(f"{FOLDER}/{exported.store.folders(FOLDER)[-1]}/")
    )
    exported.assert_exact(exported.sync())
