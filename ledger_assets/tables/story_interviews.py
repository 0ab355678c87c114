"""Which interviews a story is made from, n:m, in the order of the story's own cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger_assets.tables.fields import Mapped, Rule, TableSpec, Transformed
from ledger_assets.tables.links import link_model, read_links

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "story_interviews"
LINK = Mapped("Stories", "Media", "interview_id", Rule.LINK, references="interviews")


def model() -> DataFrameSchema:
    """The rows' columns."""
    return link_model(NAME, "story_id", "stories", "interview_id", "interviews")


def transform(source: Source) -> Transformed:
    """One row per link of the cell Stories.Media."""
    return read_links(source, NAME, LINK, holder="story_id", holder_table="stories")


SPEC = TableSpec(
    name=NAME,
    source=None,
    model=model,
    declares=(LINK,),
    transform=transform,
    depends=("Stories", "Media"),
    description="Which interviews a story is made from.",
)
