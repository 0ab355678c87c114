"""Which interviews a story is made from, n:m, in the order of the story's own cell."""

from __future__ import annotations

from ledger_assets.tables.fields import Mapped, Rule
from ledger_assets.tables.links import link_table

SPEC = link_table(
    "story_interviews",
    Mapped("Stories", "Media", "interview_id", Rule.LINK, references="interviews"),
    holder="story_id",
    holder_table="stories",
    depends=("Stories", "Media"),
    description="Which interviews a story is made from.",
)
