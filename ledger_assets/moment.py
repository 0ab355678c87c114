"""An environment at one moment: the head of every document that says how it stands.

What belongs here: which environment, which target, when. What does not: what was looked at, and what is made of
it (``health``, ``scorecard``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


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
