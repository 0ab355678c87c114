"""Two catalogues compared: one difference per cause, each named.

What belongs here: what counts as a difference and how it is told in a line. What does not: reading (``catalogue``).

Invariants: an object that is missing or extra is told once, not again for each of its parts; every other object whose
definition differs is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ledger_assets.schema.catalogue import Item

NOTHING = "nothing"
WIDTH = 120
"""Longer definitions are told by their first line that differs; --json has them whole."""


@dataclass(frozen=True)
class Difference:
    """One object that is not as the migrations make it; None: it should not be there, or is not."""

    kind: str
    object: str
    expected: str | None
    found: str | None

    @property
    def line(self) -> str:
        """For a person, in one line."""
        expected, found = _told(self.expected, self.found)
        return f"{self.kind} {self.object}: expected {expected}; found {found}"


def differences(expected: Iterable[Item], found: Iterable[Item]) -> list[Difference]:
    """What differs, ordered by kind and name."""
    wanted = {item.key: item for item in expected}
    present = {item.key: item for item in found}
    one_sided = wanted.keys() ^ present.keys()
    return [
        _difference(wanted.get(key), present.get(key))
        for key in sorted(wanted.keys() | present.keys())
        if (wanted.get(key) != present.get(key))
        and not _within(wanted.get(key) or present[key], one_sided, wanted, present)
    ]


def _difference(wanted: Item | None, present: Item | None) -> Difference:
    either = wanted or present
    assert either is not None
    return Difference(
        either.kind,
        either.name,
        wanted.definition if wanted else None,
        present.definition if present else None,
    )


def _within(item: Item, one_sided: set[str], wanted: Mapping[str, Item], present: Mapping[str, Item]) -> bool:
    """Does it belong to something that is itself missing or extra?"""
    parent = item.parent
    while parent is not None:
        if parent in one_sided:
            return True
        above = wanted.get(parent) or present.get(parent)
        parent = above.parent if above else None
    return False


def _told(expected: str | None, found: str | None) -> tuple[str, str]:
    if expected is None or found is None:
        return _short(expected), _short(found)
    if max(len(expected), len(found)) <= WIDTH and "\n" not in expected + found:
        return expected, found
    ours, theirs = expected.splitlines(), found.splitlines()
    at = next(
        (n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs))
    )
    place = f"line {at + 1} " if max(len(ours), len(theirs)) > 1 else ""
    a, b = _around(_line(ours, at), _line(theirs, at))
    return f"{place}{a}", f"{place}{b}"


def _short(definition: str | None) -> str:
    if definition is None:
        return NOTHING
    text = " ".join(definition.split())
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."


def _line(lines: list[str], at: int) -> str:
    return lines[at].strip() if at < len(lines) else "(the end)"


def _around(ours: str, theirs: str) -> tuple[str, str]:
    """Both cut to where they begin to differ."""
    if max(len(ours), len(theirs)) <= WIDTH:
        return ours, theirs
    same = next(
        (n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs))
    )
    start = max(0, same - 40)
    return _cut(ours, start), _cut(theirs, start)


def _cut(text: str, start: int) -> str:
    before = "..." if start else ""
    after = "..." if len(text) > start + WIDTH else ""
    return f"{before}{text[start : start + WIDTH]}{after}"
