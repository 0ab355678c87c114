"""Webhooks polled by cursor, parsed by pyairtable."""

from __future__ import annotations

from typing import Any

import pyairtable
import pytest
import requests
from pyairtable.models.webhook import Webhook

from ledger_assets.demo.server import LocalAirtable


def specification(**filters: Any) -> dict[str, Any]:
    return {"options": {"filters": {"dataTypes": ["tableData"], **filters}}}


def hook(base: pyairtable.Base, **filters: Any) -> Webhook:
    created = base.add_webhook("https://example.org/none", specification(**filters))
    return base.webhook(created.id)


def test_created_changed_and_destroyed_records_come_in_order(base: pyairtable.Base) -> None:
    webhook = hook(base, fromSources=["publicApi"])
    themes = base.table("Themes")
    media = base.table("Media").all(max_records=1)[0]["id"]
    record = themes.create({"Theme Name": "Seen", "Related Media": [media]})["id"]
    themes.update(record, {"Theme Name": "Seen again"})
    themes.delete(record)
    payloads = list(webhook.payloads())
    assert [payload.cursor for payload in payloads] == [1, 2, 3]
    table_id, media_id = themes.id, base.table("Media").id
    created, changed, destroyed = (payload.changed_tables_by_id for payload in payloads)
    assert record in created[table_id].created_records_by_id
    assert media in created[media_id].changed_records_by_id
    cells = changed[table_id].changed_records_by_id[record].current.cell_values_by_field_id
    assert "Seen again" in cells.values()
    assert destroyed[table_id].destroyed_record_ids == [record]
    assert [payload.cursor for payload in webhook.payloads(cursor=3)] == [3]
    assert list(webhook.payloads(cursor=4)) == []


def test_computed_changes_come_from_the_system(base: pyairtable.Base) -> None:
    webhook = hook(base)
    story = base.table("Stories").all(max_records=1)[0]
    person = story["fields"]["Storytellers"][0]
    base.table("Storytellers").update(person, {"Name": "Renamed Person"})
    sources = {
        p.action_metadata.source: p.changed_tables_by_id for p in webhook.payloads() if p.action_metadata
    }
    assert base.table("Stories").id not in sources["publicApi"]
    assert story["id"] in sources["system"][base.table("Stories").id].changed_records_by_id


def test_a_scope_and_more_payloads_than_a_page(server: LocalAirtable, base: pyairtable.Base) -> None:
    everything, quotes = hook(base), hook(base, recordChangeScope=base.table("Quotes").id)
    for number in range(53):
        base.table("Themes").create({"Theme Name": f"T{number}"})
    assert len(list(everything.payloads())) == 53
    assert list(quotes.payloads()) == []
    assert sum(r.path.endswith("/payloads") for r in server.requests) == 3


def test_webhooks_are_listed_deleted_and_ten_at_most(
    server: LocalAirtable, base: pyairtable.Base, session: requests.Session
) -> None:
    webhooks = [hook(base) for _ in range(10)]
    with pytest.raises(requests.HTTPError, match="422"):
        hook(base)
    webhooks[0].delete()
    assert {w.id for w in base.webhooks()} == {w.id for w in webhooks[1:]}
    url = f"{server.url}/v0/bases/{server.base_id}/webhooks"
    assert session.get(f"{url}/{webhooks[0].id}/payloads").status_code == 404
    assert (
        session.post(url, json={"notificationUrl": None, "specification": specification()}).status_code == 200
    )
    assert session.post(url, json={"specification": {}}).status_code == 422
