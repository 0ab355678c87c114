"""A deploy hook's receiver: a real HTTP server that keeps what it got and answers as it is told."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "of-the-signature-0123456789"
TOKEN = "T0KEN-of-the-path"


class Receiver:
    """``answers``: the numbers of the next answers, then 200. ``drip``: a byte of a header at a time, for ever."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[dict[str, Any]] = []
        self.drip = False
        self.over = threading.Event()
        self.url = ""

    def verified(self, timestamp: str, signature: str, body: bytes) -> bool:
        """As a receiver in another language would, from the runbook's words."""
        wanted = hmac.digest(SECRET.encode(), f"{timestamp}.".encode() + body, "sha256").hex()
        return hmac.compare_digest(signature, f"sha256={wanted}")


@contextmanager
def receiver() -> Iterator[Receiver]:
    """The server while the block runs."""
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if made.drip:
                while not made.over.wait(0.02):
                    self.wfile.write(b"H")
                return
            right = made.verified(
                self.headers["X-Ledger-Timestamp"], self.headers["X-Ledger-Signature"], body
            )
            made.got.append({"verified": right, "path": self.path, **json.loads(body)})
            self.send_response(made.answers.pop(0) if made.answers else 200)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            made.got.append({"verified": False, "path": self.path})
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Nothing on the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/hook/{TOKEN}"
    try:
        yield made
    finally:
        made.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def fingerprint(text: str) -> str:
    """Of an address, so that a test can look for what a hash would tell."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
