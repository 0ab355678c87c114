"""What the check of the matrix found.

What belongs here: the report and its words. What does not: how it is found (``run``).

Invariants: it holds labels of the world, names of tables, functions, columns and roles, and error codes; never a value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One cell in which the database is not what the matrix says."""

    subject: str
    act: str
    who: str
    expected: frozenset[str]
    seen: frozenset[str]

    def __str__(self) -> str:
        """One line: what should be and is not, and the other way round."""
        parts = [
            f"{word} {' '.join(sorted(labels))}"
            for word, labels in (("more:", self.seen - self.expected), ("less:", self.expected - self.seen))
            if labels
        ]
        return f"{self.subject}, {self.act}, {self.who}: {', '.join(parts)}"


@dataclass(frozen=True)
class AccessReport:
    """``cells``: how many were compared; ``not_run``: what could not be tried here, and why."""

    cells: int
    differences: tuple[Difference, ...]
    not_run: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """True when every cell that was compared is as the matrix says."""
        return not self.differences

    @property
    def lines(self) -> list[str]:
        """The differing cells, one short line each."""
        return [str(difference) for difference in self.differences]


def compare(
    subject: str, act: str, who: str, expected: Iterable[str], seen: Iterable[str]
) -> list[Difference]:
    """The difference, if there is one."""
    difference = Difference(subject, act, who, frozenset(expected), frozenset(seen))
    return [] if difference.expected == difference.seen else [difference]
