"""Link cells to link rows: n:m, one row per link, the cell's order kept in ``position`` (from 1).

A link whose other end has no row (not in the export, quarantined, blank) makes no row either: the cell is
quarantined, the reason names the record. No link is dropped without that, also not the second link of a field
that "prefers" one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ledger_assets.tables import columns, findings
from ledger_assets.tables.fields import SYSTEM_COLUMNS, Mapped, TableSpec, Transformed

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source


def link_table(
    name: str,
    cell: Mapped,
    *,
    holder: str,
    holder_table: str,
    depends: tuple[str, ...],
    description: str,
) -> TableSpec:
    """Everything about link table ``name``: one row per link of ``cell``. ``holder``: the column of the row of
    ``holder_table`` that holds the cell."""

    def model() -> DataFrameSchema:
        return _model(name, cell, holder, holder_table)

    def transform(source: Source) -> Transformed:
        return _read(source, name, cell, holder, holder_table)

    return TableSpec(
        name=name,
        source=None,
        model=model,
        declares=(cell,),
        transform=transform,
        depends=depends,
        description=description,
    )


def _read(source: Source, name: str, mapped: Mapped, holder: str, holder_table: str) -> Transformed:
    """The rows of link table ``name``: ``holder`` (id of the record that holds the cell, a row of
    ``holder_table``) and ``mapped.column`` (id of the record it names)."""
    assert mapped.references is not None
    links = _links(source, mapped, holder_table, mapped.references)
    known, repeated = pl.col("target").is_not_null(), pl.col("repeated")
    rows = links.filter(known & ~repeated).select(
        source.ids(name, links.filter(known & ~repeated), "airtable_record_id", "to").alias("id"),
        *SYSTEM_COLUMNS[1:],
        pl.col("id").alias(holder),
        pl.col("target").alias(mapped.column),
        "position",
    )
    no_row = pl.format("link to {}, which has no row in {}", "to", pl.lit(mapped.references))
    twice = pl.format("link to {} stands there more than once", "to")
    return Transformed(
        rows=rows,
        quarantined=findings.quarantined(
            [
                source.rejected(mapped.table)
                .filter(pl.col("field") == mapped.field)
                .join(
                    _rows(source, holder_table),
                    left_on="record_id",
                    right_on="airtable_record_id",
                    how="semi",
                ),
                links.filter(~known).pipe(findings.refuse, mapped.field, no_row),
                links.filter(known & repeated).pipe(findings.refuse, mapped.field, twice),
            ]
        ),
        skipped=findings.skipped(),
        reported=findings.reported(),
    )


def _model(name: str, mapped: Mapped, holder: str, holder_table: str) -> DataFrameSchema:
    assert mapped.references is not None
    return columns.model(
        name,
        {
            holder: columns.reference(holder_table, required=True),
            mapped.column: columns.reference(mapped.references, required=True),
            "position": columns.integer("place in the cell, from 1", minimum=1, required=True),
        },
        unique=(holder, mapped.column),
    )


def _links(source: Source, mapped: Mapped, holder_table: str, target_table: str) -> pl.DataFrame:
    """One row per link: system columns of the holder, ``to``, ``target`` (its id or NULL), ``repeated``."""
    cells = source.records(mapped.table).select(*SYSTEM_COLUMNS, to=pl.col(mapped.field))
    return (
        cells.filter(pl.col("to").is_not_null())
        .join(_rows(source, holder_table), on="airtable_record_id", how="semi", maintain_order="left")
        .with_columns(position=pl.int_ranges(1, pl.col("to").list.len() + 1, dtype=pl.Int64))
        .explode("to", "position")
        .filter(pl.col("to").is_not_null())
        .with_columns(repeated=pl.struct("airtable_record_id", "to").is_first_distinct().not_())
        .join(
            _rows(source, target_table).select(to="airtable_record_id", target="id"),
            on="to",
            how="left",
            maintain_order="left",
        )
    )


def _rows(source: Source, table: str) -> pl.DataFrame:
    return source.transformed(table).rows.select("airtable_record_id", "id")
