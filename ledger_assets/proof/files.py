"""Files: every attachment of every own attachment field has a stored object, whole, and an entry in Postgres.

What belongs here: the inventory of the export against the raw records, the stored objects hashed anew, and
the inventory kept in Postgres. What does not: the rows of the media table (``parts``).

Invariant: names and addresses of files never leave the database; an attachment is named by its id.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import psycopg

from ledger_assets import progress
from ledger_assets.errors import StoreError
from ledger_assets.extract.attachments import read_inventory
from ledger_assets.proof.model import FilesProof
from ledger_assets.proof.statements import named, statement
from ledger_assets.proof.verdicts import SAMPLE, Named
from ledger_assets.storage import ObjectStore

THREADS = 4


def stage_inventory(conn: psycopg.Connection, store: ObjectStore, export_id: str) -> bool:
    """Put the export's inventory beside the attachments of the raw records; False when there is none."""
    try:
        inventory = read_inventory(store, export_id)
    except StoreError:
        return False
    with conn.cursor().copy("copy proof_inventory from stdin") as copy:
        for e in inventory.entries:
            copy.write_row(
                (e.attachment_id, e.table_id, e.record_id, e.field_id, e.sha256, e.size, e.problem)
            )
    conn.execute("analyze proof_inventory")
    conn.execute(statement("inventory"))
    return True


def prove_files(
    conn: psycopg.Connection, store: ObjectStore, base_id: str, has_inventory: bool
) -> FilesProof:
    """Hash every stored file again, and name the attachments whose file is not there or not whole."""
    sizes: dict[str, int | None] = dict(
        conn.execute(
            "select distinct sha256, size from proof_files where sha256 is not null order by 1"
        ).fetchall()
    )
    states = _states(store, sorted(sizes), sizes)
    with conn.cursor().copy("copy proof_objects from stdin") as copy:
        for row in states:
            copy.write_row(row)
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
    missing = [found.get(v, Named()) for v in ("no entry", "not to be had", "no object")]
    return FilesProof(
        cells=cells,
        attachments=attachments,
        files=len(states),
        size=size,
        missing=_together(missing),
        damaged=found.get("damaged", Named()),
        not_in_postgres=found.get("not in Postgres", Named()),
        reasons=dict(reasons),
    )


def _together(parts: Iterable[Named]) -> Named:
    every = list(parts)
    return named(sum(part.count for part in every), [i for part in every for i in part.ids][:SAMPLE])


def _states(store: ObjectStore, hashes: list[str], sizes: dict[str, int | None]) -> list[tuple[str, str]]:
    """(hash, whole | damaged | missing) of each stored object, read from the store to its last byte."""
    states: list[tuple[str, str]] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for name, state in zip(hashes, pool.map(lambda h: _state(store, h, sizes[h]), hashes), strict=True):
            states.append((name, state))
            progress.report("proof", "files", len(states), len(hashes))
    return states


def _state(store: ObjectStore, name: str, size: int | None) -> str:
    found = store.size(f"media/{name}")
    if found is None:
        return "missing"
    if size is not None and found != size:
        return "damaged"
    content = hashlib.sha256()
    for piece in store.chunks(f"media/{name}"):
        content.update(piece)
    return "whole" if content.hexdigest() == name else "damaged"
