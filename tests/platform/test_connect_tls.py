"""What a person reads when a database cannot be reached over TLS: which setting, and what to do about sslmode."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ledger_assets.errors import TargetError
from ledger_assets.load.connect import connect

UNENCRYPTED = 'no pg_hba.conf entry for host "1.2.3.4", user "u", database "d", no encryption'


def error(message: str) -> bytes:
    """A FATAL error as Postgres writes it."""
    body = b"SFATAL\0C28000\0M" + message.encode() + b"\0\0"
    return b"E" + struct.pack("!I", 4 + len(body)) + body


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    """A port that gives one answer to whatever it is asked first, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                with client:
                    client.recv(1024)
                    client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


ANSWERS = {
    "TLS is not offered": (b"N", "require", "does not offer TLS: turn it on there; only inside a private network"),
    "it is promised and broken off": (b"S", "require", "broke off the TLS handshake: check that host and port"),
    "something else listens there": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "require", "broke off the TLS handshake"),
    "only encrypted connections": (error(UNENCRYPTED), "disable", "set sslmode=require in STAGING_DATABASE_URL"),
    "only encrypted connections, says a pooler": (
        error("SSL connection is required"), "disable", "set sslmode=require in STAGING_DATABASE_URL",
    ),
    "no authority to ask": (b"S", "verify-full&sslrootcert=/nowhere.crt", "set sslrootcert in STAGING_DATABASE_URL"),
}  # fmt: skip


@pytest.mark.parametrize("what", ANSWERS)
def test_a_failure_of_tls_says_what_to_do_about_sslmode(what: str) -> None:
    answer, mode, words = ANSWERS[what]
    with server(answer) as port, pytest.raises(TargetError) as refused:
        connect(
            f"postgresql://u:sentinel-word@127.0.0.1:{port}/d?sslmode={mode}&gssencmode=disable",
            application_name="tests",
            setting="STAGING_DATABASE_URL",
        )
    said = str(refused.value)
    assert words in said
    assert "STAGING_DATABASE_URL" in said
    assert "\n" not in said
    assert "sentinel" not in said
