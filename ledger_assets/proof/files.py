"""Files: every attachment of every own attachment field has a stored object, whole, and an entry in Postgres.

What belongs here: the inventory of the export against the raw records, the stored objects hashed anew, and
the inventory kept in Postgres. What does not: the rows of the media table (``parts``).

Invariant: names and addresses of files never leave the database; an attachment is named by its id.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import psycopg

from ledger_assets import progress
from ledger_assets.errors import StoreError
from ledger_assets.extract.attachments import AttachmentInventory, read_inventory
from ledger_assets.proof.statements import named, statement
from ledger_assets.proof.stored import FilesProof
from ledger_assets.proof.verdicts import SAMPLE, Named
from ledger_assets.storage import PART_BYTES, ObjectMissing, ObjectStore

THREADS = 4
BATCH = 32
"""Files that a thread takes at once: asking for a thread costs as much as hashing a small file."""


class Hashing:
    """The stored files of an inventory, read to their last byte in threads while Postgres is at work."""

    def __init__(self, store: ObjectStore, inventory: AttachmentInventory | None) -> None:
        entries = () if inventory is None else inventory.entries
        sizes = {entry.sha256: entry.size for entry in entries if entry.sha256 is not None}
        self._store, self._sizes, self._stop = store, sizes, threading.Event()
        self._batches: list[Future[list[tuple[str, str, int]]]] = []

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="proof-files")
        names = sorted(self._sizes)
        for first in range(0, len(names), BATCH):
            self._batches.append(self._pool.submit(self._states, names[first : first + BATCH]))
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)

    def results(self) -> Iterator[tuple[str, str, int]]:
        """(hash, whole | damaged | missing, size) of every file."""
        done = 0
        for batch in self._batches:
            states = batch.result()
            done += len(states)
            progress.report("proof", "files", done, len(self._sizes))
            yield from states

    def _states(self, names: list[str]) -> list[tuple[str, str, int]]:
        return [] if self._stop.is_set() else [self._state(name) for name in names]

    def _state(self, name: str) -> tuple[str, str, int]:
        content, size, key = hashlib.sha256(), 0, f"media/{name}"
        try:
            small = (self._sizes[name] or 0) <= PART_BYTES
            for piece in (self._store.get(key),) if small else self._store.chunks(key):
                content.update(piece)
                size += len(piece)
        except ObjectMissing:
            return name, "missing", 0
        return name, "whole" if content.hexdigest() == name else "damaged", size


def find_inventory(store: ObjectStore, export_id: str) -> AttachmentInventory | None:
    """The export's inventory of files; None when there is none."""
    try:
        return read_inventory(store, export_id)
    except StoreError:
        return None


def stage_inventory(conn: psycopg.Connection, inventory: AttachmentInventory | None) -> None:
    """Put the export's inventory beside the attachments of the raw records."""
    with conn.cursor().copy("copy proof_inventory from stdin") as copy:
        for e in () if inventory is None else inventory.entries:
            copy.write_row(
                (
                    *(e.attachment_id, e.table_id, e.record_id, e.field_id, e.filename, e.content_type),
                    *(e.size, e.sha256, e.object_key, e.problem),
                )
            )
    conn.execute("analyze proof_inventory")
    conn.execute(statement("inventory"))


def prove_files(
    conn: psycopg.Connection, base_id: str, hashing: Hashing, *, has_inventory: bool
) -> FilesProof:
    """Name the attachments whose file is not there or not whole."""
    with conn.cursor().copy("copy proof_objects from stdin") as copy:
        for state in hashing.results():
            copy.write_row(state)
    found: dict[str, Named] = {}
    reasons: Counter[str] = Counter()
    cells = attachments = size = 0
    for verdict, count, fields, total, ids in conn.execute(statement("files"), {"base": base_id}):
        found[verdict] = named(count, ids)
        cells, attachments, size = cells + fields, attachments + count, size + int(total)
        if verdict != "whole":
            reasons[verdict] += count
    if not has_inventory and attachments:
        reasons = Counter({"the export has no inventory of files: run the export again": attachments})
    row = conn.execute("select count(distinct sha256) from proof_files").fetchone()
    assert row is not None
    kept: dict[str, Named] = {}
    if has_inventory:  # without one nothing was said of the files that are here
        for verdict, count, ids in conn.execute(statement("attachments"), {"base": base_id}):
            kept[verdict] = named(count, ids)
    missing = [found.get(v, Named()) for v in ("no entry", "not to be had", "no object")]
    return FilesProof(
        cells=cells,
        attachments=attachments,
        files=row[0],
        size=size,
        missing=_together(missing),
        damaged=found.get("damaged", Named()),
        not_in_postgres=found.get("not in Postgres", Named()),
        inventory_differs=kept.get("differs", Named()),
        inventory_extra=kept.get("extra", Named()),
        reasons=dict(reasons),
    )


def _together(parts: Iterable[Named]) -> Named:
    every = list(parts)
    return named(sum(part.count for part in every), [i for part in every for i in part.ids][:SAMPLE])
