"""Checks of ``<env>/ledger/*``: does every record of the export stand somewhere, and do the rows hold their types."""

from typing import TYPE_CHECKING, Any

import dagster as dg

from ledger_assets.checks.results import result, spec
from ledger_assets.tables.fields import Mapped, Rule, TableSpec

if TYPE_CHECKING:
    from ledger_assets.ledger.store import LedgerManifest

ACCOUNTED = "accounted"
SYMMETRIC = "links_symmetric"


def ledger_specs(asset: dg.AssetKey, table: TableSpec) -> list[dg.AssetCheckSpec]:
    """The checks of one ledger table."""
    checks = []
    if table.source is not None:
        words = "records of the export = rows + quarantined + skipped by a declared rule"
        checks.append(spec(asset, ACCOUNTED, words))
    if is_link(table):
        checks.append(spec(asset, SYMMETRIC, "both sides of the link name the same pairs of records"))
    return checks


def is_link(table: TableSpec) -> bool:
    """True for a link table: its rows are the links of one field."""
    return any(isinstance(d, Mapped) and d.rule is Rule.LINK for d in table.declares)


def table_metadata(built: "LedgerManifest", table: TableSpec) -> dict[str, Any]:
    """What a person wants to know of one ledger table."""
    made = built.table(table.name)
    return {
        "dagster/row_count": made.rows,
        "ledger": built.ledger_id,
        "export": built.export_id,
        "records": made.records,
        "quarantined_records": made.quarantined,
        "quarantined_cells": made.quarantined_cells,
        "skipped": made.skipped,
        "reported": sum(made.reported.values()),
        "sha256": made.sha256,
    }


def ledger_results(
    asset: dg.AssetKey, built: "LedgerManifest", table: TableSpec
) -> list[dg.AssetCheckResult]:
    """Results of the checks of one ledger table."""
    return [result(asset, c.name, c.passed, c.detail) for c in built.checks if c.table == table.name]
