"""The local Airtable server: Airtable's Web API over HTTP, for the demo, the tests and the benchmarks.

:class:`LocalAirtable` serves a base file from a thread of this process; ``python -m ledger_assets.demo.server``
from a process of its own. Only requests, answers and addresses here; what they mean is in
:mod:`ledger_assets.demo.api`.

Invariant: it listens on this machine only.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ledger_assets.demo.api import Api
from ledger_assets.demo.api_errors import ApiError, not_found, rate_limited, unauthorised
from ledger_assets.demo.basefile import BaseFile
from ledger_assets.demo.faults import Fault, Faults, RateLimit, Request
from ledger_assets.demo.routes import Call, find_route, gather, parse_body
from ledger_assets.demo.webhooks import Webhooks

LOCAL_API_KEY = "patLocalSynthetic0.no_secret_opens_the_synthetic_base_only"
KEY_VARIABLE = "LOCAL_AIRTABLE_KEY"
OFFSET_MINUTES = 10.0
ATTACHMENT_URL_SECONDS = 7200.0
PENALTY_SECONDS = 30.0
KEEP_ALIVE_SECONDS = 75
JSON_TYPE = "application/json; charset=utf-8"
_OF_A_BASE = re.compile(r"/v0/(meta/)?(bases/)?app")
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


class LocalAirtable:
    """A base served on this machine; a context manager. Stopped and started again it keeps its port.

    ``requests_per_second`` None or very large: no limit. ``faults`` scripts what goes wrong, ``requests`` is the log.
    """

    def __init__(
        self,
        path: Path,
        *,
        requests_per_second: float | None = 5.0,
        penalty_seconds: float = PENALTY_SECONDS,
        offset_minutes: float = OFFSET_MINUTES,
        attachment_url_seconds: float = ATTACHMENT_URL_SECONDS,
        latency: float | tuple[float, float] = 0.0,
        api_key: str = LOCAL_API_KEY,
        port: int = 0,
    ) -> None:
        self.api_key = api_key
        self.faults = Faults()
        self.faults.latency = latency
        self.requests: list[Request] = []
        self._path = path
        self._port = port
        self._offset_minutes = offset_minutes
        self._url_seconds = attachment_url_seconds
        self._limit = RateLimit(requests_per_second, penalty_seconds)
        self._expired = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._file: BaseFile | None = None
        self._api: Api | None = None
        self.base_id = ""

    @property
    def url(self) -> str:
        """The endpoint's address, as AIRTABLE_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def webhooks(self) -> Webhooks:
        """The base's webhooks, to be made silent, to end or to forget. While no request is under way."""
        assert self._api is not None
        return self._api.webhooks

    def __enter__(self) -> LocalAirtable:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Serve from a thread; returns when requests are answered."""
        listener = self.listen()
        self._thread = threading.Thread(
            target=self.serve, args=(listener,), daemon=True, name="local-airtable"
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving: connections end, later ones are refused."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._thread = None

    def listen(self) -> socket.socket:
        """Open the base and a socket: from now on connections wait for :meth:`serve`."""
        self._file = BaseFile(self._path)
        self._api = Api(
            self._file, offset_minutes=self._offset_minutes, attachment_url_seconds=self._url_seconds
        )
        self.base_id = self._api.base_id
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        listener.listen(128)
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            Starlette(routes=[Route("/{path:path}", self._handle, methods=METHODS)]),
            log_level="critical",
            access_log=False,
            lifespan="off",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
            ws="none",
        )
        self._server = uvicorn.Server(config)
        return listener

    def serve(self, listener: socket.socket) -> None:
        """Answer requests until stopped."""
        assert self._server is not None
        assert self._file is not None
        try:
            self._server.run(sockets=[listener])
        finally:
            listener.close()
            self._file.close()

    async def _handle(self, request: HttpRequest) -> Response:
        path, query = request.scope["raw_path"].decode(), request.scope["query_string"].decode()
        body = await request.body()
        # Counted on arrival: latency must not bunch together what was sent evenly.
        allowed = _OF_A_BASE.match(path) is None or self._limit.allows()
        if pause := self.faults.pause():
            await asyncio.sleep(pause)
        line = unquote(f"{request.method} {path}?{query}")
        fault = self.faults.take(line)
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        response = self._answer(request, path, query, body, fault, allowed=allowed)
        self.requests.append(
            Request(request.method, unquote(path), query, response.status_code, time.monotonic())
        )
        return response

    def _answer(
        self, request: HttpRequest, path: str, query: str, body: bytes, fault: Fault | None, *, allowed: bool
    ) -> Response:
        if fault is not None and fault.status is not None:
            content = fault.body if fault.body is not None else '{"error":{"type":"SERVER_ERROR"}}'
            return Response(content, fault.status, dict(fault.headers), JSON_TYPE)
        try:
            content, kind = self._route(request, path, query, body, allowed=allowed)
            response = Response(content, 200, media_type=kind)
        except ApiError as error:
            response = Response(error.body, error.status, media_type=JSON_TYPE)
        if fault is None:
            return response
        content = fault.body if fault.body is not None else bytes(response.body)
        if fault.garbage:
            content = b"<html><title>Bad Gateway</title>" + bytes(response.body)[:40]
        kind = response.headers["content-type"]
        return (_Cut if fault.cut else Response)(content, response.status_code, dict(fault.headers), kind)

    def _route(
        self, request: HttpRequest, path: str, query: str, body: bytes, *, allowed: bool
    ) -> tuple[str | bytes, str]:
        assert self._api is not None
        parts = path.strip("/").split("/")
        if parts[0] == "files" and len(parts) >= 3:
            return self._api.attachment(parts[1], parts[2])
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            raise unauthorised()
        if not allowed:
            raise rate_limited()
        if parts[:1] != ["v0"]:
            raise not_found()
        if self._expired != self.faults.offsets_expired:
            self._expired = self.faults.offsets_expired
            self._api.listings.expire()
        host = request.headers.get("host", self.url.removeprefix("http://"))
        act, found = find_route(request.method, path)
        if "base" in found:
            self._api.check_base(found["base"])
        call = Call(self._api, found, gather(query), parse_body(body), host)
        return act(call), JSON_TYPE


class _Cut(Response):
    """An answer whose second half never comes."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body)[: len(self.body) // 2]})


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve a base until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m ledger_assets.demo.server", description=main.__doc__)
    parser.add_argument("--base", type=Path, required=True, help="the base's file, see create_base")
    parser.add_argument("--port-file", type=Path, required=True, help="written with the port once it listens")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--requests-per-second", type=float, default=5.0)
    parser.add_argument("--penalty-seconds", type=float, default=PENALTY_SECONDS)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    chosen = parser.parse_args(arguments)
    server = LocalAirtable(
        chosen.base,
        requests_per_second=chosen.requests_per_second,
        penalty_seconds=chosen.penalty_seconds,
        latency=chosen.latency,
        api_key=os.environ.get(KEY_VARIABLE, LOCAL_API_KEY),
        port=chosen.port,
    )
    try:
        listener = server.listen()
    except (OSError, KeyError, sqlite3.Error) as error:
        sys.exit(f"the base {chosen.base} cannot be served: {type(error).__name__}")
    part = chosen.port_file.with_name(f"{chosen.port_file.name}.part")
    part.write_text(f"{server.url.rpartition(':')[2]}\n")
    part.replace(chosen.port_file)
    server.serve(listener)


if __name__ == "__main__":
    main()
