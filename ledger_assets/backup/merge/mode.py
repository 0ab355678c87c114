"""How much of a snapshot a restore brings back, and what it may touch.

What belongs here: the words for it. What does not: what each means for a table (``rules``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

Record = tuple[str, str, str]
"""Base, table and record id of Airtable."""


@dataclass(frozen=True)
class Mode:
    """``lost``: rows that are gone. ``exact``: as in the snapshot. ``table``, ``storyteller``: a part, exactly."""

    kind: str
    table: str | None = None
    storyteller: str | None = None
    """The row's id, or the record's id in Airtable."""

    @classmethod
    def of_table(cls, name: str) -> Mode:
        """One table; ``public`` unless a schema is named."""
        return cls("table", table=name if "." in name else f"public.{name}")

    @classmethod
    def of_storyteller(cls, person: UUID | str) -> Mode:
        """Everything of one storyteller."""
        return cls("storyteller", storyteller=str(person))

    @property
    def whole(self) -> bool:
        """True when every table is looked at, so that what belongs together comes or goes together."""
        return self.kind in ("lost", "exact")

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind, self.table, self.storyteller) if part)


LOST = Mode("lost")
EXACT = Mode("exact")


@dataclass(frozen=True)
class Erased:
    """What people had erased, beyond what the live database itself remembers: none of it may come back."""

    records: frozenset[Record] = field(default_factory=frozenset)
    storytellers: frozenset[UUID] = field(default_factory=frozenset)
    stories: frozenset[UUID] = field(default_factory=frozenset)
