"""The pass that brings every file where the app serves it, and takes away what must not lie there any more.

What belongs here: its order. What does not: where a file belongs (``rows``), one store (``shelf``).

Invariants: what must not be public goes first, before anything is uploaded; a row is changed only after its file was read
back whole, and only if it is still that file and still for whom it was; killed anywhere, the same again finishes; a second
pass writes nothing.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger_assets.placing.rows import File, files, statement
from ledger_assets.placing.shelf import Shelf, assert_private
from ledger_assets.progress import report
from ledger_assets.storage import ObjectMissing, ObjectStore

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.writing import Writer

THREADS = 4
SHOWN = 20
WHAT = "media place"
LOST = "its bytes are not in the object store"
DAMAGED = "its bytes in the object store are not what their hash says: export again"
REFUSED = "what was read back is not what was written: look at the store"


@dataclass
class Placed:
    """Counts. ``problems``: rows whose file could not be placed, by reason."""

    placed: int = 0
    standing: int = 0
    closed: int = 0
    """Taken out of the public store, because not everybody may see them any more."""
    removed: int = 0
    """Of rows that are gone (erased people), of an earlier content, or left over."""
    changed: int = 0
    """Changed by somebody while they were placed: for the next pass."""
    left: int = 0
    """Lay in a bucket that the settings do not name any more, and lie there still."""
    problems: dict[str, list[str]] = field(default_factory=dict)

    def detail(self) -> dict[str, Any]:
        """For the record of events: counts, and at most twenty ids a reason."""
        problems = {why: {"count": len(ids), "ids": ids[:SHOWN]} for why, ids in self.problems.items()}
        return {**asdict(self), "problems": problems}


def place(
    writer: Writer,
    store: ObjectStore,
    shelves: Sequence[Shelf],
    folder: Path,
    *,
    again: bool = False,
    dry_run: bool = False,
) -> Placed:
    """Place every file. ``folder``: private, for what is on its way. ``again``: read back what stands already,
    too, and write anew what is damaged. Raises StoreError, TargetError, SettingsError."""
    done = Placed()
    every = files(writer.connection)
    there = {shelf.bucket: dict(shelf.listed()) for shelf in shelves}
    done.left = sum(one.bucket is not None and one.bucket not in there for one in every)
    done.closed = _close(every, shelves, there, dry_run=dry_run)
    if not dry_run:
        assert_private(shelves[0])
    wanted = [one for one in every if again or not _stands(one, one.shelf(shelves), there)]
    done.standing = len(every) - len(wanted)
    if dry_run:
        done.placed = len(wanted)
        kept = {one.shelf(shelves).name(one.own_key) for one in every}
        done.removed = _sweep(shelves, there, lambda shelf, key: shelf.name(key) not in kept, dry_run=True)
        return done
    _bring_all(writer, store, shelves, folder, wanted, done)
    done.removed = sweep(writer.connection, shelves)
    return done


def sweep(connection: psycopg.Connection, shelves: Sequence[Shelf]) -> int:
    """Remove what no row names, and what is public although not everybody may see it; how many."""
    named = {(one.bucket, one.key): one for one in files(connection)}

    def goes(shelf: Shelf, key: str) -> bool:
        one = named.get(shelf.name(key))
        return one is None or one.own_key != key or not one.belongs_on(shelf)

    return _sweep(shelves, {shelf.bucket: dict(shelf.listed()) for shelf in shelves}, goes)


def _close(
    every: Sequence[File], shelves: Sequence[Shelf], there: dict[str, dict[str, int]], *, dry_run: bool
) -> int:
    closed = 0
    for shelf in (one for one in shelves if one.public):
        may_stay = {one.own_key for one in every if one.belongs_on(shelf)}
        rows = {one.own_key for one in every}
        for key in [key for key in there[shelf.bucket] if key not in may_stay and key in rows]:
            if not dry_run:
                shelf.store.delete(key)
            del there[shelf.bucket][key]
            closed += 1
    return closed


def _sweep(
    shelves: Sequence[Shelf],
    there: dict[str, dict[str, int]],
    goes: Callable[[Shelf, str], bool],
    *,
    dry_run: bool = False,
) -> int:
    removed = 0
    for shelf in shelves:
        for key in there[shelf.bucket]:
            if goes(shelf, key):
                removed += 1
                if not dry_run:
                    shelf.store.delete(key)
    return removed


def _stands(one: File, shelf: Shelf, there: dict[str, dict[str, int]]) -> bool:
    size = there[shelf.bucket].get(one.own_key)
    return (one.bucket, one.key) == shelf.name(one.own_key) and size is not None and one.size in (None, size)


def _bring_all(
    writer: Writer,
    store: ObjectStore,
    shelves: Sequence[Shelf],
    folder: Path,
    wanted: Sequence[File],
    done: Placed,
) -> None:
    def bring(one: File) -> str:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            return _bring(store, one.shelf(shelves), one, Path(file.name))

    with ThreadPoolExecutor(THREADS, thread_name_prefix="media") as pool:
        try:
            for number, (one, why) in enumerate(zip(wanted, pool.map(bring, wanted), strict=True), 1):
                if why:
                    done.problems.setdefault(why, []).append(one.id)
                elif _name(writer, one, one.shelf(shelves)):
                    done.placed += 1
                else:
                    done.changed += 1
                report("media", "files", number, len(wanted))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _bring(store: ObjectStore, shelf: Shelf, one: File, path: Path) -> str:
    """Bring one file onto its shelf; why not."""
    found = hashlib.sha256()
    try:
        with path.open("wb") as file:
            for piece in store.chunks(one.object_key):
                found.update(piece)
                file.write(piece)
    except ObjectMissing:
        return LOST
    if found.hexdigest() != one.sha256:
        return DAMAGED
    return "" if shelf.put(one.own_key, path, one.sha256, one.content_type) else REFUSED


def _name(writer: Writer, one: File, shelf: Shelf) -> bool:
    """Let the row name the key; False: it was changed meanwhile."""
    bucket, key = shelf.name(one.own_key)
    with writer.write(WHAT) as cur:
        parameters = {
            "bucket": bucket,
            "key": key,
            "id": one.id,
            "sha256": one.sha256,
            "public": shelf.public,
        }
        named = cur.execute(statement("placed"), parameters).rowcount == 1
        if named:
            writer.note(cur, "media_assets", [one.id], "update", "storage_bucket", "storage_key", "placed_at")
    return named
