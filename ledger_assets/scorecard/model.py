"""A criterion of the roadmap, and what speaks for it.

Invariant: nothing is taken for met without evidence that names where it stands (a run, an event, a figure asked just now);
where there is none the answer is ``unknown`` with the command that brings it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ledger_assets.moment import Moment

Answer = Literal["met", "not met", "unknown"]
Group = Literal["technical", "business"]


@dataclass(frozen=True)
class Criterion:
    """``name``: the roadmap's words. ``evidence``: what is known. ``command``: what to do where it is not met."""

    name: str
    group: Group
    answer: Answer
    evidence: str
    command: str = ""


@dataclass(frozen=True)
class Scorecard(Moment):
    """All of them at one moment."""

    criteria: tuple[Criterion, ...]

    def of(self, answer: Answer) -> tuple[Criterion, ...]:
        """Those with that answer."""
        return tuple(one for one in self.criteria if one.answer == answer)

    @property
    def passed(self) -> bool:
        """True when none is unmet; one that is not known is no failure, and no success either."""
        return not self.of("not met")

    @property
    def headline(self) -> str:
        """The whole in one sentence."""
        met, unmet, unknown = (len(self.of(one)) for one in ("met", "not met", "unknown"))
        return f"{met} of {len(self.criteria)} criteria met, {unmet} not met, {unknown} not known"

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            **self.head(),
            "passed": self.passed,
            "criteria": [asdict(one) for one in self.criteria],
        }
