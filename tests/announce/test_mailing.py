"""Each gets it once, whatever dies: with a real SMTP server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ledger_assets.announce.mailing import DEAD_AFTER, mail, standing, tried_at
from ledger_assets.backup.channels import NotSent, email_channel
from ledger_assets.backup.messages import Message, announcement
from tests.announce.world import START, World, body
from tests.backup.mail import smtp_server

MESSAGE = announcement("A subject", "Some words", at=START)
CROWD = [f"person{number}@example.org" for number in range(30)]


class Server:
    """What a mail server says to each address, in order; then it takes everything."""

    def __init__(self, answers: dict[str, list[str]] | None = None, always: str = "") -> None:
        self.answers, self.always = answers or {}, always
        self.got: list[str] = []
        self.asked: list[str] = []

    def send(self, address: str, message: Message) -> None:
        self.asked.append(address)
        waiting = self.answers.get(address, [])
        if said := self.always or (waiting.pop(0) if waiting else ""):
            raise NotSent(said)
        self.got.append(address)


def again(folder: Path, server: Server, addresses: list[str] = CROWD, window: str = "w", step: str = "done"):  # type: ignore[no-untyped-def]  # Mailed
    return mail(folder, window, step, MESSAGE, addresses, server.send)


def test_again_is_nobody_and_another_step_or_window_is_everybody(tmp_path: Path) -> None:
    server = Server()
    assert (again(tmp_path, server).sent, again(tmp_path, server).sent) == (30, 0)
    assert again(tmp_path, server, [one.upper() for one in CROWD]).had == 30
    assert again(tmp_path, server, step="begun").sent == 30
    assert again(tmp_path, server, [*CROWD, "late@example.org"]).sent == 1
    assert again(tmp_path / "other", server, window="x").sent == 30


def test_a_ledger_of_another_window_does_not_count(tmp_path: Path) -> None:
    server = Server()
    again(tmp_path, server)
    assert again(tmp_path, server, window="moved").sent == 30


def test_no_address_is_kept(tmp_path: Path) -> None:
    again(tmp_path, Server({CROWD[0]: ["answer 550"]}))
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"example" not in kept
    assert b"person" not in kept
    assert {path.stat().st_mode & 0o077 for path in [tmp_path, *tmp_path.iterdir()]} == {0}


def test_a_dead_server_is_left_after_a_few_and_everybody_waits_for_it(tmp_path: Path) -> None:
    dead = Server(always="not reached or not understood")
    found = again(tmp_path, dead)
    assert (len(dead.asked), found.sent, found.waiting) == (DEAD_AFTER, 0, 30)
    assert found.reasons == (f"{DEAD_AFTER} times not reached or not understood",)
    assert again(tmp_path, Server()).sent == 30


@pytest.mark.parametrize(
    "answer", ["answer 535", "answer 530", "answer 421", "answer 454", "no answer in 30 s"]
)
def test_a_wrong_password_condemns_nobody(tmp_path: Path, answer: str) -> None:
    for _ in range(5):
        server = Server(always=answer)
        again(tmp_path, server)
        assert len(server.asked) == DEAD_AFTER
    assert again(tmp_path, Server()).sent == 30


def test_a_sender_that_nobody_takes_condemns_nobody(tmp_path: Path) -> None:
    for _ in range(5):
        assert again(tmp_path, Server(always="answer 550")).waiting == 30
    assert again(tmp_path, Server()).sent == 30


def test_a_box_that_is_gone_is_left_alone_after_three_times_and_the_others_have_it(tmp_path: Path) -> None:
    server = Server({CROWD[3]: ["answer 550"] * 9})
    told = [again(tmp_path, server) for _ in range(5)]
    assert server.asked.count(CROWD[3]) == 3
    assert [one.sent for one in told] == [29, 0, 0, 0, 0]
    assert [(one.refused, one.waiting) for one in told][1:] == [(0, 1), (1, 0), (1, 0), (1, 0)]
    assert told[-1].complete


def test_greylisting_stops_nobody_else_and_is_tried_again(tmp_path: Path) -> None:
    server = Server({one: ["answer 450"] for one in CROWD})
    first, second = again(tmp_path, server), again(tmp_path, server)
    assert (first.sent, first.waiting, second.sent) == (0, 30, 30)


def test_two_at_once_are_one(tmp_path: Path) -> None:
    inner: list[bool] = []
    server = Server()

    def send(address: str, message: Message) -> None:
        inner.append(again(tmp_path, server).busy)
        server.send(address, message)

    assert mail(tmp_path, "w", "done", MESSAGE, CROWD, send).sent == 30
    assert (set(inner), len(server.got)) == ({True}, 30)


def test_a_line_that_a_crash_has_cut_is_no_yes_and_spoils_no_other(tmp_path: Path) -> None:
    again(tmp_path, Server(), CROWD[:2])
    ledger = tmp_path / "done.sent"
    ledger.write_bytes(ledger.read_bytes()[:-2])  # the last "ok" has lost its k
    server = Server()
    assert again(tmp_path, server, CROWD[:3]).sent == 2
    assert server.got == CROWD[1:3]
    assert standing(tmp_path, "w", "done", CROWD[:3]).complete


def test_when_it_was_tried_is_known(tmp_path: Path) -> None:
    assert tried_at(tmp_path, "done") is None
    again(tmp_path, Server())
    assert tried_at(tmp_path, "done") == START


PROGRAM = """
import sys
from datetime import datetime
from ledger_assets.announce.announcing import announce
from ledger_assets.announce.templates import Step
from ledger_assets.environment import Environment, read_settings
announce(read_settings(Environment.PRODUCTION), Step.DONE, now=datetime.fromisoformat(sys.argv[1]))
"""


@pytest.mark.parametrize("last", [1, 4, 8])
def test_killed_in_the_middle_and_run_again_only_the_unconfirmed_one_gets_it_twice(
    ours: World, last: int
) -> None:
    """The process dies after the server took a message and before it said so."""
    ours.people(*CROWD[:8])
    command = [sys.executable, "-c", PROGRAM, START.isoformat()]
    environ = {**ours.environ, "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}

    class Killing(list[tuple[str, str]]):
        def append(self, one: tuple[str, str]) -> None:
            super().append(one)
            if len(self) == last:
                process.kill()

    ours.box.got = Killing()
    process = subprocess.Popen(command, env=environ)
    process.wait()
    assert len(ours.got) == last
    subprocess.run(command, env=environ, check=True)
    counts = Counter(ours.got)
    assert set(counts) == set(CROWD[:8])
    assert {one: count for one, count in counts.items() if count > 1} == {CROWD[last - 1]: 2}
    assert len(ours.told) == 1
    subprocess.run(command, env=environ, check=True)
    assert Counter(ours.got) == counts


def test_the_channel_sends_to_exactly_the_address_and_names_its_sender() -> None:
    with smtp_server() as box:
        send = email_channel(f"smtp://127.0.0.1:{box.port}?from=stories@example.org")
        box.refuses = {"gone@example.org"}
        for address in ("o'neil@example.org", "sam+x@example.org"):
            send(address, MESSAGE)
        with pytest.raises(NotSent, match=r"^answer 550$"):
            send("gone@example.org", MESSAGE)
    assert [one for one, _ in box.got] == ["o'neil@example.org", "sam+x@example.org"]
    for address, text in box.got:
        heads = [line for line in text.splitlines() if line.startswith(("To:", "From:", "Cc:", "Bcc:"))]
        assert sorted(heads) == ["From: stories@example.org", f"To: {address}"]
        assert body(text).split() == ["Some", "words", "."]
