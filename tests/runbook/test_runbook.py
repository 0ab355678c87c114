"""The runbook, carried out: every command of it, in its order, against a world of real servers; what it prints is what it says."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from .arranged import ARRANGED, NAME, Arranged
from .page import Command, commands_of, said
from .world import ROOT, Ran, World, world

PAGE = ROOT / "docs" / "runbook.md"
LEARNT = {
    "CHECKPOINT": r"(backup-\d+-checkpoint)",
    "RUN": r"(?m)^run ([0-9a-f]{32})",
    "2026-12-06T01:30": r"compare later with --compare (\S+)",
}
"""What the page writes in place of something that an earlier command has printed."""
UNEXPECTED = re.compile(r"Traceback|unexpected ")
ENVIRONMENT = {"Is everything well?": "production"}
"""Where ENV is not staging."""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        made.known["NAME"] = NAME
        yield made


def test_every_command_of_the_runbook_does_what_it_says(here: World) -> None:
    found = commands_of(PAGE)
    assert len(found) > 90
    carried_out: set[str] = set()
    waiting = list(ARRANGED)
    wrong = []
    for command in found:
        how = next((one for one in waiting if one.section == command.section and one.like in command.text), None)
        if how is not None:
            waiting.remove(how)
        line = command.text.partition(" #")[0].strip()
        if line in carried_out and not command.whole:
            continue  # a sentence names what was done before
        carried_out.add(line)
        wrong += [f"{command.place}: {line}: {problem}" for problem in carry_out(here, command, line, how)]
    assert not wrong, "\n\n".join(wrong)
    assert waiting == [], "arranged for commands that the page does not show"


def carry_out(here: World, command: Command, line: str, how: Arranged | None) -> list[str]:
    """Do it; what is not as the page says."""
    how = how or Arranged(command.section, "")
    how.before(here)
    for theirs, ours in how.stands_for:
        assert theirs in line, (line, theirs)
        line = line.replace(theirs, ours)
    line = filled(line, {**here.known, "ENV": ENVIRONMENT.get(command.section, "staging"), "PORT": free_port()})
    if command.query:
        here.query("staging", line)
        ran = Ran(line, 0, "", 0)
    else:
        ran = here.run(line, until=how.until, clean=how.clean)
    print(f"{ran.seconds:5.1f} s  exit {ran.code}  {ran.line}")
    problems = judged(command, ran, how.code)
    if not problems:
        how.after(here, ran)
    for name, pattern in LEARNT.items():
        if told := re.findall(pattern, ran.said):
            here.known[name] = told[-1]
    return problems


def filled(line: str, known: dict[str, str]) -> str:
    """The line with what its words in capitals stand for."""
    for name, value in known.items():
        line = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", lambda _, value=value: value, line)
    return line


def judged(command: Command, ran: Ran, code: int) -> list[str]:
    """How it ended, and whether the page's lines are among what it said, in their order."""
    problems = [] if ran.code == code else [f"exit {ran.code}, not {code}: {ran.said[-1500:]}"]
    if UNEXPECTED.search(ran.said):
        problems.append(f"an error that nobody foresaw: {ran.said[-1500:]}")
    rest = ran.said.splitlines()
    for line in command.prints:
        at = next((n for n, one in enumerate(rest) if said(line).fullmatch(" ".join(one.split()))), None)
        if at is None:
            problems.append(f"did not print {line!r} but {ran.said[-1500:]}")
        else:
            rest = rest[at + 1 :]
    return problems


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
