"""Receivers of messages on this machine: an HTTP server and an SMTP server that misbehave on request."""

from __future__ import annotations

import base64
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO


@dataclass
class Hook:
    """What the webhook got, and how it answers."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    """Statuses of the next posts; then 200."""
    drip: bool = False
    """Send a byte of the answer every 50 ms and never end."""
    got: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Authorization of each."""
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def webhook() -> Iterator[Hook]:
    """A webhook that keeps what it takes (2xx)."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hook.requests.append((self.path, self.headers.get("Authorization")))
            status = hook.answers.pop(0) if hook.answers else 200
            if body and 200 <= status < 300:
                hook.got.append(json.loads(body))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{hook.url}/elsewhere")
            if hook.drip:
                self.send_header("Content-Length", "1000000")
                self.end_headers()
                while not hook.stop.wait(0.05):
                    self.wfile.write(b"x")
                    self.wfile.flush()
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the library's name

        def log_message(self, *_: object) -> None:
            """Silent."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """The other side left: that is what is tested."""

    server = Server(("127.0.0.1", 0), Handler)
    hook.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hook
    finally:
        hook.stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    """What the SMTP server took: (recipient, text)."""

    port: int = 0
    password: str | None = None
    refuses: set[str] = field(default_factory=set)
    got: list[tuple[str, str]] = field(default_factory=list)
    logins: int = 0


@contextmanager
def smtp_server(*, password: str | None = None) -> Iterator[Mailbox]:
    """An SMTP server; with a password it takes mail after AUTH PLAIN alone."""
    box = Mailbox(password=password)

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):
                _converse(box, self.rfile, self.wfile)

    class Server(socketserver.ThreadingTCPServer):
        # A client that keeps its connection keeps nobody waiting: neither the next one nor the end of the test.
        daemon_threads = True

    with Server(("127.0.0.1", 0), Conversation) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()


def _converse(box: Mailbox, heard: BinaryIO, said: BinaryIO) -> None:
    def say(text: str) -> None:
        said.write(f"{text}\r\n".encode())

    recipient, known = "", box.password is None
    say("220 test")
    for raw in heard:
        line = raw.decode(errors="replace").strip()  # a TLS greeting is none of ours
        verb = line.split(" ")[0].split(":")[0].upper()
        if verb == "EHLO":
            say("250-test\r\n250 AUTH PLAIN" if box.password else "250 test")
        elif verb == "AUTH":
            box.logins += 1
            known = base64.b64decode(line.split(" ")[2]).split(b"\0")[2].decode() == box.password
            say("235 ok" if known else f"535 5.7.8 wrong password for {line.split(' ')[2]}")
        elif verb == "MAIL":
            say("250 ok" if known else "530 authenticate first")
        elif verb == "RCPT":
            recipient = line.split("<")[1].split(">")[0]
            say("550 no such box" if recipient in box.refuses else "250 ok")
        elif verb == "DATA":
            say("354 go on")
            text = b""
            while not text.endswith(b"\r\n.\r\n"):
                if not (more := heard.readline()):
                    return
                text += more
            box.got.append((recipient, text.decode()))
            say("250 ok")
        elif verb == "QUIT":
            say("221 bye")
            return
        else:
            say("250 ok")
