"""One erasure as data: which records, rows and files of a person went, by id.

What belongs here: the shape of an entry of the list, and its bytes. What does not: where it is kept (``register``).

Invariants: ids only, never words; an entry's key follows from what it says, so that whoever writes it twice writes
one object.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

FOLDER = "erasures"
FORMAT = 1
Record = tuple[str, str, str]
"""Base, table and record id in Airtable."""


@dataclass(frozen=True)
class Erasure:
    """A request that was carried out. ``scope``: ``storyteller``, ``story`` or ``account``."""

    request_id: str
    scope: str
    at: datetime
    storyteller_id: str | None = None
    story_id: str | None = None
    account_id: str | None = None
    records: tuple[Record, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    """Table of schema ``public`` and id."""
    files: tuple[str, ...] = ()
    """Keys of objects that no row needs any more."""

    @property
    def key(self) -> str:
        """The entry's object."""
        return f"{FOLDER}/{self.at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}-{self.request_id}.json.age"

    def to_json(self) -> str:
        """The entry as text, the same for the same entry."""
        return json.dumps(
            {"format": FORMAT, **asdict(self), "at": self.at.astimezone(UTC).isoformat()}, sort_keys=True
        )


def parse(text: str) -> Erasure:
    """The entry of :meth:`Erasure.to_json`. Raises ValueError, LookupError or TypeError for any other text."""
    found: dict[str, Any] = json.loads(text)
    if found.pop("format") != FORMAT:
        raise ValueError("another format")
    at = datetime.fromisoformat(found.pop("at"))
    for name in ("records", "rows"):
        found[name] = tuple(tuple(one) for one in found[name])
    return Erasure(**{**found, "at": at, "files": tuple(found["files"])})


def together(*lists: Iterable[Erasure]) -> tuple[Erasure, ...]:
    """All of them once, oldest first: the list and what a database says of itself."""
    found = {one.request_id: one for some in lists for one in some}
    return tuple(sorted(found.values(), key=lambda one: (one.at, one.request_id)))


def records_of(erasures: Iterable[Erasure], base_id: str) -> dict[str, frozenset[str]]:
    """The erased record ids of a base, by table id."""
    found: dict[str, set[str]] = {}
    for one in erasures:
        for base, table, record in one.records:
            if base == base_id:
                found.setdefault(table, set()).add(record)
    return {table: frozenset(ids) for table, ids in found.items()}
