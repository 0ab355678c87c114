"""A record while it is being made, and a block of them: the generator's own shapes.

A block is as many records as the real base has (2,290), linked among themselves only, so that any number of
blocks can be made one after the other in the memory of one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger_assets.demo import files
from ledger_assets.demo.basefile import Attachment, Comment
from ledger_assets.demo.cells import FILES, Cells, encode, is_empty
from ledger_assets.demo.model import Table, airtable_id

FULL = {"Stories": 39, "Storytellers": 187, "Media": 190, "Themes": 839, "Quotes": 1035}
"""Records of the real base in June 2025."""
BLOCK_RECORDS = sum(FULL.values())
FIRST, LAST = datetime(2025, 1, 2, tzinfo=UTC), datetime(2025, 5, 30, tzinfo=UTC)


@dataclass(slots=True)
class Draft:
    """A record: values by field name; links by field name to other drafts."""

    table: str
    id: str
    created: datetime
    values: dict[str, Any] = field(default_factory=dict)
    links: dict[str, list[Draft]] = field(default_factory=dict)
    modified: datetime | None = None


@dataclass
class Block:
    """The records of one block by table, their files and comments."""

    rng: random.Random
    number: int
    seed: int
    drafts: dict[str, list[Draft]] = field(default_factory=dict)
    files: list[Attachment] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)

    def share(self, of_full: int, table: str) -> int:
        """What ``of_full`` records of the real base's table are in this block's."""
        return min(len(self.drafts[table]), round(of_full * len(self.drafts[table]) / FULL[table]))

    def some(self, table: str, of_full: int, among: Sequence[Draft] | None = None) -> list[Draft]:
        """So many records of a table (counted in the real base), in order, drawn ``among`` these."""
        pool = list(self.drafts[table] if among is None else among)
        chosen = set(self.rng.sample(range(len(pool)), min(len(pool), self.share(of_full, table))))
        return [draft for index, draft in enumerate(pool) if index in chosen]

    def add_file(self, filename: str, kind: str) -> Attachment:
        """A new file of this block."""
        number = len(self.files)
        seed = (self.seed << 40) + (self.number << 16) + number
        size = len(files.content(seed, kind))
        made = Attachment(airtable_id("att", "file", seed), seed, filename, kind, size)
        self.files.append(made)
        return made

    def forget(self) -> None:
        """Let the records go: linked both ways, they would keep each other until the collector comes by."""
        for drafts in self.drafts.values():
            for draft in drafts:
                draft.links.clear()


def connect(one: Draft, its_field: str, other: Draft, other_field: str) -> None:
    """Link two records both ways."""
    one.links.setdefault(its_field, []).append(other)
    other.links.setdefault(other_field, []).append(one)


def moment(rng: random.Random, first: datetime = FIRST, last: datetime = LAST) -> datetime:
    """A random time between two, in whole seconds."""
    return first + timedelta(seconds=int(rng.random() * (last - first).total_seconds()))


def iso(time: datetime) -> str:
    """The time as Airtable writes it."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"


def attachment_text(attached: Sequence[Attachment]) -> str:
    """The JSON text of an attachment cell, addresses relative to the server's."""
    return encode([_attachment(a) for a in attached]).replace('"\\u0001', f'"{FILES}')


def _attachment(a: Attachment) -> dict[str, Any]:
    url = f"{FILES}{a.id}"
    described: dict[str, Any] = {
        "id": a.id,
        "url": url,
        "filename": a.filename,
        "size": a.size,
        "type": a.type,
    }
    if a.type in {"image/png", "image/jpeg"}:
        size = {"width": files.WIDTH, "height": files.HEIGHT}
        described |= size
        described["thumbnails"] = {
            name: {"url": f"{url}/{name}", **size} for name in ("small", "large", "full")
        }
    return described


def to_cells(draft: Draft, table: Table, field_ids: dict[str, str]) -> Cells:
    """The record's own cells; empty ones are left out."""
    cells: Cells = {}
    for f in table.fields:
        value: Any = draft.values.get(f.name)
        if linked := draft.links.get(f.name):
            joined = '","'.join(other.id for other in linked)
            cells[field_ids[f.name]] = f'["{joined}"]'
        elif not is_empty(value):
            text = attachment_text(value) if f.type == "multipleAttachments" else encode(value)
            cells[field_ids[f.name]] = text
    return cells
