"""The list of cases, and the words to write one with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.consent.hand import Hand

Case = Callable[[Hand], None]
CASES: dict[str, Case] = {}
SINGLE: list[str] = []
"""The cases that are not one of a family."""


def case(made: Case) -> Case:
    """Name a case by its function."""
    name = made.__name__.replace("_", " ")
    assert name not in CASES
    CASES[name] = made
    SINGLE.append(name)
    return made


def family(name: str, *steps: Case) -> None:
    """Add a case that is one of many alike."""
    assert name not in CASES

    def all_steps(h: Hand) -> None:
        for step in steps:
            step(h)

    CASES[name] = all_steps


def change_story(h: Hand, **changes: object) -> None:
    """Story 1, changed."""
    h.story(1, replace(h.world.stories[1], **changes))  # type: ignore[arg-type]  # values of many types


def change_person(h: Hand, n: int = 1, **changes: object) -> None:
    """A person, changed."""
    h.person(n, replace(h.world.people[n], **changes))  # type: ignore[arg-type]  # values of many types
