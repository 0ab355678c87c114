"""Authorship: who told which story, n:m, in the order of the story's own cell. All of them, not the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger_assets.tables.fields import Mapped, Rule, TableSpec, Transformed
from ledger_assets.tables.links import link_model, read_links

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "authorship"
LINK = Mapped("Stories", "Storytellers", "storyteller_id", Rule.LINK, references="storytellers")


def model() -> DataFrameSchema:
    """The rows' columns."""
    return link_model(NAME, "story_id", "stories", "storyteller_id", "storytellers")


def transform(source: Source) -> Transformed:
    """One row per link of the cell Stories.Storytellers."""
    return read_links(source, NAME, LINK, holder="story_id", holder_table="stories")


SPEC = TableSpec(
    name=NAME,
    source=None,
    model=model,
    declares=(LINK,),
    transform=transform,
    depends=("Stories", "Storytellers"),
    description="Who told which story, in the order of the story's own cell.",
)
