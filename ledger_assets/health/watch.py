"""Look again and again, until the time is over or something is bad twice in a row.

Twice, because one look may fall on a moment (a lock, a burst) that is over at the next; between switch and thaw each
minute counts, so that a third is not waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ledger_assets.health.model import Report

INTERVAL = 60.0


class Clock(Protocol):
    """Time as a watch needs it: a test's needs no waiting."""

    def now(self) -> float:
        """Seconds that only grow."""

    def wait(self, seconds: float) -> None:
        """Let so many seconds pass."""


class WallClock:
    """Real time."""

    def now(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Watched:
    """``stopped``: what is bad when something was bad twice in a row (none: it held)."""

    looks: int
    last: Report
    stopped: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """True when the watch went to its end and ended well."""
        return not self.stopped and self.last.passed


def watch(
    measure: Callable[[], Report],
    minutes: float,
    interval: float = INTERVAL,
    clock: Clock | None = None,
    tell: Callable[[Report], object] = lambda _: None,
) -> Watched:
    """Measure at once, then every ``interval`` seconds until ``minutes`` are over; 0: once.

    Ends early when something was bad in two looks in a row. What is bad for the first time in the last look is looked at
    once more. ``tell`` is called with every report.
    """
    clock = clock or WallClock()
    end = clock.now() + minutes * 60
    looks, before = 0, None  # type: int, Report | None
    while True:
        report = measure()
        looks += 1
        tell(report)
        twice = before is not None and not before.passed and not report.passed
        over = clock.now() >= end and (report.passed or minutes <= 0)
        if twice or over:
            return Watched(looks, report, report.bad if twice else ())
        before = report
        clock.wait(interval)
