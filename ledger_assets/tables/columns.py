"""The kinds of column a Pandera model is made of. One function per kind; each column says in words what it
holds.

What belongs here: types, nullability, value sets. What does not: how a cell becomes a value (``cells``), and
the same rules in SQL (``supabase/migrations``): a test compares the two lists of columns.

Pandera is imported when a model is asked for, not before. Cells are NULL or a value of the type: nothing is
coerced, because a model that coerces hides what it was meant to find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from pandera.polars import Column, DataFrameSchema

MOMENT = pl.Datetime("us", "UTC")
UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


def text(description: str, *, required: bool = False, pattern: str | None = None) -> Column:
    """A text of any length. ``required``: neither NULL nor empty."""
    from pandera.polars import Check

    checks = [Check.str_length(min_value=1)] if required else []
    if pattern is not None:
        checks.append(Check.str_matches(pattern))
    return _column(pl.String(), description, required=required, checks=checks)


def choice(description: str, values: Sequence[str], *, required: bool = False) -> Column:
    """One of ``values``."""
    from pandera.polars import Check

    return _column(pl.String(), description, required=required, checks=[Check.isin(list(values))])


def flag(description: str, *, required: bool = True) -> Column:
    """true or false; an absent checkbox is false."""
    return _column(pl.Boolean(), description, required=required)


def integer(description: str, *, minimum: int | None = None, required: bool = False) -> Column:
    """A whole number."""
    from pandera.polars import Check

    checks = [] if minimum is None else [Check.greater_than_or_equal_to(minimum)]
    return _column(pl.Int64(), description, required=required, checks=checks)


def date(description: str) -> Column:
    """A calendar date without time."""
    return _column(pl.Date(), description)


def moment(description: str) -> Column:
    """A point in time, UTC, microseconds."""
    return _column(MOMENT, description)


def texts(description: str) -> Column:
    """A list of texts in Airtable's order."""
    return _column(pl.List(pl.String()), description)


def reference(table: str, *, required: bool = False, description: str = "") -> Column:
    """The id of a row of ``table``."""
    return _column(pl.String(), description or f"id of a row of {table}", required=required)


def model(name: str, columns: Mapping[str, Column], *, unique: Sequence[str] = ()) -> DataFrameSchema:
    """The model of one target table: the system columns and its own, no other column, in this order.

    ``unique``: columns that together name a row once.
    """
    from pandera.polars import Check, DataFrameSchema

    system = {
        "id": _column(
            pl.String(),
            "UUIDv5 of the row's origin",
            required=True,
            unique=True,
            checks=[Check.str_matches(UUID)],
        ),
        "airtable_base_id": text("Airtable base", required=True),
        "airtable_table_id": text("Airtable table; NULL in tables derived from text"),
        "airtable_record_id": text("Airtable record; NULL in tables derived from text"),
        "airtable_created_at": moment("createdTime of the record, which decides the row's month"),
    }
    return DataFrameSchema(
        {**system, **columns}, name=name, strict=True, ordered=True, unique=list(unique) or None
    )


def _column(
    dtype: Any, description: str, *, required: bool = False, unique: bool = False, checks: Sequence[Any] = ()
) -> Column:
    from pandera.polars import Column

    return Column(dtype, checks=list(checks), nullable=not required, unique=unique, description=description)
