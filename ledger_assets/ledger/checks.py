"""Checks of a ledger before anything is loaded: is every record accounted for, do both sides of a link agree,
do the rows hold their models. Counts, names and record ids only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from ledger_assets.errors import CheckFailed
from ledger_assets.ledger.store import LedgerCheck
from ledger_assets.tables.fields import Derived, Mapped, Recompute, Rule, TableSpec, Transformed

if TYPE_CHECKING:
    from ledger_assets.ledger.source import Source

ACCOUNTED, SYMMETRIC = "accounted", "links_symmetric"
SAMPLE = 20


def validate(spec: TableSpec, rows: pl.DataFrame) -> None:
    """Raise :class:`CheckFailed` unless ``rows`` hold the model: table, column, rule, row ids; never a
    value."""
    from pandera.errors import SchemaErrors

    try:
        spec.model().validate(rows, lazy=True)
    except SchemaErrors as errors:
        # Not its message and not the column failure_case: both hold values.
        cases = errors.failure_cases.select("column", "check", "index")
        faults = sorted({f"{column or 'columns'}: {check}" for column, check, _ in cases.iter_rows()})
        failing = rows[cases["index"].drop_nulls().unique().sort().head(SAMPLE).to_list()]
        ids = failing.select(pl.coalesce("airtable_record_id", "id")).to_series().to_list()
        raise CheckFailed(
            f"ledger table {spec.name} does not hold its model ({'; '.join(faults)}); records "
            f"{', '.join(ids) or 'none in particular'}; correct ledger_assets/tables/{spec.name}.py or the "
            "reviewed mapping file"
        ) from None


def accounted(source: Source, spec: TableSpec, made: Transformed) -> LedgerCheck:
    """Records of the export = rows + whole records quarantined + skipped, by id set; and nobody in two
    places."""
    assert spec.source is not None
    read = source.read(spec.source)
    whole = made.quarantined.filter(pl.col("field").is_null())
    places = [_ids(made.rows, "airtable_record_id"), _ids(whole), _ids(made.skipped)]
    placed = pl.concat(places)
    given = pl.concat([_ids(read.records, "airtable_record_id"), _ids(read.skipped)])
    lost = given.join(placed, on="id", how="anti")["id"].unique()
    twice = placed.filter(pl.col("id").is_duplicated())["id"].unique()
    delivered = made.rows.height + whole.height + made.skipped.height
    return LedgerCheck(
        spec.name,
        ACCOUNTED,
        lost.is_empty() and twice.is_empty() and placed.height == read.total == delivered,
        {
            "records": read.total,
            "rows": made.rows.height,
            "quarantined": places[1].height,
            "skipped": places[2].height,
            "lost": lost.sort().head(SAMPLE).to_list(),
            "twice": twice.sort().head(SAMPLE).to_list(),
        },
    )


def _ids(frame: pl.DataFrame, column: str = "record_id") -> pl.DataFrame:
    return frame.select(id=column).unique()


def symmetric(source: Source, specs: Sequence[TableSpec], spec: TableSpec) -> LedgerCheck:
    """Both sides of the links that ``spec`` declares name the same pairs; a one-way link has nothing to
    compare."""
    link = next(d for d in spec.declares if isinstance(d, Mapped) and d.rule is Rule.LINK)
    inverse = _inverse(specs, link)
    if inverse is None:
        return LedgerCheck(spec.name, SYMMETRIC, passed=True, detail={"inverse": "none: a one-way link"})
    here = _pairs(source, link.table, link.field)
    there = _pairs(source, inverse.table, inverse.field).select(one="other", other="one")
    only_here = here.join(there, on=["one", "other"], how="anti")
    only_there = there.join(here, on=["one", "other"], how="anti")
    return LedgerCheck(
        spec.name,
        SYMMETRIC,
        only_here.is_empty() and only_there.is_empty(),
        {
            "links": here.height,
            f"only in {link.table}": only_here.height,
            f"only in {inverse.table}": only_there.height,
            "records": sorted({*only_here["one"].to_list(), *only_there["one"].to_list()})[:SAMPLE],
        },
    )


def _inverse(specs: Sequence[TableSpec], link: Mapped) -> Derived | None:
    wanted = (Recompute.INVERSE, link.field, link.table)
    declared = (d for spec in specs for d in spec.declares if isinstance(d, Derived))
    return next((d for d in declared if (d.how, d.of, d.of_table) == wanted), None)


def _pairs(source: Source, table: str, field: str) -> pl.DataFrame:
    cells = source.records(table).select(one="airtable_record_id", other=pl.col(field))
    return cells.explode("other").filter(pl.col("other").is_not_null()).unique(maintain_order=True)
