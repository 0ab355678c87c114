"""What a proof says, as data. Counts, table and field names and record ids only: never a cell's value.

What belongs here: the shape of the answer and the one rule what makes it pass. What does not: how it is found
out (the modules beside this one), how it is shown (``report``, ``page``).

Invariant: every part knows by itself whether it ``passed``; the proof passed only when every part did.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger_assets.proof.stored import FilesProof
from ledger_assets.proof.verdicts import FAILING, NOTHING, WITHOUT_CELL, Named, Verdict

if TYPE_CHECKING:
    from ledger_assets.proof.promises import Promise


@dataclass(frozen=True)
class Equation:
    """Records of one Airtable table against one target table: each is in exactly one place, or the equation
    fails."""

    target: str
    records: int
    rows: int
    quarantined: int
    skipped: Mapping[str, int]
    """Number by declared rule."""
    erased: int = 0
    unaccounted: Named = NOTHING
    """Records in the raw records that are neither row, nor quarantined, nor skipped."""
    twice: Named = NOTHING
    """Records in more than one of these, or with more than one row."""
    extra: Named = NOTHING
    """Rows of no record of the export (a deleted record whose row stayed, or an invented row)."""
    deleted_wrongly: Named = NOTHING
    """Rows marked as deleted in Airtable though their record is in the export."""
    created_differs: Named = NOTHING
    """Rows whose ``airtable_created_at`` is not the record's createdTime."""
    made_here: int = 0
    """Rows that never came from Airtable: no part of the equation."""
    partial: bool = False
    """Only some records make a row here (contacts): that none is missing is judged cell by cell."""

    @property
    def problems(self) -> tuple[tuple[str, Named], ...]:
        """What is wrong, in words."""
        return (
            ("neither row, nor quarantined, nor skipped", self.unaccounted),
            ("in more than one place", self.twice),
            ("rows of no record of the export", self.extra),
            ("marked as deleted though in the export", self.deleted_wrongly),
            ("created time differs", self.created_differs),
        )

    @property
    def text(self) -> str:
        """The equation as it is read."""
        if self.partial:
            return f"{self.rows} rows, each of a record"
        skipped = "".join(f" + {count} skipped ({rule})" for rule, count in self.skipped.items())
        right = f"{self.rows} rows + {self.quarantined} quarantined{skipped} + {self.erased} erased"
        return f"{self.records} records = {right}"

    @property
    def passed(self) -> bool:
        """Whether both sides are equal, id by id."""
        right = self.rows + self.quarantined + sum(self.skipped.values()) + self.erased
        return self.records == right and not any(found for _, found in self.problems)


@dataclass(frozen=True)
class Records:
    """One Airtable table: export = raw records by id and hash, then one equation per target table."""

    table_id: str
    table: str
    export: int
    raw: int
    manifest: int
    """Records by the export's manifest."""
    manifest_agrees: bool
    """Whether ids and content, hashed anew from Postgres, are what the manifest says."""
    missing: Named
    extra: Named
    altered: Named
    deleted_wrongly: Named
    """Raw records marked as deleted in Airtable though they are in the export."""
    hash_stale: Named
    """Raw records whose stored sha256 is not that of their text."""
    fields_differ: Named
    """Raw records whose columns (fields, created time) are not what their text says."""
    comments_export: int
    comments_raw: int
    comments_differ: Named = NOTHING
    """Comments whose exact text is on one side only. Named: their records."""
    comments_whole: bool = True
    """Whether the export holds as many comments as its manifest says."""
    readdressed: int = 0
    """Raw records that are the export's but for the addresses of files, which Airtable signs anew every
    time."""
    equations: tuple[Equation, ...] = ()
    erased: int = 0
    """Records of Airtable that the export left out, because people had them erased."""
    redacted: int = 0
    """Records of others of which it left out cells that could repeat erased words."""

    @property
    def airtable(self) -> int:
        """Records in Airtable when it was exported."""
        return self.export + self.erased

    @property
    def raw_passed(self) -> bool:
        """Whether the raw records are the export's, to the byte."""
        found = (
            self.missing,
            self.extra,
            self.altered,
            self.deleted_wrongly,
            self.hash_stale,
            self.fields_differ,
        )
        return self.export == self.raw == self.manifest and self.manifest_agrees and not any(found)

    @property
    def passed(self) -> bool:
        """Whether everything about the table's records holds."""
        return self.raw_passed and self.comments_passed and all(e.passed for e in self.equations)

    @property
    def comments_passed(self) -> bool:
        """Whether the comments are the export's, to the byte."""
        return self.comments_whole and not self.comments_differ and self.comments_export == self.comments_raw


