"""Which themes were found in which interview, n:m, in the order of the interview's own cell."""

from __future__ import annotations

from ledger_assets.tables.fields import Mapped, Rule
from ledger_assets.tables.links import link_table

SPEC = link_table(
    "interview_themes",
    Mapped("Media", "Themes", "theme_id", Rule.LINK, references="themes"),
    holder="interview_id",
    holder_table="interviews",
    depends=("Media", "Themes"),
    description="Which themes were found in which interview.",
)
