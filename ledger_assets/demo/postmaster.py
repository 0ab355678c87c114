"""The server process of a data folder: which it is, whether it answers, and that a number alone proves nothing.

What belongs here: reading postmaster.pid against the processes that live. What does not: starting and stopping
(``postgres``).

Invariant: another program that has the number of a server that was killed is never taken for it.
"""

from __future__ import annotations

import time
from pathlib import Path

import psutil


def postmaster(data: Path) -> psutil.Process | None:
    """The process that serves this data folder. A process number alone may be anybody's by now."""
    lines = _pid_lines(data)
    if not lines or not lines[0].isdigit():
        return None
    try:
        process = psutil.Process(int(lines[0]))
        # Its command line, not its working folder: root in a container may not see another user's.
        command = process.cmdline()
        place = Path(command[command.index("-D") + 1])
        ours = process.status() != psutil.STATUS_ZOMBIE and place.samefile(data)
    except (psutil.Error, ValueError, IndexError, OSError):
        return None
    return process if ours else None


def ready(data: Path) -> bool:
    """True when it takes connections."""
    lines = _pid_lines(data)
    return len(lines) > 7 and lines[7].strip() == "ready" and postmaster(data) is not None


def forget_foreign_pid(data: Path) -> None:
    """Postgres refuses to start while the number in its pid file lives, even as another program."""
    lines = _pid_lines(data)
    if lines and lines[0].isdigit() and psutil.pid_exists(int(lines[0])) and postmaster(data) is None:
        (data / "postmaster.pid").unlink(missing_ok=True)


def ended(process: psutil.Process, seconds: float) -> bool:
    """Wait for the end. A zombie has ended: its parent may be another process that does not reap it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def _pid_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
