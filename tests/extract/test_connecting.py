"""Wrong settings of the connection are said at once; what may pass is asked for again, and that is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from ledger_assets.errors import SettingsError, SourceError
from ledger_assets.extract.responses import Unreachable
from ledger_assets.progress import listen

from .conftest import NewClient, TestClock
from .scripted import Answer, ScriptedAirtable, serve


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def hanging_up() -> Iterator[str]:
    """Something that listens and closes every connection without an answer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # closed
                    return
                with connection:
                    connection.recv(65536)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(60)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:{free}", "nothing accepts a connection there"),
        ("http://127.0.0.1:99999", "that is no address"),
        ("http://localhost:port", "that is no address"),
        (f"http://{'a' * 70}.example", "that is no address"),
        ("https://api.airtable.invalid", "the name of its host is not known"),
        ("https://127.0.0.1:{plain}", "its certificate was refused, or it speaks no TLS"),
    ],
)
def test_an_address_where_nothing_is_fails_at_once_and_names_its_setting(
    scripted: ScriptedAirtable,
    new_client: NewClient,
    clock: TestClock,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    why: str,
) -> None:
    """91 s of silence before the first line look like a program that hangs."""
    if why.startswith("the name"):

        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        monkeypatch.setenv("NO_PROXY", "*")
    plain = scripted.url.rpartition(":")[2]
    client = new_client(url=url.format(free=free_port(), plain=plain) if "{" in url else url)
    with pytest.raises(Unreachable) as caught:
        client.metadata()
    said = str(caught.value)
    assert f"({why}): check AIRTABLE_ENDPOINT_URL" in said
    assert "\n" not in said
    assert client.calls == 1
    assert max(clock.slept, default=0.0) < 1.0


def test_once_it_has_answered_a_refused_connection_is_asked_for_again(
    new_client: NewClient, clock: TestClock
) -> None:
    """Then the address is right, and the fault is one that passes."""
    with serve(ScriptedAirtable()) as airtable:
        client = new_client(url=airtable.url, attempts=3)
        client.metadata()
    client.close()
    with pytest.raises(SourceError, match=r"no answer \(ConnectionError\); tried 3 times: run again later"):
        client.metadata()
    assert client.calls == 1 + 3
    assert [seconds for seconds in clock.slept if seconds >= 1.0] == [1.0, 2.0]


@pytest.mark.parametrize(("attempts", "said"), [(1, "tried once"), (4, "tried 4 times")])
def test_a_first_connection_that_breaks_off_is_asked_for_again_as_often_as_is_said(
    new_client: NewClient, attempts: int, said: str
) -> None:
    with hanging_up() as url:
        client = new_client(url=url, attempts=attempts)
        with pytest.raises(SourceError, match=rf"no answer \(ConnectionError\); {said}: run again later"):
            client.metadata()
    assert client.calls == attempts


def test_waiting_for_an_answer_is_told_and_so_is_its_end(
    scripted: ScriptedAirtable, new_client: NewClient, caplog: pytest.LogCaptureFixture
) -> None:
    scripted.once("meta/", Answer("", 503), times=2)
    told: list[tuple[str, str, int, int | None]] = []
    with listen(lambda *progress: told.append(progress)):
        new_client(attempts=5).metadata()
    assert told == [
        ("waiting", "Airtable does not answer, asking again", 1, 5),
        ("waiting", "Airtable does not answer, asking again", 2, 5),
        ("waiting", "Airtable answers again", 5, 5),
    ]
    assert "Airtable answered 503; asking again, 2 of 5" in caplog.text


def test_the_wait_for_another_program_is_told(scripted: ScriptedAirtable, new_client: NewClient) -> None:
    scripted.once("meta/", Answer('{"errors":[{"error":"RATE_LIMIT_REACHED"}]}', 429))
    told: list[str] = []
    with listen(lambda _stage, label, _done, _total: told.append(label)):
        new_client().metadata()
    assert told == ["another program uses this base's requests", "Airtable answers again"]


@pytest.mark.parametrize(
    "key", ["", "patSentinel\nx", "patSentinel x", "patSentinel\u00e9", "patSentinel\x7f"]
)
def test_a_token_that_no_request_can_carry_names_its_setting(new_client: NewClient, key: str) -> None:
    with pytest.raises(SettingsError, match=r"^AIRTABLE_API_KEY is empty or holds") as caught:
        new_client(key=key)
    assert "Sentinel" not in str(caught.value)
