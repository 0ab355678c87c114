"""People who had themselves erased, taken out of everything that is stored: exports, ledgers, files.

What belongs here: which objects hold somebody still, and the order in which they go. What does not: one export
(``rewrite``), databases (``applied``), snapshots, which expire instead (``report``), reports, which hold ids, never words.

Invariants: killed at any write, the next purge finishes; a file goes before the manifest that tells whose it was, and only
when nobody else's record holds the same; what another process is writing now is left alone and named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ledger_assets.erasure.model import Erasure, records_of
from ledger_assets.erasure.rewrite import held_files, pending, rewrite, settle, tidy
from ledger_assets.errors import LedgerError, StoreError
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.extract.export import Export
    from ledger_assets.extract.unfinished import Unfinished
    from ledger_assets.ledger.store import Ledger

UNFINISHED_LEDGER = timedelta(hours=6)
"""A ledger without a manifest that nothing was written to for so long is not being built any more."""
MEDIA = "media/"
IN_USE = (
    "select object_key from public.media_assets where object_key is not null "
    "union select object_key from airtable.attachments where object_key is not null"
)


@dataclass(frozen=True)
class Purged:
    """What was rewritten or removed. ``waiting``: what another process is writing, for the next purge."""

    exports: int = 0
    ledgers: int = 0
    files: int = 0
    unfinished: int = 0
    waiting: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """For a person: counts and ids."""
        counts = f"purged: {self.exports} exports, {self.ledgers} ledgers, {self.files} files"
        return [
            counts,
            *(
                f"{one} is being written by another process: purge again when it has ended"
                for one in self.waiting
            ),
        ]


def purge(
    store: ObjectStore,
    erasures: Sequence[Erasure],
    *,
    vault: ObjectStore | None = None,
    media_key: Callable[[str], str] | None = None,
    conn: psycopg.Connection | None = None,
    lock_folder: Path | None = None,
) -> Purged:
    """Take the erased out of ``store``, and their files out of ``vault`` (``media_key``: a file's key there by its hash).

    ``conn``: the live database, whose files stay. ``lock_folder``: of this machine's exports, so that an interrupted one
    is told from a running one. Again changes nothing. Raises StoreError when the store refuses.
    """
    from ledger_assets.extract.export import Export, list_exports

    if not erasures:
        return Purged()
    unfinished, waiting = _unfinished(store, erasures, lock_folder)
    exports = [Export(store, export_id) for export_id in list_exports(store)]
    files = _Files(store, vault, media_key, _held(store, exports, erasures) | _in_use(conn))
    files.remove(key for one in erasures for key in one.files)
    rewritten = 0
    for export in exports:
        tidy(store, export.manifest)
        found = pending(export, erasures)
        if found:
            made = rewrite(store, export, erasures)
            files.remove(made.files)
            settle(store, made.manifest)
            rewritten += 1
    ledgers, building = _ledgers(store, erasures)
    return Purged(rewritten, ledgers, files.removed, unfinished, (*waiting, *building))


class _Files:
    """Removes files of the erased from the store and the vault."""

    def __init__(
        self,
        store: ObjectStore,
        vault: ObjectStore | None,
        media_key: Callable[[str], str] | None,
        held: set[str],
    ) -> None:
        self._store, self._vault, self._media_key, self._held = store, vault, media_key, held
        self._gone: set[str] = set()
        self.removed = 0

    def remove(self, keys: Iterable[str]) -> None:
        for key in sorted({*keys} - self._held - self._gone):
            self._gone.add(key)
            self.removed += self._delete(self._store, key)
            if self._vault is not None and self._media_key is not None and key.startswith(MEDIA):
                self._delete(self._vault, self._media_key(key.removeprefix(MEDIA)))

    @staticmethod
    def _delete(store: ObjectStore, key: str) -> bool:
        there = store.size(key) is not None
        if there:
            store.delete(key)
        return there


def _held(store: ObjectStore, exports: Iterable[Export], erasures: Sequence[Erasure]) -> set[str]:
    """Files that an export holds of a record that nobody had erased."""
    from ledger_assets.extract.attachments import attempts, read_inventory

    found: set[str] = set()
    for export in exports:
        if attempts(store, export.export_id):
            entries = read_inventory(store, export.export_id).entries
            found |= held_files(entries, records_of(erasures, export.manifest.base_id))
    return found


def _in_use(conn: psycopg.Connection | None) -> set[str]:
    from ledger_assets.load.sqlfiles import plain_errors

    if conn is None:
        return set()
    with plain_errors("the files in use", undone="no file was removed"), conn.transaction():
        known = conn.execute("select to_regclass('airtable.attachments') is not null").fetchone()
        rows = conn.execute(IN_USE).fetchall() if known is not None and known[0] else []
        return {str(row[0]) for row in rows}


def _unfinished(
    store: ObjectStore, erasures: Sequence[Erasure], lock_folder: Path | None
) -> tuple[int, list[str]]:
    """Remove interrupted exports that may hold the erased; how many, and which may be running."""
    from ledger_assets.extract.export import FOLDER
    from ledger_assets.extract.unfinished import Unfinished, owner, parse_begun

    removed, waiting = 0, []
    requests = {one.request_id for one in erasures if one.records}
    for export_id in store.folders(FOLDER):
        if store.size(f"{FOLDER}/{export_id}/MANIFEST.json") is not None:
            continue
        if not any(
            store.list(f"{FOLDER}/{export_id}/")
        ):  # a folder of a local store stays when its objects are gone
            continue
        try:
            begun = parse_begun(store.get(f"{FOLDER}/{export_id}/progress/begun.json"))
        except (StoreError, ValueError, TypeError):
            waiting.append(f"export {export_id}")
            continue
        if requests <= {*begun.erasures}:
            continue
        export = Unfinished(store, export_id, begun)
        if lock_folder is not None and begun.owner == owner(lock_folder) and _discarded(export, lock_folder):
            removed += 1
        else:
            waiting.append(f"export {export_id}")
    return removed, waiting


def _discarded(export: Unfinished, lock_folder: Path) -> bool:
    """Remove the export unless it is running."""
    from ledger_assets.extract.limiter import only_one
    from ledger_assets.extract.run import lock_file

    try:
        with only_one(lock_file(lock_folder, export.store, export.begun.base_id), "running"):
            if export.store.size(export.key("MANIFEST.json")) is None:
                export.discard()
    except LedgerError as error:
        if str(error) != "running":
            raise
        return False
    return True


def _ledgers(store: ObjectStore, erasures: Sequence[Erasure]) -> tuple[int, list[str]]:
    """Remove the ledgers that hold the erased; how many, and which may be in the making."""
    from ledger_assets.ledger.store import FOLDER, list_ledgers

    complete = set(list_ledgers(store))
    removed, building = 0, []
    for ledger_id in store.folders(FOLDER):
        entries = list(store.list(f"{FOLDER}/{ledger_id}/"))
        if not entries:  # a folder of a local store stays when its objects are gone
            continue
        if ledger_id not in complete:
            newest = max(entry.modified for entry in entries)
            if datetime.now(UTC) - newest < UNFINISHED_LEDGER:
                building.append(f"ledger {ledger_id}")
                continue
        elif not _holds(store, ledger_id, erasures):
            continue
        # The manifest last: without it nobody could tell a ledger that is half gone from one in the making.
        for entry in sorted(entries, key=lambda entry: entry.key.endswith("/MANIFEST.json")):
            store.delete(entry.key)
        removed += 1
    return removed, building


def _holds(store: ObjectStore, ledger_id: str, erasures: Sequence[Erasure]) -> bool:
    """Whether the ledger was made of an export before it was purged, is not whole, or has a row of the erased."""
    from ledger_assets.extract.export import revision_of
    from ledger_assets.ledger.store import Ledger

    try:
        ledger = Ledger(store, ledger_id)
        manifest = ledger.manifest
        if revision_of(store, manifest.export_id) > manifest.revision:
            return True
        erased = records_of(erasures, manifest.base_id)
        ids = [one for some in erased.values() for one in some]
        return any(_names(ledger, table.name, ids) for table in manifest.tables)
    except StoreError:
        return True


def _names(ledger: Ledger, table: str, ids: Sequence[str]) -> bool:
    if "airtable_record_id" not in ledger.columns(table):
        return False
    return bool(ledger.frame(table, ["airtable_record_id"])["airtable_record_id"].is_in(list(ids)).any())
