"""Moments: how records and messages write a time, and an environment at one moment, the head of every document on it.

What belongs here: which environment, which target, when, and how that is written. What does not: what was looked at, and
what is made of it (``health``, ``scorecard``); the times that the public reads (``announce.window``).

Invariant: a time that is kept or told is in UTC and says so, whatever zone it was given in: of two lines of one night nobody
need guess which came first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


def utc(at: datetime) -> str:
    """Such as ``2026-12-05 16:00 UTC``, for a message. A time without a zone is a fault of ours."""
    return f"{aware(at):%Y-%m-%d %H:%M} UTC"


def kept(value: object) -> str:
    """What JSON does not know, for a record: a time as ``2026-12-05T16:00:00+00:00``, anything else as its text."""
    return aware(value).isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def aware(at: datetime) -> datetime:
    """The same moment in UTC. Raises ValueError for one without a zone: it would be taken for this machine's."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(UTC)


@dataclass(frozen=True)
class Moment:
    """Which environment, whose database, when."""

    environment: str
    target: str
    at: datetime

    def head(self) -> dict[str, Any]:
        """For programs."""
        return {
            "environment": self.environment,
            "target": self.target,
            "at": self.at.isoformat(timespec="seconds"),
        }
