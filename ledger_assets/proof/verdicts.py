"""The words of a proof: what became of one cell, and how much of what is wrong is named.

Shared by everything that judges, counts or shows; no judgement here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SAMPLE = 20
"""Most record ids that anything names."""


@dataclass(frozen=True)
class Named:
    """How many there are, and the ids of the first :data:`SAMPLE`."""

    count: int = 0
    ids: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.count > 0


NOTHING = Named()


class Verdict(StrEnum):
    """What became of one cell in one column."""

    SAME = "same"
    NORMALISED = "normalised"
    """The column holds what the named rule makes of the cell."""
    REJECTED = "rejected"
    """The column is empty, and a finding names this very record and field."""
    SKIPPED = "skipped"
    """The record makes no row in this table, by a declared rule."""
    CHANGED = "changed"
    """Somebody changed the row in Postgres since: ``locally_changed``."""
    CONFLICT = "conflict"
    """Changed there and in Airtable: reported, and not written."""
    DERIVED = "derived"
    RAW_ONLY = "raw_only"
    MISSING = "missing"
    """The cell is in the export and not in the column: a loss."""
    DIFFERENT = "different"
    """The column holds something else: a loss."""
    EXTRA = "extra"
    """The column holds something where the export has nothing: invented."""
    ADDED = "added"
    """The same, but somebody added it in Postgres: ``locally_changed``."""


FAILING = frozenset({Verdict.MISSING, Verdict.DIFFERENT, Verdict.EXTRA})
WITHOUT_CELL = frozenset({Verdict.EXTRA, Verdict.ADDED})
"""Verdicts on a column where the source has no cell."""
