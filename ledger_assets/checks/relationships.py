"""Checks of ``<env>/supabase/*``: what the load verified inside its own transaction, per table.

Each judges the whole table, also in a re-migration of one month: check status is per asset, and one good month must
not turn a bad one green.
"""

from typing import TYPE_CHECKING, Any

import dagster as dg

from ledger_assets.checks.results import SAMPLE, result, spec
from ledger_assets.lane import RAW as RAW_RECORDS

if TYPE_CHECKING:
    from ledger_assets.access.report import AccessReport
    from ledger_assets.load.report import CheckOutcome, LoadReport, TableCounts

COUNTS = "counts"
RELATIONSHIPS = "relationships"
CONSENT = "consent"
ACCESS = "access"
STORIES = "stories"


def load_specs(asset: dg.AssetKey, name: str | None = None) -> list[dg.AssetCheckSpec]:
    """The checks of one loaded table (or, name None, of the months)."""
    specs = [
        spec(asset, COUNTS, "The rows in Postgres are those of the ledger, by id and by hash, whole table."),
        spec(asset, RELATIONSHIPS, "Every foreign key and every link finds its other end: orphans 0."),
    ]
    if name == STORIES:
        text = (
            "No story is more open than its people's consents, and what the consent rule keeps is not stale."
        )
        specs.append(spec(asset, CONSENT, text))
    if name == RAW_RECORDS:
        text = (
            "Every role can do in this database what access/matrix.md says, cell by cell, and nothing else."
        )
        specs.append(spec(asset, ACCESS, text))
    return specs


def access_result(asset: dg.AssetKey, report: "AccessReport") -> dg.AssetCheckResult:
    """The result of the access matrix, which was tried in a transaction of its own and rolled back."""
    detail = {"cells": report.cells, "different": report.lines[:SAMPLE], "not_run": list(report.not_run)}
    return result(asset, ACCESS, report.passed, detail)


def load_metadata(report: "LoadReport", name: str | None) -> dict[str, Any]:
    """What a load did to one table, or (name None) to all of them."""
    counts = [c for n, c in _counts(report).items() if name is None or n == name]
    total = {
        field: sum(getattr(c, field) for c in counts)
        for field in ("inserted", "updated", "unchanged", "conflicts", "deleted", "returned", "left_out")
    }
    return {"dagster/row_count": sum(c.staged for c in counts), **total, "load": report.load_id}


def written(report: "LoadReport", name: str) -> int:
    """Rows that the load wrote to one table."""
    return _counts(report)[name].written


def load_results(asset: dg.AssetKey, report: "LoadReport", name: str | None) -> list[dg.AssetCheckResult]:
    """The results of one table's checks, or (name None) of all tables together.

    Results of a load that was rolled back say so: a green check for rows that do not exist would be a lie.
    """
    outcomes = [c for c in report.checks if name is None or asset_name(c.table) == name]
    results = []
    for check in (COUNTS, RELATIONSHIPS, *([CONSENT] if name == STORIES else [])):
        # The months have no check of their own for consent: theirs is among the counts, and as blocking.
        judged = [
            c
            for c in outcomes
            if _judges(c) == check or (name is None and check == COUNTS and _judges(c) == CONSENT)
        ]
        failed = [c for c in judged if not c.passed]
        detail: dict[str, Any] = {"checked": len(judged), "failed": [_words(c) for c in failed][:SAMPLE]}
        if not report.committed:
            detail["committed"] = False
            detail["note"] = "rolled back: nothing of this load is in the database"
        results.append(result(asset, check, not failed, detail))
    return results


def _judges(outcome: "CheckOutcome") -> str:
    """Which check of the asset an outcome belongs to."""
    return outcome.name if outcome.name in (RELATIONSHIPS, CONSENT) else COUNTS


def asset_name(table: str) -> str:
    """Asset of an outcome's table: everything of schema airtable is the raw records' asset."""
    return RAW_RECORDS if table.startswith("airtable.") else table


def _counts(report: "LoadReport") -> "dict[str, TableCounts]":
    from ledger_assets.load.report import TableCounts

    raw = [*report.raw.values(), report.comments, report.attachments]
    fields = TableCounts.__dataclass_fields__
    return {**report.tables, RAW_RECORDS: TableCounts(**{f: sum(getattr(c, f) for c in raw) for f in fields})}


def _words(outcome: "CheckOutcome") -> str:
    facts = ", ".join(f"{name} {value}" for name, value in outcome.detail.items())
    return f"{outcome.table} {outcome.name}: {facts}"
