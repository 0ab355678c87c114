"""Where files lie while they are on their way: inside the home, and for nobody longer than for who fetches them.

    <home>/tmp/lock              held while a folder is made or removed
    <home>/tmp/files-<random>/   one download's; its file ``held`` is locked for as long as its process lives

What belongs here: the folders and what a killed process has left of them. What does not: the files.

Invariants: people's files are never below the system's temporary folder; a folder whose process lives is never
removed, any other is, when the next export or download begins.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger_assets.extract.limiter import locked

PREFIX = "files-"
HELD = "held"


@contextmanager
def scratch_folder(home: Path) -> Iterator[Path]:
    """A new folder that only this user can read; it is removed with the block."""
    place = _place(home)
    with locked(place / "lock"):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))  # 0700
        held = _lock(folder)
    assert held is not None  # nobody looks at it while ``lock`` is held
    try:
        yield folder
    finally:
        try:
            with locked(place / "lock"):
                shutil.rmtree(folder)
        finally:
            os.close(held)


def remove_abandoned(home: Path) -> None:
    """Remove the folders of processes that were killed."""
    place = _place(home)
    with locked(place / "lock"):
        for folder in place.glob(f"{PREFIX}*"):
            held = _lock(folder)
            if held is not None:
                shutil.rmtree(folder)
                os.close(held)


def _place(home: Path) -> Path:
    place = home / "tmp"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.chmod(0o700)  # it may have been there
    return place


def _lock(folder: Path) -> int | None:
    """The locked ``held`` of a folder, None when a living process has it. A file: not every disk locks folders."""
    held = os.open(folder / HELD, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    return held
