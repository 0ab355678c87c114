"""The server fails in between: the result is the same as undisturbed."""

from __future__ import annotations

from typing import Any

import pytest

from ledger_assets.demo import schema

from ..conftest import Lane, facts
from .conftest import Undisturbed, assert_undisturbed

LOST = '{"error":{"type":"LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}'
LIMIT = '{"errors":[{"error":"RATE_LIMIT_REACHED","message":"slow down"}]}'
QUOTES, THEMES, MEDIA = (f"/{table.id}?" for table in (schema.QUOTES, schema.THEMES, schema.MEDIA))

SERVER: dict[str, list[dict[str, Any]]] = {
    "it refuses for a while, and answers 500 and 503": [
        {"path_contains": "/v0/meta/", "status": 503, "after": 0},
        {"path_contains": THEMES, "status": 429, "body": LIMIT},
        {"path_contains": MEDIA, "status": 500, "times": 2},
        {"path_contains": "/comments", "status": 429, "body": LIMIT},
        {"path_contains": "/files/", "status": 503, "times": 2},
    ],
    "it loses the scan's place, and sends half a body": [
        {"path_contains": "offset=", "status": 422, "body": LOST},
        {"path_contains": THEMES, "cut": True},
        {"path_contains": "/comments", "cut": True, "after": 1},
        {"path_contains": "/files/", "cut": True, "after": 3},
    ],
    "it sends what is no JSON, and what is JSON and no records": [
        {"path_contains": "/v0/meta/", "garbage": True},
        {"path_contains": QUOTES, "garbage": True, "times": 2},
        {"path_contains": MEDIA, "status": 200, "body": '{"records":[{"id":"rec1"}]}'},
        {"path_contains": "/comments", "garbage": True},
        {"path_contains": "/files/", "garbage": True, "after": 2},
    ],
}


@pytest.mark.parametrize("disturbance", SERVER)
def test_a_server_that_fails_in_between_changes_nothing(
    fresh: Lane, undisturbed: Undisturbed, disturbance: str
) -> None:
    scripted = [fresh.airtable.faults.add(**fault) for fault in SERVER[disturbance]]
    run = fresh.run("migrate")
    assert run.is_success, facts(run, fresh)
    assert [fault for fault in scripted if fault.times] == [], "a disturbance did not happen"
    assert_undisturbed(fresh, undisturbed)
