"""Authorship: who told which story, n:m, in the order of the story's own cell. All of them, not the first."""

from __future__ import annotations

from ledger_assets.tables.fields import Mapped, Rule
from ledger_assets.tables.links import link_table

SPEC = link_table(
    "authorship",
    Mapped("Stories", "Storytellers", "storyteller_id", Rule.LINK, references="storytellers"),
    holder="story_id",
    holder_table="stories",
    depends=("Stories", "Storytellers"),
    description="Who told which story, in the order of the story's own cell.",
)
