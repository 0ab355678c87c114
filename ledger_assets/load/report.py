"""What a load tells: counts, checks, months. Plain data, no database here.

Invariants: counts, names and ids only, never a cell's value; at most :data:`SAMPLE` ids per check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SAMPLE = 20
"""Most ids that one check names."""


@dataclass(frozen=True)
class TableCounts:
    """What a load did to one table.

    staged = inserted + updated + unchanged + conflicts. ``returned`` rows were gone from the source and are
    back (they count as updated or unchanged too); ``deleted`` rows are gone from the source since this load;
    ``left_out`` rows (months only) were not staged, because what they link to is not loaded yet.
    """

    staged: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    conflicts: int = 0
    deleted: int = 0
    returned: int = 0
    left_out: int = 0

    @property
    def written(self) -> int:
        """Rows that this load wrote."""
        return self.inserted + self.updated + self.deleted + self.returned


@dataclass(frozen=True)
class CheckOutcome:
    """One check of one table, judged inside the load's transaction."""

    table: str
    """Target table, or ``airtable.records``, ``airtable.comments``, ``airtable.attachments``."""
    name: str
    passed: bool
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LoadReport:
    """What a load did, or would have done: with ``committed`` False nothing of it is in the database."""

    committed: bool
    load_id: int
    tables: Mapping[str, TableCounts]
    raw: Mapping[str, TableCounts]
    """Raw records by Airtable table id."""
    comments: TableCounts
    attachments: TableCounts
    months: Mapping[str, Mapping[str, int]]
    """Rows by month (its first day, ``YYYY-MM-01``) and table; tables without months are not in it."""
    checks: tuple[CheckOutcome, ...]
    findings: Mapping[str, int]
    """Open findings by kind."""

    @property
    def passed(self) -> bool:
        """True when every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def written(self) -> int:
        """Rows written in all, raw records included."""
        every = (*self.tables.values(), *self.raw.values(), self.comments, self.attachments)
        return sum(counts.written for counts in every)
