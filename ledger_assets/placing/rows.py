"""The rows of files, and where each belongs.

What belongs here: reading them, and that decision. What does not: moving bytes (``place``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

from ledger_assets.load.sqlfiles import plain_errors
from ledger_assets.placing.keys import SHOWN, content_type, key_of

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.placing.shelf import Shelf


@dataclass(frozen=True)
class File:
    """One row. ``bucket`` and ``key``: where it says its file lies; ``open``: anybody may fetch it."""

    id: str
    kind: str
    sha256: str
    object_key: str
    said_type: str | None
    size: int | None
    bucket: str | None
    key: str | None
    open: bool

    @property
    def content_type(self) -> str:
        """What it is served as."""
        return content_type(self.said_type)

    @property
    def own_key(self) -> str:
        """Its key on any shelf."""
        return key_of(self.kind, self.id, self.sha256, self.content_type)

    def belongs_on(self, shelf: Shelf) -> bool:
        """Whether it may lie there."""
        return not shelf.public or (self.open and self.content_type in SHOWN)

    def shelf(self, shelves: Sequence[Shelf]) -> Shelf:
        """Where it belongs: the public one where it may, else the private one, which is always the first."""
        return next(shelf for shelf in reversed(shelves) if self.belongs_on(shelf))


@cache
def statement(name: str) -> LiteralString:
    """The SQL of ``sql/<name>.sql``."""
    text: LiteralString = (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    return text


def files(connection: psycopg.Connection) -> list[File]:
    """Every file that the migration has. Raises TargetError."""
    with plain_errors("the files", undone="nothing was changed"), connection.transaction():
        return [File(*row) for row in connection.execute(statement("files")).fetchall()]
