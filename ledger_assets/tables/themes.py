"""Themes: one text per transcript, as the analysis wrote it. Equal names are not merged: this is no
vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger_assets.tables import cells, columns
from ledger_assets.tables.fields import (
    Declaration,
    Derived,
    Mapped,
    Recompute,
    Rule,
    TableSpec,
    Transformed,
    lookups,
)

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "themes"
TABLE = "Themes"

DECLARES: tuple[Declaration, ...] = (
    Mapped(TABLE, "Theme Name", "name", Rule.TRIMMED),
    Mapped(TABLE, "Description", "description"),
    Derived(TABLE, "Related Media", Recompute.INVERSE, of="Themes", of_table="Media"),
    Derived(
        TABLE,
        "Storytellers Rollup",
        Recompute.ROLLUP,
        via="Related Media",
        of="Storytellers Name",
        exact=False,
    ),
    *lookups(TABLE, "Related Media", {"Quotes (from Related Media)": "Quotes"}),
)


def model() -> DataFrameSchema:
    """The rows' columns."""
    return columns.model(
        NAME,
        {
            "name": columns.text("the theme", required=True),
            "description": columns.text("what the analysis meant by it"),
        },
    )


def transform(source: Source) -> Transformed:
    """One row per record."""
    return cells.read(source, TABLE, DECLARES, required=("name",))


SPEC = TableSpec(
    name=NAME,
    source=TABLE,
    model=model,
    declares=DECLARES,
    transform=transform,
    depends=(),
    description="Themes, one text per transcript; never merged into a vocabulary.",
    title="name",
)
