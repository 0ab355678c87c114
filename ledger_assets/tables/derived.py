"""Rows that no record stands for: derived from text by a reviewed mapping file, one per thing really
mentioned.

An entry of the file becomes a row when some cell of the export means it, or when another such row needs it;
never from a text that nobody has reviewed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from ledger_assets.ids import row_id
from ledger_assets.tables import findings
from ledger_assets.tables.columns import MOMENT
from ledger_assets.tables.fields import Transformed

if TYPE_CHECKING:
    from ledger_assets.ledger.source import Source

SYSTEM: dict[str, Any] = {
    "id": pl.String,
    "airtable_base_id": pl.String,
    "airtable_table_id": pl.String,
    "airtable_record_id": pl.String,
    "airtable_created_at": MOMENT,
}


def mentioned(source: Source, table: str) -> dict[str, Mapping[str, str]]:
    """Canonical name to facts of every entry of ``table`` that some cell means."""
    texts = source.texts(table)
    return {e.name: e.facts for e in source.mapping(table).entries if not texts.isdisjoint(e.texts)}


def derive(
    source: Source, table: str, rows: Iterable[Mapping[str, str | None]], columns: Iterable[str]
) -> Transformed:
    """The rows of derived table ``table``: ``columns`` (all text) of every mapping in ``rows``, by name."""
    made = [
        {
            "id": row_id(source.base_id, table, str(row["name"])),
            "airtable_base_id": source.base_id,
            **{c: row.get(c) for c in columns},
        }
        for row in sorted(rows, key=lambda row: str(row["name"]))
    ]
    return Transformed(
        rows=pl.DataFrame(made, schema=SYSTEM | dict.fromkeys(columns, pl.String)),
        quarantined=findings.quarantined(),
        skipped=findings.skipped(),
        reported=findings.reported(),
    )
