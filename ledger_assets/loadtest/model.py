"""What a load test asks, and what it found. Names, ids, times and SQLSTATEs; never a value that a query answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Role = Literal["anon", "authenticated"]
P95_MS = 500.0
"""The community's strategy: a normal query answers within 500 ms."""


@dataclass(frozen=True)
class Query:
    """One query of the app. ``account``: whose session it is (None: nobody's). ``parameters``: asked in turn, so that
    not one and the same row is asked for a thousand times."""

    name: str
    role: Role
    statement: str
    parameters: tuple[dict[str, object], ...] = ({},)
    account: str | None = None


@dataclass(frozen=True)
class Timing:
    """One query's calls; milliseconds of those that were answered. ``errors``: how many by SQLSTATE."""

    name: str
    role: Role
    calls: int
    p50: float
    p95: float
    p99: float
    errors: dict[str, int]


@dataclass(frozen=True)
class Result:
    """A whole load test."""

    environment: str
    sessions: int
    seconds: float
    timings: tuple[Timing, ...]
    notes: tuple[str, ...]
    unindexed: tuple[str, ...]

    @property
    def calls(self) -> int:
        """All calls, the failed ones too."""
        return sum(one.calls for one in self.timings) + self.failed

    @property
    def failed(self) -> int:
        """Calls that failed."""
        return sum(sum(one.errors.values()) for one in self.timings)

    @property
    def slowest(self) -> float:
        """The largest p95 in milliseconds."""
        return max((one.p95 for one in self.timings), default=0.0)

    @property
    def problems(self) -> tuple[str, ...]:
        """A line for each query that failed, was too slow, or was never asked."""
        return tuple(
            line
            for one in self.timings
            for line, wrong in (
                (f"{one.name} as {one.role} failed {sum(one.errors.values())} times", bool(one.errors)),
                (
                    f"{one.name} as {one.role}: p95 {one.p95:.0f} ms, more than {P95_MS:.0f}",
                    one.p95 > P95_MS,
                ),
                (f"{one.name} as {one.role} was never asked", not one.calls and not one.errors),
            )
            if wrong
        )

    @property
    def passed(self) -> bool:
        """True when every query was asked, answered, and fast enough."""
        return not self.problems

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            **asdict(self),
            "calls": self.calls,
            "failed": self.failed,
            "passed": self.passed,
            "problems": list(self.problems),
        }


def timing(query: Query, milliseconds: Sequence[float], errors: Counter[str]) -> Timing:
    """The percentiles of a query's calls."""
    p50, p95, p99 = (round(percentile(milliseconds, share), 3) for share in (0.5, 0.95, 0.99))
    return Timing(query.name, query.role, len(milliseconds), p50, p95, p99, dict(errors))


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: a time that was really measured, never one between two. 0.0 of nothing."""
    if not values:
        return 0.0
    ranked = sorted(values)
    return ranked[max(0, -(-round(share * 1000) * len(ranked) // 1000) - 1)]
