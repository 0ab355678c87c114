"""What Dagster knows of an environment's runs, as plain facts: the engine never imports Dagster (``run_facts`` does)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class FailedRun:
    """A run that failed. ``settled``: a later run of the same job, for the same months, did what it did not."""

    run_id: str
    job: str
    at: datetime
    settled: bool = False


@dataclass(frozen=True)
class Rehearsed:
    """The last rehearsal of a recovery; ``seconds``: from the damage being noticed to the database being proven."""

    at: datetime
    run_id: str
    seconds: float
    passed: bool


@dataclass(frozen=True)
class Checked:
    """The last evaluation of a check."""

    at: datetime
    run_id: str
    passed: bool


@dataclass(frozen=True)
class RunFacts:
    """The runs that ended since ``since``, the last rehearsal, the last check of access (of whatever age)."""

    since: datetime
    ended: int
    failed: tuple[FailedRun, ...]
    rehearsal: Rehearsed | None = None
    access: Checked | None = None
