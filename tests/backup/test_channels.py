"""One message by one channel, to a real HTTP server and a real SMTP server on this machine."""

from __future__ import annotations

import io
import logging
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_string
from urllib.parse import quote

import pytest

from ledger_assets.backup import messages
from ledger_assets.backup.channels import NotSent, channels
from ledger_assets.environment import Environment
from ledger_assets.errors import SettingsError
from tests.backup.mail import smtp_server, webhook

AT = datetime(2026, 11, 22, 5, tzinfo=UTC)
MESSAGE = messages.absence(Environment.STAGING, None, within=timedelta(hours=26), at=AT)
SECRET = "T0KEN-of-the-hook"
PASSWORD = "pass/word@:% 1"


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """Every record that any logger makes, whatever a library or a module of ours, imported before, told it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    known = [root, *(x for x in root.manager.loggerDict.values() if isinstance(x, logging.Logger))]
    before = [(logger, logger.level, logger.disabled, logger.propagate) for logger in known]
    for logger in known:
        logger.setLevel(logging.NOTSET)
        logger.disabled, logger.propagate = False, True
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)
    for logger, level, disabled, propagate in before:
        logger.setLevel(level)
        logger.disabled, logger.propagate = disabled, propagate


def test_the_webhook_gets_the_message_at_its_whole_address() -> None:
    with webhook() as hook:
        address = f"http://us%40er:p%2Fw@127.0.0.1:{hook.port}/a%2Fb/{SECRET}?format=x&verify=no&x=1&x=2&+h=v"
        channels(address, (), None)["webhook"](MESSAGE)
    path, authorization = hook.requests[0]
    assert path == f"/a%2Fb/{SECRET}?format=x&verify=no&x=1&x=2&+h=v"
    assert authorization == "Basic dXNAZXI6cC93"
    assert hook.got[0]["title"] == "Ledger staging: no fresh VERIFIED snapshot"
    assert hook.got[0]["message"].splitlines()[:2] == ["There is none.", "One is due every 26 hours."]
    assert hook.got[0]["type"] == "failure"


@pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
def test_an_answer_that_is_not_success_is_told_by_its_number(status: int) -> None:
    with webhook() as hook:
        hook.answers = [status]
        with pytest.raises(NotSent, match=f"^answer {status}$"):
            channels(hook.url, (), None)["webhook"](MESSAGE)
    assert len(hook.requests) == 1
    assert hook.got == []


def test_a_server_that_hangs_or_drips_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        send = channels(f"http://127.0.0.1:{silent.getsockname()[1]}", (), None, timeout=0.2)["webhook"]
        with pytest.raises(NotSent, match="not reached"):
            send(MESSAGE)
    with webhook() as hook:
        hook.drip = True
        with pytest.raises(NotSent, match="no answer in"):
            channels(hook.url, (), None, timeout=5, longest=0.5)["webhook"](MESSAGE)


def test_nobody_listening_is_told_and_no_certificate_is_no_https() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NotSent, match="not reached"):
        channels(f"http://127.0.0.1:{port}/x", (), None)["webhook"](MESSAGE)
    with webhook() as hook, pytest.raises(NotSent, match="not reached"):
        channels(f"https://127.0.0.1:{hook.port}/x", (), None)["webhook"](MESSAGE)


def test_each_address_gets_its_own_mail() -> None:
    with smtp_server(password=PASSWORD) as box:
        url = f"smtp://backups%40example.org:{quote(PASSWORD, safe='')}@127.0.0.1:{box.port}"
        found = channels(None, ("a@example.org", "b@example.org"), url)
        box.refuses = {"a@example.org"}
        refused, taken = found.values()
        with pytest.raises(NotSent):
            refused(MESSAGE)
        taken(MESSAGE)
    assert [recipient for recipient, _ in box.got] == ["b@example.org"]
    mail = message_from_string(box.got[0][1])
    assert str(mail["Subject"]) == "Ledger staging: no fresh VERIFIED snapshot"
    assert "backups@example.org" in str(mail["From"])
    assert mail.get_content_type() == "text/plain"
    text = mail.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert b"There is none." in text
    assert all(name.startswith("email-") and "@" not in name for name in found)


def test_a_server_without_login_and_a_named_sender() -> None:
    with smtp_server() as box:
        url = f"smtp://127.0.0.1:{box.port}"
        for address in (url, f"{url}?from=ledger@example.org"):
            next(iter(channels(None, ["a@example.org"], address).values()))(MESSAGE)
    senders = [str(message_from_string(text)["From"]) for _, text in box.got]
    assert ["a@example.org" in senders[0], "ledger@example.org" in senders[1]] == [True, True]


def test_a_wrong_password_is_told_by_the_answer_alone() -> None:
    with smtp_server(password="right") as box:
        url = f"smtp://me:wrong@127.0.0.1:{box.port}"
        with pytest.raises(NotSent, match=r"^answer 535$"):
            next(iter(channels(None, ["a@example.org"], url).values()))(MESSAGE)
    assert box.got == []
    assert box.logins >= 1


def test_a_password_leaves_for_another_machine_by_tls_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with smtp_server(password="right") as box:
        monkeypatch.setattr("ledger_assets.backup.channels.LOOPBACK", frozenset())  # as if it were far away
        for scheme in ("smtp", "smtps"):
            url = f"{scheme}://me:right@127.0.0.1:{box.port}"
            with pytest.raises(NotSent):
                next(iter(channels(None, ["a@example.org"], url, timeout=0.5).values()))(MESSAGE)
    assert box.logins == 0


def test_no_log_line_and_no_error_shows_an_address_or_a_servers_words(everything_logged: io.StringIO) -> None:
    with webhook() as hook, smtp_server(password="right") as box:
        hook.answers = [500, 200]
        address = f"http://user:{SECRET}@127.0.0.1:{hook.port}/{SECRET}?key={SECRET}"
        smtp = f"smtp://me:{SECRET}@127.0.0.1:{box.port}"
        found = channels(address, ["a@example.org"], smtp)
        said = []
        for send in (*found.values(), *found.values()):
            try:
                send(MESSAGE)
            except NotSent as error:
                said.append(repr(error) + repr(error.__cause__) + repr(error.__context__))
        logging.getLogger("urllib3.connectionpool").debug("somebody else's line")
    logged = everything_logged.getvalue() + "".join(said)
    assert len(said) == 3
    assert len(hook.got) == 1
    assert "somebody else's line" in logged
    for part in (SECRET, "a@example.org", "There is none", "535 5.7.8"):
        assert part not in logged


@pytest.mark.parametrize(
    "url", [None, "", "mail.example.org:587", "http://x:1", "smtp://", f"smtp://u:{SECRET}@host:port"]
)
def test_an_smtp_address_that_is_none_is_refused_without_showing_it(url: str | None) -> None:
    with pytest.raises(SettingsError, match="BACKUP_SMTP_URL") as caught:
        channels(None, ["a@example.org"], url)
    assert SECRET not in str(caught.value)


def test_no_settings_no_channels() -> None:
    assert channels(None, (), None) == {}
