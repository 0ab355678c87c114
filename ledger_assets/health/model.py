"""A measure, and all of them at one moment.

Invariant: every text is of counts, ids, times and names of tables and roles; never a cell's value, nor a query's text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ledger_assets.moment import Moment

State = Literal["ok", "warn", "bad", "unknown"]
ORDER: tuple[State, ...] = ("bad", "warn", "unknown", "ok")
"""The first things first."""
SAMPLE = 20
"""Most ids or names that one measure tells."""


@dataclass(frozen=True)
class Measure:
    """One thing looked at. ``threshold``: from where on it is no longer ok, and why; ``remedy``: what to do then."""

    name: str
    state: State
    value: str
    threshold: str
    remedy: str = ""
    group: str = "Further"
    """Under which heading the page shows it."""


@dataclass(frozen=True)
class Report(Moment):
    """All measures of an environment at one moment."""

    measures: tuple[Measure, ...]

    def of(self, state: State) -> tuple[Measure, ...]:
        """Those in that state."""
        return tuple(one for one in self.measures if one.state == state)

    @property
    def bad(self) -> tuple[str, ...]:
        """Names of those that are bad."""
        return tuple(one.name for one in self.of("bad"))

    @property
    def passed(self) -> bool:
        """True when nothing is bad."""
        return not self.bad

    @property
    def headline(self) -> str:
        """The whole in one sentence."""
        bad, warn, unknown = (len(self.of(state)) for state in ORDER[:3])
        rest = ", ".join(
            part for part, count in ((f"{warn} to look at", warn), (f"{unknown} not known", unknown)) if count
        )
        if bad:
            named = ", ".join(name.replace("_", " ") for name in self.bad)
            return f"{bad} of {len(self.measures)} measures bad: {named}" + (f" ({rest})" if rest else "")
        return f"No measure of {len(self.measures)} is bad" + (f" ({rest})" if rest else "")

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            **self.head(),
            "passed": self.passed,
            "measures": [asdict(one) for one in self.measures],
        }


def graded(value: float, *, warn: float, bad: float) -> State:
    """``bad`` from ``bad`` on, ``warn`` from ``warn`` on."""
    return "bad" if value >= bad else "warn" if value >= warn else "ok"


def named(names: Iterable[str]) -> str:
    """At most :data:`SAMPLE` of them, and how many more."""
    every = list(names)
    more = len(every) - SAMPLE
    return ", ".join(every[:SAMPLE]) + (f" and {more} more" if more > 0 else "")


def span(seconds: float) -> str:
    """A time for a person: ``45 s``, ``12 min``, ``5.5 h``, ``9 days``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"


def size(count: float) -> str:
    """Bytes for a person."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
