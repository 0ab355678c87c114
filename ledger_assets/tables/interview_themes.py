"""Which themes were found in which interview, n:m, in the order of the interview's own cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger_assets.tables.fields import Mapped, Rule, TableSpec, Transformed
from ledger_assets.tables.links import link_model, read_links

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "interview_themes"
LINK = Mapped("Media", "Themes", "theme_id", Rule.LINK, references="themes")


def model() -> DataFrameSchema:
    """The rows' columns."""
    return link_model(NAME, "interview_id", "interviews", "theme_id", "themes")


def transform(source: Source) -> Transformed:
    """One row per link of the cell Media.Themes."""
    return read_links(source, NAME, LINK, holder="interview_id", holder_table="interviews")


SPEC = TableSpec(
    name=NAME,
    source=None,
    model=model,
    declares=(LINK,),
    transform=transform,
    depends=("Media", "Themes"),
    description="Which themes were found in which interview.",
)
