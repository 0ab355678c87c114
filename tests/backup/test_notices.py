"""Telling people from the settings alone, and the alert on what did not happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger_assets.backup import messages
from ledger_assets.backup.absence import alert, due, fresh, told
from ledger_assets.backup.notices import send, watch
from ledger_assets.backup.outbox import outbox_folder
from ledger_assets.environment import Environment
from ledger_assets.resources.notifier import Notifier
from tests.backup.mail import webhook

AT = datetime(2026, 11, 22, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENV = Environment.STAGING
TRIAL = messages.trial(ENV, at=AT)


@pytest.mark.parametrize(
    ("age", "silent"), [(0, True), (26, True), (26.1, False), (1000, False), (-0.5, True), (-2, False)]
)
def test_absence_is_told_after_26_hours_and_a_time_of_the_future_is_no_snapshot(
    age: float, silent: bool
) -> None:
    found = alert(ENV, AT - age * HOUR, AT)
    assert (found is None) == silent


def test_no_snapshot_at_all_is_absence() -> None:
    found = alert(ENV, None, AT)
    assert found is not None
    assert found.lines[0] == "There is none."


def test_absence_is_told_every_six_hours_and_at_once_after_a_fresh_one(tmp_path: Path) -> None:
    outbox = outbox_folder(tmp_path, ENV)
    assert due(outbox, AT)
    told(outbox, AT)
    assert [due(outbox, AT + hours * HOUR) for hours in (0, 5.9, 6, 7)] == [False, False, True, True]
    assert due(outbox, AT - HOUR), "a clock set back must not silence the alert"
    fresh(outbox)
    assert due(outbox, AT + HOUR)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"told_at": 1}', b'{"told_at": "2026-11-22"}', b"\xff"]
)
def test_a_damaged_memory_of_it_means_tell(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "absence.json").write_bytes(content)
    assert due(tmp_path, AT)


def test_watch_tells_repeats_and_falls_silent(tmp_path: Path) -> None:
    with webhook() as hook:
        environ = {"LEDGER_HOME": str(tmp_path), "BACKUP_WEBHOOK_URL": hook.url}
        for hour in range(14):
            watch(ENV, AT - 26 * HOUR, now=AT + hour * HOUR, environ=environ)
        assert len(hook.got) == 3  # at 1, 7 and 13 hours
        assert watch(ENV, AT + 14 * HOUR, now=AT + 14 * HOUR, environ=environ) is None
        assert watch(ENV, None, now=AT + 15 * HOUR, environ=environ) is not None
    assert len(hook.got) == 4


def test_watch_raises_nothing_when_the_home_is_no_folder(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("")
    with webhook() as hook:
        environ = {"LEDGER_HOME": str(home), "BACKUP_WEBHOOK_URL": hook.url}
        watch(ENV, None, now=AT, environ=environ)
        watch(ENV, AT, now=AT, environ=environ)
    assert len(hook.got) == 1


def test_a_missing_password_or_bucket_can_still_be_told(tmp_path: Path) -> None:
    with webhook() as hook:
        environ = {
            "LEDGER_HOME": str(tmp_path),
            "BACKUP_WEBHOOK_URL": hook.url,
            "STAGING_DATABASE_URL": "postgresql://u:p@db.example.org/x",
            "BACKUP_BUCKET": "ftp://nonsense",
        }
        assert send(ENV, TRIAL, now=AT, environ=environ).sent == 1
    assert hook.got[0]["title"] == "Ledger staging: this is a trial message"


@pytest.mark.parametrize(
    "wrong",
    [
        {"BACKUP_WEBHOOK_URL": "ftp://x"},
        {"BACKUP_WEBHOOK_URL": "https://[bad"},
        {"BACKUP_WEBHOOK_URL": "https://host:port/T0KEN"},
        {"BACKUP_EMAIL_RECIPIENTS": "a@example.org"},
        {"BACKUP_EMAIL_RECIPIENTS": "a@example.org", "BACKUP_SMTP_URL": "http://u:T0KEN@x"},
    ],
)
def test_with_wrong_settings_a_message_waits_until_they_are_right(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    home = {"LEDGER_HOME": str(tmp_path)}
    waits = send(ENV, TRIAL, now=AT, environ=home | wrong)
    assert (waits.sent, waits.waiting) == (0, 1)
    assert "BACKUP_" in waits.failed[0]
    assert "T0KEN" not in waits.failed[0]
    with webhook() as hook:
        assert send(ENV, None, now=AT, environ=home | {"BACKUP_WEBHOOK_URL": hook.url}).sent == 1
    assert len(hook.got) == 1


def test_the_resource_keeps_sends_and_watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_HOME", str(tmp_path))
    notifier = Notifier(environment="staging")
    with webhook() as hook:
        monkeypatch.setenv("BACKUP_WEBHOOK_URL", hook.url)
        hook.answers = [500]
        assert notifier.send(TRIAL).waiting == 1
        (outbox_folder(tmp_path, ENV) / "channels.json").unlink()  # as if its pause were over
        assert notifier.deliver().sent == 1
        assert notifier.watch(None) is not None
        assert notifier.watch(None) is None
    assert len(hook.got) == 2
    assert not (tmp_path / "outbox" / "production").exists()
