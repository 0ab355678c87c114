"""The dry run's report: what the load would do, and what reading the base costs under Airtable's limits.

What belongs here: counts, calls, minutes, and their page. What does not: the load itself (it was executed and
rolled back before this), the proof.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from markupsafe import Markup

from ledger_assets.environment import REQUESTS_PER_SECOND
from ledger_assets.extract.export import Export
from ledger_assets.extract.inventory import MONTHLY_CALLS, calls_needed
from ledger_assets.load.report import LoadReport, TableCounts
from ledger_assets.proof.charts import Part, bar, columns
from ledger_assets.proof.page import KINDS, Failure, Tile, environment
from ledger_assets.proof.verdicts import Named

PARTS = {
    "inserted": ("same", "new"),
    "updated": ("normalised", "changed"),
    "unchanged": ("raw_only", "unchanged"),
    "conflicts": ("conflict", "conflicts"),
    "deleted": ("rejected", "gone"),
}
"""Counts of a load: the colour and the words of each."""


@dataclass(frozen=True)
class DryRun:
    """A load that was executed and rolled back, and what its export costs."""

    report: LoadReport
    base_id: str
    export_id: str
    table_names: Mapping[str, str]
    """Airtable tables by id."""
    records: int
    calls: int
    minutes: float
    """At Airtable's limit of requests per second and base, without the files."""
    share_of_plan: Mapping[str, float]
    """Share of a plan's monthly calls that one such export takes."""

    @property
    def headline(self) -> str:
        """What would happen, in one sentence."""
        if not self.report.passed:
            failed = sum(not check.passed for check in self.report.checks)
            return (
                f"This migration would be refused: {failed} of {len(self.report.checks)} checks failed. "
                "Nothing was written."
            )
        rows = sum(counts.written for counts in self.report.tables.values())
        raw = sum(counts.written for counts in self.report.raw.values())
        return (
            f"This migration would write {rows:,} rows and {raw:,} raw records. "
            "It was executed whole and rolled back: nothing was written."
        )


def make_dry_run(report: LoadReport, export: Export) -> DryRun:
    """Put the load's report and the cost of its export together."""
    calls = calls_needed(export)
    return DryRun(
        report=report,
        base_id=export.manifest.base_id,
        export_id=export.export_id,
        table_names={table.id: table.name for table in export.manifest.tables},
        records=sum(table.records for table in export.manifest.tables),
        calls=calls,
        minutes=calls / REQUESTS_PER_SECOND / 60,
        share_of_plan={plan: calls / quota for plan, quota in MONTHLY_CALLS.items()},
    )


def dry_document(dry: DryRun) -> dict[str, Any]:
    """The dry run as plain data: the load's report, and beside it the headline and the cost."""
    found = asdict(dry)
    return {"headline": dry.headline, **found.pop("report"), **found}


def render_dry_run(dry: DryRun, *, database: str, target: str = "", run_id: str = "") -> str:
    """The dry run's page, in the proof's clothes."""
    report = dry.report
    names = {**{name: f"public.{name}" for name in report.tables}}
    rows = [(names[name], counts) for name, counts in report.tables.items()]
    raw = [(dry.table_names.get(table_id, table_id), counts) for table_id, counts in report.raw.items()]
    return (
        environment()
        .get_template("dry_run.html.j2")
        .render(
            dry=dry,
            report=report,
            title="Dry run of a migration",
            headline=dry.headline,
            passed=report.passed,
            database=database,
            target=target,
            run_id=run_id,
            tiles=_tiles(report),
            failures=[
                Failure(check.table, check.name, Named(int(check.detail.get("count", 0)), _ids(check.detail)))
                for check in report.checks
                if not check.passed
            ],
            groups=[("Target tables", rows), ("Raw records", raw)],
            parts=PARTS,
            kinds=KINDS,
            plans=MONTHLY_CALLS,
            counts_bar=counts_bar,
            share_bar=share_bar,
            months=Markup(columns(_months(report))),  # noqa: S704  # charts escapes every text
        )
    )


def counts_bar(counts: TableCounts) -> Markup:
    """What would become of one table's rows."""
    parts = [Part(kind, getattr(counts, name), words) for name, (kind, words) in PARTS.items()]
    return Markup(bar(parts, counts.staged + counts.deleted))  # noqa: S704  # charts escapes every text


def share_bar(share: float) -> Markup:
    """The part of a plan's monthly calls."""
    part = Part("rejected" if share > 0.5 else "same", round(share * 1000), "thousandths of the month")
    return Markup(bar([part], 1000))  # noqa: S704  # charts escapes every text


def _tiles(report: LoadReport) -> list[Tile]:
    total = Counter[str]()
    for counts in report.tables.values():
        total.update({name: getattr(counts, name) for name in PARTS})
    tiles = [
        Tile(words.capitalize(), total[name], "rows", True, "tables") for name, (_, words) in PARTS.items()
    ]
    return [*tiles, Tile("Findings", sum(report.findings.values()), "for a person", True, "findings")]


def _months(report: LoadReport) -> list[tuple[str, int]]:
    """Rows by month, months without any included."""
    rows = {month[:7]: sum(tables.values()) for month, tables in report.months.items()}
    if not rows:
        return []
    (year, month), last = map(int, min(rows).split("-")), max(rows)
    found = []
    while (label := f"{year:04d}-{month:02d}") <= last:
        found.append((label, rows.get(label, 0)))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return found


def _ids(detail: Mapping[str, Any]) -> tuple[str, ...]:
    found = detail.get("ids", ())
    return tuple(map(str, found)) if isinstance(found, list | tuple) else ()
