"""Airtable's addresses: which request is answered by which method of :class:`ledger_assets.demo.api.Api`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

from ledger_assets.demo.api import Api
from ledger_assets.demo.api_errors import not_found, unprocessable
from ledger_assets.demo.model import Table


class Call:
    """One request: what the address names, what the query and the body hold."""

    def __init__(
        self, api: Api, found: Mapping[str, str], given: Mapping[str, Any], body: Mapping[str, Any], host: str
    ) -> None:
        self.api, self.found, self.given, self.body, self.host = api, found, given, body, host

    @property
    def table(self) -> Table:
        """The table that the address names. Raises 403."""
        return self.api.catalogue.table(self.found["table"])

    def webhook_changed(self, act: Callable[[], object]) -> str:
        """Do something with webhooks and keep it."""
        result = act()
        self.api.commit()
        return json.dumps(result if result is not None else {})


def _int(text: Any, default: int) -> int:
    return int(text) if str(text).isdigit() else default


_BASE = r"(?P<base>app\w+)"
_TABLE = _BASE + r"/(?P<table>[^/]+)"
_RECORD = _TABLE + r"/(?P<record>rec\w+)"
_META = r"meta/bases/" + _BASE + r"/tables"
_HOOKS = r"bases/" + _BASE + r"/webhooks"
_HOOK = _HOOKS + r"/(?P<hook>ach\w+)"
ROUTES: Sequence[tuple[re.Pattern[str], Callable[[Call], str]]] = [
    (re.compile(pattern), act)
    for pattern, act in (
        (f"GET {_TABLE}", lambda c: c.api.records(c.table, c.given, c.host)),
        (f"POST {_TABLE}/listRecords", lambda c: c.api.records(c.table, {**c.given, **c.body}, c.host)),
        (f"POST {_TABLE}", lambda c: c.api.create(c.table, c.body, c.host)),
        (f"PATCH {_TABLE}", lambda c: c.api.update(c.table, c.body, c.host, replace=False)),
        (f"PUT {_TABLE}", lambda c: c.api.update(c.table, c.body, c.host, replace=True)),
        (f"DELETE {_TABLE}", lambda c: c.api.delete(c.table, c.given.get("records", []), several=True)),
        (f"GET {_RECORD}", lambda c: c.api.get(c.table, c.found["record"], c.given, c.host)),
        (
            f"PATCH {_RECORD}",
            lambda c: c.api.update(c.table, c.body, c.host, replace=False, record_id=c.found["record"]),
        ),
        (
            f"PUT {_RECORD}",
            lambda c: c.api.update(c.table, c.body, c.host, replace=True, record_id=c.found["record"]),
        ),
        (f"DELETE {_RECORD}", lambda c: c.api.delete(c.table, [c.found["record"]], several=False)),
        (f"GET {_RECORD}/comments", lambda c: c.api.comments(c.table, c.found["record"], c.given)),
        (f"POST {_RECORD}/comments", lambda c: c.api.add_comment(c.table, c.found["record"], c.body)),
        (
            f"DELETE {_RECORD}/comments/(?P<comment>com\\w+)",
            lambda c: c.api.delete_comment(c.table, c.found["record"], c.found["comment"]),
        ),
        ("GET meta/whoami", lambda c: c.api.whoami()),
        ("GET meta/bases", lambda c: c.api.bases()),
        (
            f"GET {_META}",
            lambda c: c.api.tables(visible_field_ids="visibleFieldIds" in c.given.get("include", ())),
        ),
        (f"POST {_META}/(?P<table>[^/]+)/fields", lambda c: c.api.create_field(c.table, c.body)),
        (
            f"PATCH {_META}/(?P<table>[^/]+)/fields/(?P<field>fld\\w+)",
            lambda c: c.api.rename_field(c.table, c.found["field"], c.body),
        ),
        (f"GET {_HOOKS}", lambda c: c.webhook_changed(c.api.webhooks.listed)),
        (f"POST {_HOOKS}", lambda c: c.webhook_changed(lambda: c.api.webhooks.create(c.body))),
        (f"DELETE {_HOOK}", lambda c: c.webhook_changed(lambda: c.api.webhooks.delete(c.found["hook"]))),
        (
            f"POST {_HOOK}/refresh",
            lambda c: c.webhook_changed(lambda: c.api.webhooks.refresh(c.found["hook"])),
        ),
        (
            f"GET {_HOOK}/payloads",
            lambda c: c.api.webhooks.payloads(
                c.found["hook"], _int(c.given.get("cursor"), 1), _int(c.given.get("limit"), 50)
            ),
        ),
    )
]


def gather(query: str) -> dict[str, Any]:
    """The query's values; ``name[]`` gathered into lists, ``sort[0][field]`` into a list of objects."""
    given: dict[str, Any] = {}
    sort: dict[str, dict[str, str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if match := re.fullmatch(r"sort\[(\d+)\]\[(\w+)\]", name):
            sort.setdefault(match.group(1), {})[match.group(2)] = value
        elif match := re.fullmatch(r"(\w+)\[\d*\]", name):
            given.setdefault(match.group(1), []).append(value)
        else:
            given[name] = value
    if sort:
        given["sort"] = [sort[number] for number in sorted(sort, key=int)]
    return given


def parse_body(body: bytes) -> Mapping[str, Any]:
    if not body:
        return {}
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise unprocessable("INVALID_REQUEST_UNKNOWN", "Invalid request: the body is not a JSON object")
    return document


def find_route(method: str, raw_path: str) -> tuple[Callable[[Call], str], dict[str, str]]:
    """What answers ``/v0/...``, and the names in the address, decoded. Raises 404."""
    line = f"{method} {raw_path.strip('/').removeprefix('v0/')}"
    for pattern, act in ROUTES:
        if match := pattern.fullmatch(line):
            return act, {name: unquote(text) for name, text in match.groupdict().items()}
    raise not_found()
