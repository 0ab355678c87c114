"""Which transcripts a quote refers to, n:m, in the order of the quote's own cell."""

from __future__ import annotations

from ledger_assets.tables.fields import Mapped, Rule
from ledger_assets.tables.links import link_table

SPEC = link_table(
    "quote_interviews",
    Mapped("Quotes", "Transcript Reference", "interview_id", Rule.LINK, references="interviews"),
    holder="quote_id",
    holder_table="quotes",
    depends=("Quotes", "Media"),
    description="Which transcripts a quote refers to.",
)
