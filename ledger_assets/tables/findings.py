"""The frames beside a table's rows: what was quarantined, skipped, or is for a person to decide.

Nothing here knows Airtable or the target. Invariant: these frames hold ids, field names and reasons of ours,
and never a cell's value.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

QUARANTINED = {"table_id": pl.String, "record_id": pl.String, "field": pl.String, "reason": pl.String}
SKIPPED = {"table_id": pl.String, "record_id": pl.String, "rule": pl.String}
REPORTED = {
    "kind": pl.String,
    "table_id": pl.String,
    "record_id": pl.String,
    "field": pl.String,
    "reason": pl.String,
}

UNMAPPED = "unmapped"
DUPLICATE = "duplicate"
MISSING_FILE = "missing_file"
NO_STORYTELLER = "no_storyteller"
AMBIGUOUS_STORYTELLER = "ambiguous_storyteller"


def quarantined(frames: Iterable[pl.DataFrame] = ()) -> pl.DataFrame:
    """The union of frames of quarantined records and cells."""
    return pl.concat([pl.DataFrame(schema=QUARANTINED), *frames])


def skipped(frames: Iterable[pl.DataFrame] = ()) -> pl.DataFrame:
    """The union of frames of skipped records."""
    return pl.concat([pl.DataFrame(schema=SKIPPED), *frames])


def reported(frames: Iterable[pl.DataFrame] = ()) -> pl.DataFrame:
    """The union of frames for a person to decide."""
    return pl.concat([pl.DataFrame(schema=REPORTED), *frames])


def refuse(frame: pl.DataFrame, field: str | None, reason: str | pl.Expr) -> pl.DataFrame:
    """A quarantine entry for ``field`` (None: the whole record) of every row of ``frame`` (system
    columns)."""
    return frame.select(
        pl.col("airtable_table_id").alias("table_id"),
        pl.col("airtable_record_id").alias("record_id"),
        pl.lit(field, dtype=pl.String).alias("field"),
        (pl.lit(reason) if isinstance(reason, str) else reason).alias("reason"),
    )


def tell(frame: pl.DataFrame, kind: str, field: str | None, reason: str | pl.Expr) -> pl.DataFrame:
    """A report entry of ``kind`` for every row of ``frame`` (system columns)."""
    return refuse(frame, field, reason).select(pl.lit(kind).alias("kind"), pl.all())
