"""Removing what retention lets go: snapshots, files that no snapshot lists any more, exports that none descends from.

What belongs here: the removal. What does not: which may go (``retention``).

Invariants: a snapshot is said to be expired before its first object goes, so that a run that was cut short leaves none that
looks whole, and the next one goes on; nothing that a kept snapshot needs is ever removed; a bucket whose lock refuses is no
failure: the objects go when their lock ends.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from ledger_assets.backup import aside, catalogue, media
from ledger_assets.backup.catalogue import Catalogue, State
from ledger_assets.backup.manifest import MEDIA
from ledger_assets.backup.place import Place
from ledger_assets.backup.retention import Decision, decide
from ledger_assets.backup.sealing import Damaged, unseal_bytes
from ledger_assets.backup.take import LEFT_OVER, discard, remove_left_over
from ledger_assets.extract import export as exports
from ledger_assets.storage import ObjectStore

KEPT_EXPORTS = 3


def prune(
    place: Place, store: ObjectStore, *, loaded: Collection[str], apply: bool, now: datetime | None = None
) -> tuple[Decision, list[str]]:
    """Decide, and with ``apply`` remove. ``loaded``: the exports that the database was last loaded from, which its proof
    needs. Second: ids of unfinished snapshots that were (or would be) removed."""
    at = now or datetime.now(UTC)
    known = catalogue.read(place)
    decision = decide(catalogue.kept(known.snapshots, at), place.backup.retention, at, place.backup.timezone)
    if not apply:
        return decision, list(known.unfinished)
    for snapshot_id in decision.expire:
        catalogue.say(place, snapshot_id, State.EXPIRED, at=at)
    for snapshot_id in (*known.expired, *decision.expire):
        discard(place, snapshot_id)
    removed = remove_left_over(place, known, at)
    aside.remove_old(place, at)
    if decision.refused is None:
        left = catalogue.read(place)
        remove_unlisted_files(place, left, at)
        remove_old_exports(store, left, loaded)
    return decision, removed


def remove_unlisted_files(place: Place, known: Catalogue, now: datetime) -> int:
    """Files in the vault that no snapshot lists; younger ones may be of a snapshot that is being taken now."""
    if known.refused or known.unfinished:
        return 0  # what a manifest lists that cannot be read, or is not written yet, is not known
    try:
        listed = {
            file.sealed.key
            for snapshot in known.snapshots
            for file in media.from_json(
                unseal_bytes(place.vault, snapshot.manifest.objects[MEDIA], place.identity)
            )
        }
    except Damaged:
        return 0
    gone = [
        info.key
        for info in place.vault.list(media.FOLDER)
        if info.key not in listed and now - info.modified > LEFT_OVER
    ]
    for key in gone:
        place.vault.delete(key)
    return len(gone)


def remove_old_exports(store: ObjectStore, known: Catalogue, loaded: Collection[str]) -> list[str]:
    """Exports but the newest three, those ``loaded`` last, and those that a kept snapshot descends from; the ids."""
    if known.refused:
        return []  # it may descend from any
    complete = exports.list_exports(store)
    needed = {*complete[-KEPT_EXPORTS:], *loaded, *(s.manifest.export_id for s in known.snapshots)}
    gone = [one for one in complete if one not in needed]
    for export_id in gone:
        # Its manifest first: what is half gone must not look complete.
        store.delete(f"{exports.FOLDER}/{export_id}/MANIFEST.json")
        for info in list(store.list(f"{exports.FOLDER}/{export_id}")):
            store.delete(info.key)
    return gone
