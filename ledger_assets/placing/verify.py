"""The check of placed files: every one is read back whole and compared.

What belongs here: reading. What does not: putting right (``place``).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger_assets.errors import StoreError
from ledger_assets.placing.rows import File, files
from ledger_assets.placing.shelf import Shelf
from ledger_assets.progress import report
from ledger_assets.storage import ObjectMissing

if TYPE_CHECKING:
    import psycopg

THREADS = 4
NOT_PLACED = "not placed"
ELSEWHERE = "placed in a bucket that the settings do not name"
STALE = "placed with an earlier content"
OPEN = "in the public store, and not everybody may see it"
MISSING = "missing in the store"
UNREADABLE = "cannot be read in the store"
OTHER_BYTES = "other bytes in the store"


@dataclass(frozen=True)
class Verified:
    """``same``: as they should be. ``problems``: rows by what the matter is; ``strays``: objects that no row names."""

    same: int
    problems: dict[str, list[str]]
    strays: int

    @property
    def ok(self) -> bool:
        """Whether nothing is the matter."""
        return not self.problems and not self.strays


def verify(connection: psycopg.Connection, shelves: Sequence[Shelf]) -> Verified:
    """Read everything back. Raises StoreError when a store cannot be listed, TargetError."""
    every = files(connection)
    listed = [shelf.name(key) for shelf in shelves for key, _ in shelf.listed()]
    problems: dict[str, list[str]] = {}
    same = 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="media") as pool:
        for number, (one, why) in enumerate(
            zip(every, pool.map(lambda one: _matter(one, shelves), every), strict=True), 1
        ):
            if why:
                problems.setdefault(why, []).append(one.id)
            else:
                same += 1
            report("media", "verified", number, len(every))
    named = {(one.bucket, one.key) for one in every}
    strays = sum(name not in named for name in listed)
    return Verified(same, problems, strays)


def _matter(one: File, shelves: Sequence[Shelf]) -> str:
    if one.bucket is None or one.key is None:
        return NOT_PLACED
    for shelf in shelves:
        key = shelf.key(one.bucket, one.key)
        if key is None:
            continue
        if not one.belongs_on(shelf):
            return OPEN
        if key != one.own_key:
            return STALE
        try:
            return "" if shelf.hash(key) == one.sha256 else OTHER_BYTES
        except ObjectMissing:
            return MISSING
        except StoreError:
            return UNREADABLE
    return ELSEWHERE
