"""What happened, as the records tell it: lines in time, steps against the timetable, failures and what undid them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger_assets.records.compared import Change


@dataclass(frozen=True)
class Line:
    """One thing that happened. ``source``: the table that tells of it; ``outcome`` as there."""

    at: datetime
    what: str
    outcome: str
    who: str
    run_id: str | None
    facts: str
    source: str


@dataclass(frozen=True)
class Step:
    """One step of the timetable; ``planned`` None: no MIGRATION_AT was set."""

    name: str
    planned: datetime | None
    done: datetime | None

    @property
    def late(self) -> timedelta | None:
        """How much later than planned; negative: earlier."""
        return None if self.planned is None or self.done is None else self.done - self.planned


@dataclass(frozen=True)
class Failure:
    """Something that failed or was refused. ``after``: what undid it, or did it at last; None: nothing did."""

    line: Line
    after: Line | None
    how: str


@dataclass(frozen=True)
class Review:
    """The whole report."""

    environment: str
    target: str
    since: datetime
    until: datetime
    zone: str
    steps: tuple[Step, ...]
    lines: tuple[Line, ...]
    failures: tuple[Failure, ...]
    before: str | None
    """When the first of the two inventories was counted; None: there is none."""
    after: str | None
    figures: tuple[Change, ...]
    findings: dict[str, int]
    snapshots: str
    """The list of snapshots in a sentence."""
