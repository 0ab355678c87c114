"""Months: the first day of the UTC month of a record's Airtable createdTime, which never changes.

Records older than the first month belong to it; rows without a createdTime (derived tables) have no month.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

import polars as pl

from ledger_assets.errors import SettingsError

COLUMN = "airtable_created_at"


def month_key(created: datetime, first_month: date) -> str:
    """The month's key, ``YYYY-MM-01``."""
    return max(created.astimezone(UTC).date().replace(day=1), first_month.replace(day=1)).isoformat()


def month_keys(frame: pl.DataFrame, first_month: date) -> pl.Series:
    """The month's key of each row, null where the row has none."""
    first = pl.lit(first_month.replace(day=1))
    month = pl.col(COLUMN).dt.convert_time_zone("UTC").dt.date().dt.month_start()
    chosen = pl.when(month < first).then(first).otherwise(month).dt.strftime("%Y-%m-%d")
    return frame.select(month=chosen).to_series()


def parse_months(months: Sequence[str]) -> tuple[str, ...]:
    """Keys of ``2025-01`` or ``2025-01-01``, sorted. Raises :class:`SettingsError` naming the one that is
    neither.
    """
    keys = set()
    for month in months:
        match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])(-01)?", month)
        if match is None:
            raise SettingsError(f"month {month!r} is not a month; write it as 2025-01")
        keys.add(f"{match[1]}-{match[2]}-01")
    if not keys:
        raise SettingsError("no month is named; name months as 2025-01 or load everything")
    return tuple(sorted(keys))
