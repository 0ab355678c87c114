"""An Airtable that answers byte for byte what a test tells it: for bodies that a correct server cannot send.

Tables are lists of exact record texts. Scans have iterators as Airtable's: order frozen when they begin, lost
on request. ``faults`` are asked before each answer.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 100
KEY = "patSentinelKey.0123456789"
BASE = "appScripted0000001"


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: dict[str, Any] | None
    authorization: str | None

    def option(self, name: str) -> str | None:
        """An option of a list-records request, from the query or the body."""
        value = (self.body or {}).get(name) or self.query.get(name, [None])[0]
        return None if value is None else str(value)


@dataclass(frozen=True)
class Answer:
    """One answer; ``promised`` None: the true length, else another Content-Length than the body has."""

    body: str | bytes
    status: int = 200
    promised: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


Fault = Callable[[Asked], Answer | None]


def record(number: int, *, fields: str = '{"fldName":"n"}', comments: int = 0, prefix: str = "rec") -> str:
    """The text of a record."""
    created = f"2025-01-01T00:00:{number % 60:02d}.000Z"
    extra = f',"commentCount":{comments}' if comments else ""
    return f'{{"id":"{prefix}{number:014d}","createdTime":"{created}","fields":{fields}{extra}}}'


def table(table_id: str, name: str, fields: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A table's metadata."""
    fields = fields or [{"id": "fldName", "name": "Name", "type": "singleLineText"}]
    return {"id": table_id, "name": name, "primaryFieldId": fields[0]["id"], "fields": fields}


class ScriptedAirtable:
    """The state that tests change while the server runs."""

    def __init__(self) -> None:
        self.url = ""
        self.metadata: dict[str, Any] = {"tables": []}
        self.records: dict[str, list[str]] = {}
        self.comments: dict[str, list[str]] = {}
        self.files: dict[str, bytes] = {}
        self.webhooks: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.turn = threading.Lock()
        self._iterators: dict[str, list[str]] = {}
        self._numbers = itertools.count()

    def add_table(self, name: str, records: list[str], fields: list[dict[str, Any]] | None = None) -> str:
        """Add a table; returns its id."""
        table_id = f"tbl{name}"
        self.metadata["tables"].append(table(table_id, name, fields))
        self.records[table_id] = records
        return table_id

    def lose_iterators(self) -> None:
        """Forget every scan's place."""
        self._iterators.clear()

    def once(self, path: str, answer: Answer, *, times: int = 1, skip: int = 0) -> None:
        """Answer requests whose path contains ``path`` so, ``times`` times, after ``skip`` of them."""
        left = [skip, times]

        def fault(asked: Asked) -> Answer | None:
            if path not in asked.path:
                return None
            if left[0] > 0:
                left[0] -= 1
                return None
            if left[1] <= 0:
                return None
            left[1] -= 1
            return answer

        self.faults.append(fault)

    def pages(self, table_id: str) -> list[Asked]:
        """The list-records requests for a table."""
        return [a for a in self.asked if a.path.removesuffix("/listRecords").endswith(f"/{table_id}")]

    def answer(self, asked: Asked) -> Answer:
        """The answer to a request."""
        with self.turn:
            self.asked.append(asked)
            faults = list(self.faults)
        for fault in faults:
            answer = fault(asked)
            if answer is not None:
                return answer
        with self.turn:
            return self._answer(asked)

    def _answer(self, asked: Asked) -> Answer:
        parts = asked.path.strip("/").split("/")
        if parts[0] == "files":
            return Answer(self.files[parts[1]]) if parts[1] in self.files else Answer("", 404)
        if asked.authorization != f"Bearer {KEY}":
            return Answer('{"error":{"type":"AUTHENTICATION_REQUIRED"}}', 401)
        if parts[1] == "meta":
            return Answer(json.dumps(self.metadata))
        if parts[1] == "bases":
            return self._webhooks(asked)
        if parts[-1] == "comments":
            return Answer(f'{{"comments":[{",".join(self.comments.get(parts[3], []))}],"offset":null}}')
        return self._list(parts[2], asked)

    def _webhooks(self, asked: Asked) -> Answer:
        """One webhook at most, that never has anything to tell."""
        if asked.method == "POST":
            self.webhooks.append(
                {"id": "achScripted", "notificationUrl": None, "isHookEnabled": True, **(asked.body or {})}
            )
            return Answer('{"id":"achScripted"}')
        return Answer(json.dumps({"webhooks": self.webhooks}))

    def _list(self, table_id: str, asked: Asked) -> Answer:
        offset = asked.option("offset")
        formula = asked.option("filterByFormula")
        if offset is None:
            name = f"itr{next(self._numbers)}"
            rows = self.records[table_id]
            self._iterators[name] = [r for r in rows if formula is None or json.loads(r)["id"] in formula]
            at = 0
        else:
            name, _, start = offset.partition("/")
            at = int(start)
        if name not in self._iterators:
            return Answer('{"error":{"type":"LIST_RECORDS_ITERATOR_NOT_AVAILABLE","message":"gone"}}', 422)
        page = self._iterators[name][at : at + PAGE]
        more = f',"offset":"{name}/{at + PAGE}"' if at + PAGE < len(self._iterators[name]) else ""
        return Answer(f'{{"records":[{",".join(page)}]{more}}}')


@contextmanager
def serve(airtable: ScriptedAirtable) -> Iterator[ScriptedAirtable]:
    """Serve it on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            answer = airtable.answer(
                Asked(
                    self.command, parts.path, parse_qs(parts.query), body, self.headers.get("Authorization")
                )
            )
            with suppress(BrokenPipeError, ConnectionResetError):  # a client that was killed
                self.send(answer)

        def send(self, answer: Answer) -> None:
            data = answer.body.encode() if isinstance(answer.body, str) else answer.body
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(data) if answer.promised is None else answer.promised))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
            if answer.promised is not None:
                self.close_connection = True

        do_POST = do_GET  # noqa: N815 - the name http.server looks for

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    airtable.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield airtable
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
