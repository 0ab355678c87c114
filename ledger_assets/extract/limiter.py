"""One request budget per Airtable base, shared by every process on the machine that uses the same lock
folder.

What belongs here: who may send a request when, and the lock that keeps two exports of one base apart. What
does not: requests.

A small file under ``flock`` holds the moment from which the next request may leave. A waiter sleeps until
then and asks again, so a penalty set meanwhile by any process holds for it too. A killed process leaves at
worst one unused slot: the kernel frees the lock, the file stays readable (a damaged one counts as "now").

Invariant: two requests of one base never leave closer together than the interval.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger_assets.errors import LedgerError

PENALTY_SECONDS = 30.0
"""Airtable refuses everything for 30 s after its limit was met; requests sent meanwhile start it anew."""

HEADROOM = 0.97
"""Share of the limit that is used. Airtable counts arrivals: six requests leave over 1.03 s, so 30 ms of
jitter on the way never make six arrivals in one second, and one 429 would cost 150 requests."""


@dataclass(frozen=True)
class Clock:
    """The time of day and a way to wait for it; tests pass their own."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


class RateLimiter:
    """Lets requests leave one by one, evenly spaced. Safe to use from several threads and processes."""

    def __init__(
        self, file: Path, *, requests_per_second: float, penalty_seconds: float, clock: Clock
    ) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = file
        self._interval = 1.0 / (requests_per_second * HEADROOM)
        self._penalty = penalty_seconds
        self._clock = clock

    def wait(self) -> None:
        """Return when the caller's request may leave."""
        while (pause := self._take()) > 0:
            self._clock.sleep(pause)

    def penalise(self) -> None:
        """Let no request leave for the length of the penalty, in any process."""
        with locked(self._file) as descriptor:
            now = self._clock.now()
            _write(descriptor, max(self._free(descriptor, now), now + self._penalty))

    def _take(self) -> float:
        """Take the slot if it is free now (0), else say how long it is not."""
        with locked(self._file) as descriptor:
            now = self._clock.now()
            free = self._free(descriptor, now)
            if free > now:
                return free - now
            _write(descriptor, now + self._interval)
            return 0.0

    def _free(self, descriptor: int, now: float) -> float:
        try:
            free = float(os.pread(descriptor, 64, 0))
        except ValueError:
            return now
        # Further ahead than any wait of ours: the machine's clock was set back since.
        return free if free <= now + max(self._penalty, self._interval) else now


@contextmanager
def locked(file: Path) -> Iterator[int]:
    """Hold the file's lock for the block. Opened anew each time: only so does ``flock`` keep threads apart."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    except OSError as error:
        error.filename = error.filename or str(file)  # a descriptor has no name, and a person needs one
        raise
    finally:
        os.close(descriptor)


@contextmanager
def only_one(file: Path, busy: str) -> Iterator[None]:
    """Hold the file's lock for the block, or raise :class:`LedgerError` ``busy`` at once when somebody holds
    it.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LedgerError(busy) from None
        yield
    finally:
        os.close(descriptor)


def _write(descriptor: int, moment: float) -> None:
    os.pwrite(descriptor, f"{moment:032.9f}\n".encode(), 0)
