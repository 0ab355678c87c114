"""Checks of ``<env>/proof/*``: the proof's parts as four blocking checks, and the dry run's one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from ledger_assets.checks.results import SAMPLE, result, spec

if TYPE_CHECKING:
    from ledger_assets.load.report import LoadReport
    from ledger_assets.proof.model import Proof

PARTS = {
    "records": "records in the export = raw records = rows + quarantined + skipped + erased, by id and by hash",
    "cells": "every cell of the export is in its column, or has a verdict that says why not; none is invented",
    "links": "every link is there, in order, on both sides; what Airtable computes is computed again and agrees",
    "files": "every file of the base is stored with its size and SHA-256",
}
VERIFIED = "verified"
SCHEMA = "schema"


def proof_specs(asset: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of the reconciliation."""
    return [spec(asset, name, text) for name, text in PARTS.items()]


def dry_run_spec(asset: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check of the dry run."""
    return spec(asset, VERIFIED, "The load passed its own verification before it was rolled back.")


def dry_run_metadata(report: "LoadReport", page: str) -> dict[str, Any]:
    """What a person wants to know of a dry run."""
    counts = report.tables.values()
    return {
        "inserted": sum(c.inserted for c in counts),
        "updated": sum(c.updated for c in counts),
        "conflicts": sum(c.conflicts for c in counts),
        "committed": report.committed,
        "report": dg.MetadataValue.path(page),
    }


def dry_run_result(asset: dg.AssetKey, report: "LoadReport") -> dg.AssetCheckResult:
    """Result of the dry run's check."""
    failed = [c for c in report.checks if not c.passed]
    return result(
        asset, VERIFIED, not failed, {"failed": [f"{c.table}: {c.name}" for c in failed], "committed": False}
    )


def proof_metadata(proof: "Proof", page: str, schema: str | None) -> dict[str, Any]:
    """What a person wants to know of a proof. ``schema``: the newest migration of the database; a cut-over asks for it."""
    from ledger_assets.proof.report import count_cells

    return {
        "passed": proof.passed,
        "report": dg.MetadataValue.path(page),
        "export": proof.export_id,
        "ledger": proof.ledger_id or "none",
        "database": proof.database,
        SCHEMA: schema or "none",
        "records": sum(r.export for r in proof.records),
        "cells": count_cells(proof),
        "links": sum(link.links for link in proof.links if not link.rows),
        "files": proof.files.files,
        "seconds": proof.seconds,
        "tables": dg.MetadataValue.md(_markdown(proof)),
    }


def proof_results(asset: dg.AssetKey, proof: "Proof") -> list[dg.AssetCheckResult]:
    """The proof's checks, gathered into the four of the asset."""
    results = []
    for name, parts in GATHERED.items():
        judged = [check for check in proof.checks if check.name in parts]
        failed = [check for check in judged if not check.passed]
        words = [f"{check.table} {check.name}: {_facts(check.detail)}" for check in failed]
        results.append(result(asset, name, not failed, {"checked": len(judged), "failed": words[:SAMPLE]}))
    return results


GATHERED = {
    "records": {"records", "export"},
    "cells": {"cells", "columns", "rows", "consent"},
    "links": {"links", "derived"},
    "files": {"files"},
}
"""Check of the asset -> the proof's own checks that it stands for."""


def _facts(detail: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in detail.items() if value)


def _markdown(proof: "Proof") -> str:
    lines = ["| table | export | raw records | proven |", "|---|--:|--:|---|"]
    lines += [
        f"| {r.table} | {r.export} | {r.raw} | {'yes' if r.passed else '**no**'} |" for r in proof.records
    ]
    return "\n".join(lines)
