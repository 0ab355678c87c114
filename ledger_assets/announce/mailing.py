"""One announcement to many people, each once: a ledger of who has it, by hashes.

What belongs here: sending to those who do not have it yet, and remembering it. What does not: the words, and when.

The ledger is one line per answer, ``<hash> ok`` or ``<hash> <reason>``, appended and on the disk before the next message
leaves, and one for each attempt, ``tried <time>``. (The outbox rewrites its list for every message: for five thousand
people some gigabytes.) A process killed between the server's yes and that line sends to this one address again: twice is
not lost.

Invariants: no address is kept, only its hash with the step and the window; one message each; two processes never send the
same announcement at once.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO

from ledger_assets.backup import outbox_files
from ledger_assets.backup.channels import NotSent
from ledger_assets.backup.messages import Message, aware

DEAD_AFTER = 5
"""Attempts in a row that reached nobody: the server is down, and everybody else waits for the next time."""
REFUSED_AFTER = 3
"""Refusals of one address (answer 5xx) after which it is left alone: a provider stops taking mail from whoever goes on."""
OK = "ok"
TRIED = "tried"

Send = Callable[[str, Message], None]


@dataclass(frozen=True)
class Mailed:
    """Counts of people. ``sent``: now; ``had``: before; ``refused``: by their server, for good; ``waiting``: the rest."""

    recipients: int
    sent: int
    had: int
    refused: int
    waiting: int
    busy: bool = False
    """Another process is sending: nothing was done."""
    reasons: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Is there nothing left to do?"""
        return not self.waiting and not self.busy


def ledger_path(folder: Path, step: str) -> Path:
    """The step's ledger in the window's folder."""
    return folder / f"{step}.sent"


def mail(
    folder: Path, window: str, step: str, message: Message, addresses: Sequence[str], send: Send
) -> Mailed:
    """Send to each of ``addresses`` that does not have it. Raises OSError alone (a full disk: nothing more is sent)."""
    outbox_files.private(folder)
    with outbox_files.locked(folder / f"{step}.lock", wait=False) as mine:
        if not mine:
            return Mailed(len(addresses), 0, 0, 0, len(addresses), busy=True)
        return _mail(ledger_path(folder, step), f"{window}\n{step}", message, addresses, send)


def standing(folder: Path, window: str, step: str, addresses: Sequence[str]) -> Mailed:
    """What is done and what waits, from the ledger alone."""
    had, refusals = _read(ledger_path(folder, step))
    return _counted(f"{window}\n{step}", addresses, 0, had, refusals, Counter())


def tried_at(folder: Path, step: str) -> datetime | None:
    """When it was last tried; None when it was not, or that cannot be read."""
    try:
        lines = ledger_path(folder, step).read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return None
    times = [line.partition(" ")[2] for line in lines if line.startswith(f"{TRIED} ")]
    try:
        return aware(times[-1]) if times else None
    except ValueError:
        return None


def _mail(path: Path, salt: str, message: Message, addresses: Sequence[str], send: Send) -> Mailed:
    had, refusals = _read(path)
    before = len(had)
    reasons = Counter[str]()
    refused: list[str] = []
    in_vain = 0
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:  # noqa: PTH123 - private
        file.write(
            f"\n{TRIED} {message.at.isoformat()}\n".encode()
        )  # the first ends a line that a crash has cut
        for address in addresses:
            name = _hash(salt, address)
            if name in had or refusals[name] >= REFUSED_AFTER:
                continue
            answer = _sent(send, address, message)
            if answer == OK:
                had.add(name)
                in_vain = 0
                _append(file, f"{name} {OK}")
                continue
            reasons[answer] += 1
            if _of_recipient(answer):
                refused += [f"{name} {answer}"] if _final(answer) else []
            elif (in_vain := in_vain + 1) >= DEAD_AFTER:
                break
        if had:  # where nobody is taken, it is the sender who is refused
            refusals.update(line.partition(" ")[0] for line in refused)
            _append(file, *refused)
    return _counted(salt, addresses, len(had) - before, had, refusals, reasons)


def _counted(
    salt: str,
    addresses: Sequence[str],
    sent: int,
    had: set[str],
    refusals: Counter[str],
    reasons: Counter[str],
) -> Mailed:
    names = [_hash(salt, address) for address in addresses]
    have = sum(name in had for name in names)
    refused = sum(name not in had and refusals[name] >= REFUSED_AFTER for name in names)
    told = tuple(f"{count:,} times {reason}" for reason, count in reasons.most_common(5))
    return Mailed(len(names), sent, have - sent, refused, len(names) - have - refused, reasons=told)


def _read(path: Path) -> tuple[set[str], Counter[str]]:
    """Who has it, and how often each was refused for good. A line cut by a crash says nothing."""
    had, refusals = set[str](), Counter[str]()
    try:
        lines = path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return had, refusals
    for line in lines:
        name, _, answer = line.partition(" ")
        if answer == OK:
            had.add(name)
        refusals[name] += _final(answer)
    return had, refusals


def _sent(send: Send, address: str, message: Message) -> str:
    try:
        send(address, message)
    except NotSent as error:
        return str(error)
    return OK


def _append(file: IO[bytes], *lines: str) -> None:
    file.write("".join(f"{line}\n" for line in lines).encode())
    file.flush()
    os.fsync(file.fileno())


def _of_recipient(answer: str) -> bool:
    """Is it about this address (greylisted, no such box), and not about the server or our password (421, 535)?"""
    return re.fullmatch(r"answer [45]5[0-4]", answer) is not None and answer != "answer 454"


def _final(answer: str) -> bool:
    return answer.startswith("answer 55")


def _hash(salt: str, address: str) -> str:
    return sha256(f"{salt}\n{address.lower()}".encode()).hexdigest()
