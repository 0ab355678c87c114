"""The outbox's files: read, written whole, locked.

What belongs here: what lies in the folder, and what becomes of a damaged file. What does not: what is sent when
(``outbox``).

The folder: ``<19 digits>.json`` one message and the channels that have it; ``channels.json`` the failed attempts;
``folded.json`` what was counted; ``damaged/`` what could not be read.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger_assets.backup.messages import Message, aware

STATE = "channels.json"
FOLDED = "folded.json"
TEMPORARY = "deliver.tmp"

DAMAGE = (ValueError, KeyError, TypeError, AttributeError)
"""What reading a file that is not ours, or cut, raises."""
_log = logging.getLogger(__name__)


@dataclass
class Entry:
    """A message of the folder and the channels that have it."""

    path: Path
    message: Message
    sent: set[str]


@dataclass
class Folded:
    """Messages counted instead of kept: of each channel how many, from when to when; ``names`` may still lie there."""

    counts: dict[str, tuple[int, datetime, datetime]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """For the file."""
        counts = {
            name: (count, first.isoformat(), last.isoformat())
            for name, (count, first, last) in self.counts.items()
        }
        return {"counts": counts, "names": self.names}


def add(outbox: Path, message: Message) -> Path:
    """Keep a message after all others. Raises OSError (a full disk)."""
    private(outbox)
    with locked(outbox / "enqueue.lock"):
        newest = max((int(path.stem) for path in waiting(outbox)), default=0)
        path = outbox / f"{max(time.time_ns(), newest + 1):019d}.json"
        write(path, {"message": message.to_json(), "sent": []}, "enqueue.tmp")
    return path


def read(outbox: Path) -> tuple[list[Entry], list[str]]:
    """What waits, oldest first, and the names of what had to be set aside."""
    entries, damaged = [], []
    for path in waiting(outbox):
        try:
            found = json.loads(path.read_bytes())
            entries.append(Entry(path, Message.from_json(found["message"]), set(found["sent"])))
        except DAMAGE:
            _set_aside(path)
            damaged.append(path.name)
    return entries, damaged


def read_folded(outbox: Path) -> tuple[Folded, list[str]]:
    """What was counted, and the file's name if it had to be set aside."""
    path = outbox / FOLDED
    try:
        found = json.loads(path.read_bytes())
        counts = {
            str(n): (int(c), aware(first), aware(last)) for n, (c, first, last) in found["counts"].items()
        }
        return Folded(counts, [Path(name).name for name in found["names"]]), []
    except FileNotFoundError:
        return Folded(), []
    except DAMAGE:
        _set_aside(path)
        return Folded(), [path.name]


def _set_aside(path: Path) -> None:
    private(path.parent / "damaged")
    path.replace(path.parent / "damaged" / path.name)
    _log.warning("the outbox's file %s cannot be read: it lies in its folder damaged/", path.name)


def waiting(outbox: Path) -> list[Path]:
    """The messages' files, oldest first."""
    return sorted(path for path in outbox.glob("*.json") if path.stem.isdigit())


def private(folder: Path) -> None:
    """Make the folder its owner's alone."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def write(path: Path, document: Mapping[str, Any], temporary: str = TEMPORARY) -> None:
    """Whole or not at all, also after a power cut. ``temporary`` is fixed: its lock's owner alone writes it."""
    unfinished = path.parent / temporary
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123 - only it has a mode
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """The file's lock; freed by the kernel when its holder dies. False: another has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _lock(descriptor, wait)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, wait: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
