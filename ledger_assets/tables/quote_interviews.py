"""Which transcripts a quote refers to, n:m, in the order of the quote's own cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger_assets.tables.fields import Mapped, Rule, TableSpec, Transformed
from ledger_assets.tables.links import link_model, read_links

if TYPE_CHECKING:
    from pandera.polars import DataFrameSchema

    from ledger_assets.ledger.source import Source

NAME = "quote_interviews"
LINK = Mapped("Quotes", "Transcript Reference", "interview_id", Rule.LINK, references="interviews")


def model() -> DataFrameSchema:
    """The rows' columns."""
    return link_model(NAME, "quote_id", "quotes", "interview_id", "interviews")


def transform(source: Source) -> Transformed:
    """One row per link of the cell Quotes.Transcript Reference."""
    return read_links(source, NAME, LINK, holder="quote_id", holder_table="quotes")


SPEC = TableSpec(
    name=NAME,
    source=None,
    model=model,
    declares=(LINK,),
    transform=transform,
    depends=("Quotes", "Media"),
    description="Which transcripts a quote refers to.",
)
