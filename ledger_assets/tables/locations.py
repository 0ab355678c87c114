"""Locations: derived from the Location fields of Storytellers and Media, by ``mappings/locations.toml``.

The country comes from the reviewed file alone: no place is in Australia because most are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger_assets.tables import columns
from ledger_assets.tables.derived import derive, mentioned
from ledger_assets.tables.fields import TableSpec, Transformed

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "locations"
KINDS = ("town", "city", "island", "region", "country")


def model() -> DataFrameSchema:
    """The rows' columns."""
    return columns.model(
        NAME,
        {
            "name": columns.text("canonical name", required=True),
            "kind": columns.choice("what it is", KINDS, required=True),
            "state": columns.text("state or territory, where the file says one"),
            "country": columns.text("ISO 3166-1 alpha-2", required=True, pattern="^[A-Z]{2}$"),
        },
        unique=("name",),
    )


def transform(source: Source) -> Transformed:
    """One row per place that a storyteller or an interview names."""
    rows = ({"name": name, **facts} for name, facts in mentioned(source, NAME).items())
    return derive(source, NAME, rows, ("name", "kind", "state", "country"))


SPEC = TableSpec(
    name=NAME,
    source=None,
    model=model,
    declares=(),
    transform=transform,
    depends=("Storytellers", "Media"),
    description="Places, derived from text by locations.toml; the country is never guessed.",
    title="name",
)
