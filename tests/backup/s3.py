"""Two real S3 servers for tests, and a proxy that disturbs them.

moto has versions, locks, lifecycle rules and conditional writes, but believes every key; rclone checks signatures and
keeps objects as files that a test can damage, but ignores If-None-Match. Fixtures are in ``conftest``.
"""

from __future__ import annotations

import http.client
import itertools
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from ledger_assets.backup.settings import BucketSettings

ACCESS_KEY = "AKLEDGERSYNTHETIC00"
SECRET_KEY = "synthetic/secret/key/of/the/tests"
REGION = "ap-southeast-2"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """A running S3 server. ``folder``: where it keeps its objects as files (rclone only)."""

    endpoint: str
    folder: Path | None = None

    def client(self) -> Any:
        """A boto3 client of the test's own, to look behind the product's back."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def bucket(self, **options: Any) -> BucketSettings:
        """Settings of a fresh bucket."""
        name = f"bucket-{next(_numbers)}"
        self.client().create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}, **options
        )
        return BucketSettings(f"s3://{name}/backups/staging", self.endpoint, REGION, ACCESS_KEY, SECRET_KEY)


def bucket_name(bucket: BucketSettings) -> str:
    """The bucket's own name."""
    return urlsplit(bucket.url).netloc


def dangling(server: Server, bucket: BucketSettings) -> list[str]:
    """Keys of multipart uploads that were begun and neither completed nor aborted."""
    try:
        answer = server.client().list_multipart_uploads(Bucket=bucket_name(bucket))
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchUpload":  # rclone's word for none
            raise
        return []
    return [upload["Key"] for upload in answer.get("Uploads", [])]


@contextmanager
def moto() -> Iterator[Server]:
    """A moto server in a process of its own."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with _started(command, r"Running on (http://127\.0\.0\.1:\d+)") as endpoint:
        yield Server(endpoint)


@contextmanager
def rclone(folder: Path) -> Iterator[Server]:
    """``rclone serve s3`` over ``folder``: each bucket a folder, each object a file."""
    program = Path(sys.executable).parent / "rclone"
    command = [
        str(program),
        "serve",
        "s3",
        "--config=",
        "--addr=127.0.0.1:0",
        f"--auth-key={ACCESS_KEY},{SECRET_KEY}",
        str(folder),
    ]
    with _started(command, r"(http://127\.0\.0\.1:\d+)") as endpoint:
        yield Server(endpoint, folder)


@contextmanager
def _started(command: list[str], pattern: str) -> Iterator[str]:
    """Start a server on a free port and read from what it prints which one."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    rest = threading.Thread(target=process.stderr.read, daemon=True)
    try:
        said = ""
        for line in process.stderr:
            said += line
            if match := re.search(pattern, line):
                rest.start()
                yield match[1]
                break
        else:
            raise AssertionError(f"{command[0]} did not start: {said}")
    finally:
        process.kill()
        process.wait()
        if rest.is_alive():
            rest.join()
        process.stderr.close()


@dataclass(frozen=True)
class Seen:
    """A request as the proxy saw it."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def part(self) -> bool:
        """Is it a part of a multipart upload?"""
        return self.method == "PUT" and "partNumber=" in self.path


@dataclass(frozen=True)
class Answer:
    """What the proxy does with a request. ``forward``: the server sees it all the same, only its answer is lost."""

    status: int
    code: str = "InternalError"
    forward: bool = False
    hang: bool = False
    cut: int | None = None
    """Pass the server's answer on, but end the connection after so many bytes of its body."""


@dataclass
class Proxy:
    """Requests seen so far; ``disturb`` decides what happens to each (None: nothing)."""

    endpoint: str = ""
    disturb: Callable[[Seen], Answer | None] = lambda _: None
    seen: list[Seen] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


class Listener(ThreadingHTTPServer):
    """A client that gives up in the middle of an answer is part of the game."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        return


@contextmanager
def proxy(server: Server) -> Iterator[Proxy]:
    """A proxy in front of ``server``."""
    state = Proxy()
    behind = urlsplit(server.endpoint).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Seen(self.command, self.path, dict(self.headers))
            named = {name.lower() for name in self.headers}
            if server.folder is None and named & {"x-amz-checksum-sha256", "x-amz-copy-source"}:
                # In a bucket with object lock S3 takes any x-amz-checksum-, and a copy without; moto wants the SDK's own.
                self.headers["x-amz-sdk-checksum-algorithm"] = "SHA256"
            state.seen.append(request)
            answer = state.disturb(request)
            if answer is not None and answer.hang:
                state.released.wait()
                self.close_connection = True
                return
            if answer is None or answer.forward or answer.cut is not None:
                with closing(http.client.HTTPConnection(behind)) as connection:
                    connection.request(self.command, self.path, body, dict(self.headers))
                    reply = connection.getresponse()
                    content = reply.read()
                if answer is None or answer.cut is not None:
                    self._send(reply.status, reply.getheaders(), content, answer.cut if answer else None)
                    return
            text = f"<Error><Code>{answer.code}</Code><Message>disturbed</Message></Error>".encode()
            self._send(answer.status, [("Content-Type", "application/xml")], text, None)

        def _send(self, status: int, headers: list[tuple[str, str]], content: bytes, cut: int | None) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                    self.send_header(name, value)
            length = {n.lower(): v for n, v in headers}.get("content-length", str(len(content)))
            self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content if cut is None else content[:cut])
            self.close_connection = cut is not None

        def log_message(self, *args: Any) -> None:
            return

    for method in ("GET", "PUT", "POST", "HEAD", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._any)
    listener = Listener(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    state.endpoint = f"http://127.0.0.1:{listener.server_port}"
    try:
        yield state
    finally:
        state.released.set()
        listener.shutdown()
        listener.server_close()
