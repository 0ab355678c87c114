"""What restores replaced or removed, kept encrypted beside the snapshots for a while.

    aside/<utc>-<snapshot id>[.<n>].jsonl.age      a line of JSON for each row: table, action, the row as it was

What belongs here: writing it, taking the erased out of it, its end. What does not: choosing the rows (``merge``).

Invariants: it is written before the restore commits; a line that names somebody erased goes, and with it whatever of others
that line held: the database keeps those rows for the way back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ledger_assets.backup.place import Place
from ledger_assets.backup.sealing import open_into, seal_file
from ledger_assets.erasure.model import Erasure
from ledger_assets.extract.scratch import scratch_folder

FOLDER = "aside"
KEPT = timedelta(days=30)
"""People's words, kept as long as the emergency snapshot of the same restore."""


def aside_key(snapshot_id: str, at: datetime) -> str:
    """Where a restore of that snapshot puts them."""
    return f"{FOLDER}/{at:%Y%m%dT%H%M%SZ}-{snapshot_id}.jsonl.age"


def keep(place: Place, key: str, lines: Iterator[bytes], folder: Path) -> bool:
    """Seal the lines at ``key``; False when there are none."""
    path = folder / "aside.jsonl"
    with path.open("wb") as file:
        size = sum(file.write(line) for line in lines)
    try:
        if size:
            seal_file(place.vault, key, path, place.recipients, folder=folder)
    finally:
        path.unlink()
    return size > 0


def purge(place: Place, erasures: Sequence[Erasure]) -> int:
    """Take the erased out of every file; how many files were written anew. Killed in between, the next one finishes."""
    ids = {one.encode() for erasure in erasures for one in _ids(erasure)}
    if not ids:
        return 0
    naming = re.compile(b"|".join(re.escape(one) for one in sorted(ids)))
    written = 0
    for info in list(place.vault.list(FOLDER)):
        with scratch_folder(place.settings.home) as folder:
            whole, left = folder / "whole", folder / "left"
            with whole.open("wb", buffering=0) as file:
                open_into(place.vault, info.key, file, place.identity)
            with whole.open("rb") as lines, left.open("wb") as kept:
                gone = 0
                for line in lines:
                    if naming.search(line):
                        gone += 1
                    else:
                        kept.write(line)
            if not gone:
                continue
            if left.stat().st_size:
                seal_file(place.vault, _next(info.key), left, place.recipients, folder=folder, create=False)
            place.vault.delete(info.key)
            written += 1
    return written


def remove_old(place: Place, now: datetime) -> int:
    """Remove those whose time is over; how many."""
    gone = [info.key for info in place.vault.list(FOLDER) if now - info.modified > KEPT]
    for key in gone:
        place.vault.delete(key)
    return len(gone)


def _ids(erasure: Erasure) -> Iterable[str]:
    named = (erasure.storyteller_id, erasure.story_id, erasure.account_id)
    yield from (one for one in named if one is not None)
    yield from (record for _, _, record in erasure.records)
    yield from (row for _, row in erasure.rows)


def _next(key: str) -> str:
    """The name of the same file without somebody."""
    match = re.fullmatch(r"(.*?)(?:\.(\d+))?\.jsonl\.age", key)
    assert match is not None
    return f"{match[1]}.{int(match[2] or 0) + 1}.jsonl.age"