@dataclass(frozen=True)
class FieldProof:
    """One field in one destination (a field may be mapped to several columns)."""

    table: str
    field_id: str
    field: str
    type: str
    destination: str
    """``stories.title``, or why there is no column."""
    rule: str
    source: int
    """Cells counted from the export's text."""
    raw: int
    """Cells counted in the raw records in Postgres."""
    errors_source: int
    errors_raw: int
    """Cells that hold an error of Airtable's (counted like any other: never dropped)."""
    verdicts: Mapping[Verdict, int]
    named: Mapping[Verdict, Named] = dataclasses.field(default_factory=dict)
    """The record ids of failing verdicts."""
    problem: str = ""
    """What fails apart from single cells: the field is declared nowhere, its column does not exist."""

    @property
    def judged(self) -> int:
        """Cells of the source that have a verdict."""
        return sum(n for verdict, n in self.verdicts.items() if verdict not in WITHOUT_CELL)

    @property
    def passed(self) -> bool:
        """Whether every cell is accounted for and nothing was invented."""
        counts = self.source == self.raw == self.judged and self.errors_source == self.errors_raw
        return counts and not self.problem and not any(self.verdicts.get(verdict) for verdict in FAILING)


@dataclass(frozen=True)
class LinkProof:
    """Links of one field against their rows (``against`` a link table), or against the field on the other
    side."""

    table: str
    field: str
    against: str
    links: int
    found: int
    rows: bool = False
    """Compared with rows; else with the field on the other side, so that every link field of the base is
    once."""
    rejected: int = 0
    changed: int = 0
    missing: Named = NOTHING
    extra: Named = NOTHING
    reordered: Named = NOTHING
    dangling: Named = NOTHING
    """Links to records that the export does not have though it has their table."""
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether both sides hold the same links in the same order."""
        return not any((self.missing, self.extra, self.reordered, self.dangling))


@dataclass(frozen=True)
class DerivedProof:
    """One computed field, recomputed from the raw records and compared with Airtable's own value."""

    table: str
    field: str
    how: str
    cells: int
    agree: int = 0
    fewer: int = 0
    """Airtable shows less than there is: a condition on the field, which its metadata does not report. No
    loss: a loss on our side would show as Airtable having more."""
    differ: Named = NOTHING
    not_comparable: int = 0
    reason: str = ""
    """Why cells are not comparable."""
    exact: bool = True
    """False: a difference is only reported."""
    redacted: int = 0
    """Cells that the export left out because they could repeat what people had erased: not judged."""

    @property
    def passed(self) -> bool:
        """Whether Airtable shows nothing that cannot be recomputed from what is kept."""
        return not (self.exact and self.differ)


@dataclass(frozen=True)
class Notice:
    """Something a person should know that is no loss by itself, and alarms (``alarm``), which fail the
    proof."""

    table: str
    text: str
    alarm: bool = False


@dataclass(frozen=True)
class Check:
    """One line for machines: does it hold, and the counts and ids behind it."""

    table: str
    name: str
    passed: bool
    detail: Mapping[str, int | str | list[str]]


@dataclass(frozen=True)
class Proof:
    """The whole answer."""

    base_id: str
    export_id: str
    ledger_id: str | None
    database: str
    started_at: str
    finished_at: str
    seconds: float
    records: tuple[Records, ...]
    fields: tuple[FieldProof, ...]
    links: tuple[LinkProof, ...]
    derived: tuple[DerivedProof, ...]
    files: FilesProof
    findings: Mapping[str, int]
    """Open findings by kind."""
    notices: tuple[Notice, ...] = ()
    rows: tuple[Notice, ...] = ()
    """Columns of target tables that are not what the ledger loaded."""
    promises: tuple[Promise, ...] = ()
    about: tuple[Notice, ...] = ()
    """What Postgres keeps about the export itself and is not so."""

    @property
    def passed(self) -> bool:
        """Whether nothing was lost and nothing was invented."""
        return all(check.passed for check in self.checks)

    @property
    def checks(self) -> list[Check]:
        """Every part of the proof as one check per Airtable table and name."""
        from ledger_assets.proof.checks import checks_of

        return checks_of(self)
