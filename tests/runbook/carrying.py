"""Carrying a page out: each of its commands in its order, what must be true before, and what it must print.

What belongs here: finding the arrangement of a command, filling in what the page's words stand for, judging. What does not:
the arrangements themselves (``runbook``, ``recovery``), and the world.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .page import Command, commands_of, said
from .world import Ran, World

LEARNT = {
    "CHECKPOINT": r"(backup-\d+-checkpoint)",
    "PLAN": r"(plan-\d+-\w+)",
    "RUN": r"(?m)^run ([0-9a-f]{32})",
    "2026-12-06T01:30": r"compare later with --compare (\S+)",
}
"""What a page writes in place of something that an earlier command has printed."""
UNEXPECTED = re.compile(r"Traceback|unexpected ")


def nothing(_: World) -> None:
    """What is there is enough."""


def silent(_: World, __: Ran) -> None:
    """Its exit code and its documented lines are all there is to see."""


@dataclass(frozen=True)
class Arranged:
    """``like``: words of the command. ``until``: it is endless, and interrupted when it has said so. ``stands_for``: what
    the page's own words are replaced by, because it takes a person minutes, or names what only this world knows."""

    section: str
    like: str
    before: Callable[[World], None] = nothing
    after: Callable[[World, Ran], None] = silent
    code: int = 0
    until: str | None = None
    stands_for: tuple[tuple[str, str], ...] = ()
    clean: bool = False
    """In a shell without settings."""
    typed: str = ""
    """What a person types when it asks."""


def done(world: World, line: str) -> Ran:
    """A command that the arrangement itself needs."""
    ran = world.run(line)
    assert ran.code == 0, (line, ran.said)
    return ran


def carry_out(
    here: World,
    page: Path,
    arranged: Iterable[Arranged],
    *,
    environments: Mapping[str, str],
    elsewhere: Iterable[str] = (),
) -> list[str]:
    """Everything that is not as the page says. ``environments``: the sections where ENV is not staging. ``elsewhere``: what
    a sentence mentions and another page's test carries out."""
    carried_out = set(elsewhere)
    waiting = list(arranged)
    wrong = []
    for command in commands_of(page):
        how = next(
            (one for one in waiting if one.section == command.section and one.like in command.text), None
        )
        if how is not None:
            waiting.remove(how)
        line = command.line
        if line in carried_out and not command.whole and how is None:
            continue  # a sentence names what was done before
        carried_out.add(line)
        known = {**here.known, "ENV": environments.get(command.section, "staging"), "PORT": _free_port()}
        problems = _carry_out(here, command, how or Arranged(command.section, ""), known)
        wrong += [f"{command.place}: {line}: {problem}" for problem in problems]
    return wrong + [f"arranged for a command that the page does not show: {one}" for one in waiting]


def _carry_out(here: World, command: Command, how: Arranged, known: dict[str, str]) -> list[str]:
    how.before(here)
    known |= here.known
    line = command.line
    for theirs, ours in how.stands_for:
        assert theirs in line, (line, theirs)
        line = line.replace(theirs, ours)
    line = _filled(line, known)
    if command.query:
        here.query(known["ENV"], line)
        ran = Ran(line, 0, "", 0)
    else:
        ran = here.run(line, until=how.until, clean=how.clean, typed=how.typed)
    print(f"{ran.seconds:5.1f} s  exit {ran.code}  {ran.line}")
    problems = judged(command, ran, how.code)
    print(*problems, sep="\n")
    if not problems:
        how.after(here, ran)
    for name, pattern in LEARNT.items():
        if told := re.findall(pattern, ran.said):
            here.known[name] = told[-1]
    return problems


def _filled(line: str, known: dict[str, str]) -> str:
    """The line with what its words in capitals stand for."""
    for name, value in known.items():
        line = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", value.replace("\\", r"\\"), line)
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


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
