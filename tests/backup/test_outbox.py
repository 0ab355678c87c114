"""The outbox: nothing lost by dead channels, killed processes, damaged files or a full disk; order and pauses kept."""

from __future__ import annotations

import json
import os
import signal
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger_assets.backup import outbox as module
from ledger_assets.backup import outbox_files
from ledger_assets.backup.channels import Channel, NotSent, channels
from ledger_assets.backup.messages import Kind, Message
from ledger_assets.backup.outbox import Delivered, deliver, enqueue, notify, outbox_folder, state
from ledger_assets.environment import Environment
from tests.backup.mail import smtp_server, webhook

AT = datetime(2026, 11, 22, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def message(number: int, at: datetime = AT) -> Message:
    return Message(Kind.TRIAL, f"number {number}", (), at)


class Receiver:
    """A channel that keeps titles, and fails while ``dead``."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.dead = False
        self.asked = 0

    def __call__(self, told: Message) -> None:
        self.asked += 1
        if self.dead:
            raise NotSent("answer 500")
        self.got.append(told.title)


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return outbox_folder(tmp_path, Environment.STAGING)


@pytest.fixture
def web() -> Receiver:
    return Receiver()


@pytest.fixture
def mail() -> Receiver:
    return Receiver()


def left(outbox: Path) -> int:
    return len(outbox_files.waiting(outbox))


def test_a_message_lies_in_the_outbox_before_it_is_sent_and_not_after(outbox: Path) -> None:
    seen = []
    told = notify(outbox, {"web": lambda _: seen.append(left(outbox))}, message(1), now=AT)
    assert (seen, left(outbox), told) == ([1], 0, Delivered(1, 0))


def test_the_outbox_is_its_owners_alone(outbox: Path, web: Receiver) -> None:
    web.dead = True
    notify(outbox, {"web": web}, message(1), now=AT)
    assert stat.S_IMODE(outbox.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in outbox.iterdir()} == {0o600}


def test_a_dead_webhook_repeats_no_mail_and_gets_everything_in_order_later(
    outbox: Path, web: Receiver, mail: Receiver
) -> None:
    web.dead = True
    for number in range(5):
        told = notify(outbox, {"web": web, "mail": mail}, message(number), now=AT + number * HOUR)
    assert told.waiting == 5
    assert told.failed == ("web: answer 500 (failed attempts: 5)",)
    web.dead = False
    assert deliver(outbox, {"web": web, "mail": mail}, now=AT + 6 * HOUR) == Delivered(5, 0)
    assert web.got == mail.got == [f"number {number}" for number in range(5)]
    assert state(outbox) == {}


def test_pauses_double_up_to_an_hour_and_end_with_a_success(outbox: Path, web: Receiver) -> None:
    web.dead = True
    enqueue(outbox, message(1))
    tried = []
    for minute in range(400):
        before = web.asked
        deliver(outbox, {"web": web}, now=AT + timedelta(minutes=minute))
        tried += [minute] if web.asked > before else []
    assert tried == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363]
    web.dead = False
    assert deliver(outbox, {"web": web}, now=AT + timedelta(minutes=423)).sent == 1
    notify(outbox, {"web": web}, message(2), now=AT + timedelta(minutes=423))
    assert web.got == ["number 1", "number 2"]


def test_a_channel_that_took_something_starts_with_a_short_pause_again(outbox: Path, web: Receiver) -> None:
    web.dead = True
    for number in range(3):
        notify(outbox, {"web": web}, message(number), now=AT + number * HOUR)

    def takes_one(told: Message) -> None:
        web.dead = bool(web.got)
        web(told)

    deliver(outbox, {"web": takes_one}, now=AT + 4 * HOUR)
    assert {name: one.attempts for name, one in state(outbox).items()} == {"web": 1}


def test_a_clock_set_back_does_not_silence_a_channel(outbox: Path, web: Receiver) -> None:
    web.dead = True
    notify(outbox, {"web": web}, message(1), now=AT + 1000 * HOUR)
    web.dead = False
    assert deliver(outbox, {"web": web}, now=AT).sent == 1


@pytest.mark.parametrize(
    "error", [RuntimeError("x"), ConnectionError("x"), KeyError("secret"), TimeoutError()]
)
def test_whatever_a_channel_raises_notify_does_not(outbox: Path, mail: Receiver, error: Exception) -> None:
    def broken(_: Message) -> None:
        raise error

    told = notify(outbox, {"web": broken, "mail": mail}, message(1), now=AT)
    assert told.failed == (f"web: {type(error).__name__} (failed attempts: 1)",)
    assert mail.got == ["number 1"]
    assert told.waiting == left(outbox) == 1


def _steps(outbox: Path, log: Path, die_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a child: notify of three messages, killed before the step (a send, a write, a removal) of that number."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def channel(name: str) -> Channel:
        def send(told: Message) -> None:
            step()
            with log.open("a") as file:
                file.write(f"{name} {told.title}\n")
            step()

        return send

    write, unlink = outbox_files.write, Path.unlink

    def counted_write(*arguments: Any) -> None:
        step()
        write(*arguments)
        step()

    def counted_unlink(path: Path, missing_ok: bool = False) -> None:
        step()
        unlink(path, missing_ok)

    monkeypatch.setattr(outbox_files, "write", counted_write)
    monkeypatch.setattr(Path, "unlink", counted_unlink)
    for number in range(3):
        notify(outbox, {"web": channel("web"), "mail": channel("mail")}, message(number), now=AT)
        with log.open("a") as file:
            file.write(f"said {number}\n")


@pytest.mark.parametrize("die_at", range(1, 35))
def test_a_process_killed_at_any_step_loses_nothing(
    outbox: Path, tmp_path: Path, web: Receiver, mail: Receiver, die_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    child = os.fork()
    if child == 0:
        try:
            _steps(outbox, log, die_at, monkeypatch)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == (die_at <= 33)
    lines = log.read_text().splitlines() if log.exists() else []
    deliver(outbox, {"web": web, "mail": mail}, now=AT)
    said = sum(line.startswith("said") for line in lines)
    for name, receiver in (("web", web), ("mail", mail)):
        before = [line.removeprefix(f"{name} ") for line in lines if line.startswith(name)]
        once = list(dict.fromkeys([*before, *receiver.got]))
        assert once == [f"number {number}" for number in range(len(once))]
        assert len(once) >= said
        assert len(before) + len(receiver.got) <= len(once) + 1
    assert left(outbox) == 0


def test_a_file_cut_by_a_power_failure_is_set_aside_named_and_told(outbox: Path, web: Receiver) -> None:
    names = [enqueue(outbox, message(number)) for number in range(3)]
    (outbox / names[1]).write_bytes((outbox / names[1]).read_bytes()[:-20])
    (outbox / "enqueue.tmp").write_text('{"mess')
    told = deliver(outbox, {"web": web}, now=AT)
    assert told.set_aside == (names[1],)
    assert web.got == ["number 0", "number 2", "Ledger: 1 damaged files in the outbox"]
    assert (outbox / "damaged" / names[1]).exists()
    assert left(outbox) == 0


rubbish = st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["message", "sent", "counts", "names", "web", "attempts", "tried_at"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
).map(lambda document: json.dumps(document).encode())


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rubbish, min_size=3, max_size=3))
def test_no_rubbish_in_the_folder_stops_a_message(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]
) -> None:
    outbox, web = tmp_path_factory.mktemp("outbox"), Receiver()
    for name, content in zip(
        ("0000000000000000001.json", "channels.json", "folded.json"), contents, strict=True
    ):
        (outbox / name).write_bytes(content)
    told = notify(outbox, {"web": web}, message(1), now=AT)
    assert "number 1" in web.got
    assert not [line for line in told.failed if line.startswith("outbox")]


def test_what_waits_too_long_is_counted_in_one_message_for_each_channel(
    outbox: Path, web: Receiver, mail: Receiver
) -> None:
    web.dead = True
    for number in range(40):
        at = AT + timedelta(days=number)
        notify(outbox, {"web": web, "mail": mail}, message(number, at), now=at)
    assert left(outbox) == 31
    assert len(mail.got) == 40
    web.dead = False
    assert deliver(outbox, {"web": web, "mail": mail}, now=at + HOUR).waiting == 0
    assert web.got[0] == "Ledger: messages could not be delivered"
    assert web.got[1:] == [f"number {number}" for number in range(10, 40)]


def test_more_than_a_thousand_are_counted_too(
    outbox: Path, web: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(module, "MOST_MESSAGES", 20)
    told: list[Message] = []
    web.dead = True
    for number in range(60):
        notify(outbox, {"web": web}, message(number, AT + number * HOUR), now=AT + number * HOUR)
    assert left(outbox) == 20
    deliver(outbox, {"web": told.append}, now=AT + 100 * HOUR)
    assert told[0].lines == (
        "40 messages could not be delivered (2026-11-22 05:00 UTC to 2026-11-23 20:00 UTC).",
    )
    assert [one.title for one in told[1:]] == [f"number {number}" for number in range(40, 60)]
    assert deliver(outbox, {"web": told.append}, now=AT + 101 * HOUR) == Delivered(0, 0)


def test_a_process_killed_while_counting_counts_no_message_twice(
    outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Message] = []
    for number in range(3):
        enqueue(outbox, message(number))
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(Path, "unlink", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        try:
            deliver(outbox, {"web": told.append}, now=AT + timedelta(days=31))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert left(outbox) == 3
    deliver(outbox, {"web": told.append}, now=AT + timedelta(days=31))
    assert [one.lines[0][:10] for one in told] == ["3 messages"]


def test_a_long_backlog_goes_out_in_parts(
    outbox: Path, web: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    for number in range(120):
        enqueue(outbox, message(number))
    assert [deliver(outbox, {"web": web}, now=AT).sent for _ in range(4)] == [50, 50, 20, 0]
    assert web.got == [f"number {number}" for number in range(120)]


def test_two_processes_never_send_at_once(outbox: Path, web: Receiver) -> None:
    """The second leaves it to the first, and waits for nothing: its backup goes on."""
    told: list[Delivered] = []

    def slow(sent: Message) -> None:
        if not told:
            other = threading.Thread(
                target=lambda: told.append(notify(outbox, {"web": web}, message(2), now=AT))
            )
            other.start()
            other.join(10)
        web(sent)

    notify(outbox, {"web": slow}, message(1), now=AT)
    assert told == [Delivered(0, 2)]
    deliver(outbox, {"web": web}, now=AT)
    assert web.got == ["number 1", "number 2"]


def test_messages_of_many_threads_are_all_kept(outbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1)
    threads = [threading.Thread(target=enqueue, args=(outbox, message(number))) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert left(outbox) == 20


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device", "/somewhere")


def test_on_a_full_disk_the_message_is_sent_all_the_same(
    outbox: Path, web: Receiver, mail: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", _full)
    mail.dead = True
    told = notify(outbox, {"web": web, "mail": mail}, message(1), now=AT)
    assert told == Delivered(1, 0, ("outbox: OSError", "mail: answer 500"))
    assert web.got == ["number 1"]


def test_without_channels_nothing_is_kept_and_what_waits_stays(outbox: Path, web: Receiver) -> None:
    web.dead = True
    notify(outbox, {"web": web}, message(1), now=AT)
    assert notify(outbox, {}, message(2), now=AT) == Delivered(0, 0)
    assert deliver(outbox, {}, now=AT) == Delivered(0, 1)
    web.dead = False
    deliver(outbox, {"web": web}, now=AT + HOUR)
    assert web.got == ["number 1"]


def test_a_real_webhook_that_fails_twice_and_a_real_mail_server_get_each_message_once(outbox: Path) -> None:
    with webhook() as hook, smtp_server(password="right") as box:
        hook.answers = [500, 503]
        ways: Callable[[], dict[str, Channel]] = lambda: channels(  # noqa: E731 - with its type, so that it may be given on
            hook.url, ["a@example.org"], f"smtp://me:right@127.0.0.1:{box.port}"
        )
        told = [notify(outbox, ways(), message(number), now=AT + number * HOUR) for number in range(4)]
    assert [one.waiting for one in told] == [1, 2, 0, 0]
    assert told[0].failed == ("webhook: answer 500 (failed attempts: 1)",)
    assert [one["title"] for one in hook.got] == [f"number {number}" for number in range(4)]
    assert len(box.got) == 4
