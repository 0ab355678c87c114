"""An export while it is being written: where it stands, whether it may be continued, and how it is thrown
away.

    exports/<export id>/progress/begun.json        for whom and when it was begun; written first of all
    exports/<export id>/progress/<table id>.json   how far a table is; written after the page it counts

Invariant: what the progress counts is in the store. Whoever calls this holds the export's lock, so an export
without a manifest that was begun under the same lock folder is interrupted, not running.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger_assets.extract.cursor import Cursor
from ledger_assets.extract.export import FOLDER, page_key
from ledger_assets.extract.metadata import BaseMeta, parse_metadata
from ledger_assets.storage import ObjectMissing, ObjectStore

CONTINUE_WITHIN = timedelta(minutes=15)
"""Since its last progress. What is there already is not read again, so a change made since, a consent withdrawn,
would be missing; and Airtable forgets a scan's place after idle minutes anyway."""


@dataclass(frozen=True)
class Begun:
    """For whom and when an export was begun; ``owner`` stands for the lock folder that guards it."""

    base_id: str
    environment: str
    final: bool
    owner: str
    started_at: str
    erasures: tuple[str, ...] = ()
    """Request ids of what it leaves out."""
    cursor: Cursor | None = None
    """Of the webhook, from before the first page was read."""
    synced_from: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "erasures", tuple(self.erasures))


@dataclass(frozen=True)
class TableProgress:
    """How far a table is: its pages in the store, the offset of the next one, and what is done.

    ``at``: when this was written; ``calls``: requests of the whole export until then, in all its runs.
    """

    scan_started: str
    scan_finished: str = ""
    pages: int = 0
    offset: str | None = None
    scanned: bool = False
    finished: bool = False
    comments: int = 0
    restarts: int = 0
    at: str = ""
    calls: int = 0
    erased: tuple[str, ...] = ()
    """Ids of the records that were left out."""
    redacted: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Reached:
    """How far an interrupted export came: the moment of its last progress, and its requests until then."""

    at: str
    calls: int


class Unfinished:
    """One export without a manifest."""

    def __init__(self, store: ObjectStore, export_id: str, begun: Begun) -> None:
        self.store = store
        self.export_id = export_id
        self.begun = begun

    def key(self, name: str) -> str:
        """Key of an object of this export."""
        return f"{FOLDER}/{self.export_id}/{name}"

    def progress(self, table_id: str) -> TableProgress | None:
        """How far the table is, None when no page of it was kept, or it cannot be read how many were."""
        try:
            return TableProgress(**json.loads(self.store.get(self.key(f"progress/{table_id}.json"))))
        except (ObjectMissing, ValueError, TypeError):
            return None

    def keep_progress(self, table_id: str, progress: TableProgress) -> None:
        """Write down how far the table is."""
        self.store.put(self.key(f"progress/{table_id}.json"), json.dumps(asdict(progress)).encode())

    def reached(self) -> Reached:
        """Where the interruption was, the beginning when nothing was kept yet."""
        found = [Reached(self.begun.started_at, 0)]
        for entry in self.store.list(self.key("progress/")):
            name = entry.key.rsplit("/", 1)[-1].removesuffix(".json")
            progress = None if name == "begun" else self.progress(name)
            if progress is not None:
                found.append(Reached(progress.at, progress.calls))
        return Reached(max(one.at for one in found), max(one.calls for one in found))

    def keep_page(self, table_id: str, page: int, data: bytes) -> None:
        """Write a page; one of an earlier, lost scan may be there and is replaced."""
        self.store.put(page_key(self.export_id, table_id, page), data)

    def discard(self) -> None:
        """Remove everything of this export; ``begun.json`` last, so that an interrupted removal is finished
        later.
        """
        begun = self.key("progress/begun.json")
        for entry in self.store.list(self.key("")):
            if entry.key != begun:
                self.store.delete(entry.key)
        self.store.delete(begun)


def parse_begun(data: bytes) -> Begun:
    """``begun.json``. Raises ValueError or TypeError for what is none."""
    document = json.loads(data)
    if not isinstance(document, dict):
        raise TypeError("no object")
    cursor = document.pop("cursor", None)
    return Begun(**document, cursor=None if cursor is None else Cursor(**cursor))


def owner(lock_folder: Path) -> str:
    """What stands for a lock folder in ``begun.json``."""
    return hashlib.sha256(str(lock_folder.absolute()).encode()).hexdigest()


def begin(store: ObjectStore, begun: Begun, metadata: str) -> Unfinished:
    """Begin a new export. Its id starts with its time, to the microsecond: ids sort as they were begun."""
    moment = datetime.fromisoformat(begun.started_at).strftime("%Y%m%dT%H%M%S%fZ")
    export = Unfinished(store, f"{moment}-{secrets.token_hex(3)}", begun)
    store.put(export.key("progress/begun.json"), json.dumps(asdict(begun)).encode(), create=True)
    store.put(export.key("metadata.json"), metadata.encode(), create=True)
    return export


def interrupted(store: ObjectStore, base_id: str, owned_by: str) -> list[Unfinished]:
    """The interrupted exports of the base, newest first. Those of another lock folder may be running: left
    alone; so are those whose beginning a power cut has garbled: nobody can tell whose they are.
    """
    found = []
    for export_id in reversed(store.folders(FOLDER)):
        if store.size(f"{FOLDER}/{export_id}/MANIFEST.json") is not None:
            continue
        try:
            begun = parse_begun(store.get(f"{FOLDER}/{export_id}/progress/begun.json"))
        except (ObjectMissing, ValueError, TypeError):
            continue
        if (begun.base_id, begun.owner) == (base_id, owned_by):
            found.append(Unfinished(store, export_id, begun))
    return found


def can_continue(export: Unfinished, wanted: Begun, meta: BaseMeta) -> bool:
    """Whether this is the export that is wanted now, was interrupted just now, and the base has the same tables
    and fields still. A final export never is: its second scan sees no edit that was made in between.
    """
    if export.begun.synced_from is not None:  # what lies there is not a scan's
        return False
    if wanted.final or export.begun.final or export.begun.environment != wanted.environment:
        return False
    if export.begun.erasures != wanted.erasures:  # what it holds already may have to be left out now
        return False
    since = datetime.fromisoformat(wanted.started_at) - datetime.fromisoformat(export.reached().at)
    if abs(since) > CONTINUE_WITHIN:  # before it: the machine's clock was set back, by who knows how much
        return False
    try:
        kept = export.store.get(export.key("metadata.json"))
    except ObjectMissing:
        return False
    return parse_metadata(wanted.base_id, kept) == meta


def timestamp(moment: float) -> str:
    """A time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")
