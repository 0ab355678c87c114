"""The files of an export: every own attachment of every record, once, by content, with its hash.

What belongs here: which files there are, which are here already, and the inventory. What does not: the
transfer of one file (``files``). Lookups show other tables' attachments: they are never downloaded.

    exports/<export id>/progress/attachments/<name>.json   one file that is here; of no meaning afterwards

Invariants: an inventory is written last and never changed: a later try for files that could not be had writes
the next one (``attachments-2.json``), which counts from then on; it has an entry for every attachment of every cell; an
entry without ``sha256`` has a ``problem``; no address of a file is kept or said anywhere (whoever has it can
fetch it).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

from ledger_assets.errors import StoreError
from ledger_assets.extract.addresses import Addresses, Wanted
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.export import FOLDER, Export, folder, revision_of
from ledger_assets.extract.files import Downloader, FileProblem, StoredFile
from ledger_assets.extract.scratch import remove_abandoned, scratch_folder
from ledger_assets.extract.slices import is_text, parse, whole_number
from ledger_assets.progress import report
from ledger_assets.storage import ObjectExists, ObjectStore, damaged

THREADS = 8
FORMAT = 1


@dataclass(frozen=True)
class AttachmentEntry:
    """One attachment in one cell. ``problem``: why the file is not here, None when it is."""

    attachment_id: str
    table_id: str
    record_id: str
    field_id: str
    filename: str
    size: int
    content_type: str
    sha256: str | None = None
    object_key: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class AttachmentInventory:
    """All attachments of an export."""

    export_id: str
    entries: tuple[AttachmentEntry, ...]
    downloaded: int
    """Files fetched for this export; the others were here already."""
    format: int = FORMAT

    @property
    def problems(self) -> tuple[AttachmentEntry, ...]:
        """The entries whose file could not be had."""
        return tuple(entry for entry in self.entries if entry.problem is not None)

    def to_json(self) -> bytes:
        """The inventory as its object's bytes."""
        return json.dumps(asdict(self), indent=1).encode()


def inventory_key(export_id: str, attempt: int = 1, revision: int = 0) -> str:
    """Key of an export's inventory; ``attempt`` counts the tries from 1."""
    return f"{folder(export_id, revision)}/attachments{'' if attempt == 1 else f'-{attempt}'}.json"


def attempts(store: ObjectStore, export_id: str) -> int:
    """How many inventories the export has: 0 when its attachments step has not ended yet."""
    return _attempts(store, export_id, revision_of(store, export_id))


def _attempts(store: ObjectStore, export_id: str, revision: int) -> int:
    attempt = 0
    while store.size(inventory_key(export_id, attempt + 1, revision)) is not None:
        attempt += 1
    return attempt


def read_inventory(store: ObjectStore, export_id: str) -> AttachmentInventory:
    """The newest inventory of an export. Raises :class:`StoreError` when its attachments step has not ended."""
    revision = revision_of(store, export_id)
    attempt = _attempts(store, export_id, revision)
    if attempt == 0:
        raise StoreError(f"the files of export {export_id} are not complete; run the export again")
    key = inventory_key(export_id, attempt, revision)
    try:
        document = json.loads(store.get(key))
        if document["format"] != FORMAT:
            raise StoreError(
                f"export {export_id}: attachments format {document['format']} is not known; upgrade"
            )
        entries = tuple(AttachmentEntry(**entry) for entry in document.pop("entries"))
        return AttachmentInventory(entries=entries, **document)
    except (ValueError, LookupError, TypeError):
        raise damaged(store, key) from None


def download_attachments(client: AirtableClient, store: ObjectStore, export: Export) -> AttachmentInventory:
    """Fetch what is not here yet and write the inventory; an interrupted run is gone on with, and files that
    could not be had before are tried again.

    Files that cannot be had are entries with a ``problem``. Raises :class:`StoreError` when the store refuses
    and :class:`SourceError` when Airtable itself does (billing, token): then there is no inventory.
    """
    remove_abandoned(client.home)
    attempt = attempts(store, export.export_id)
    if attempt and not (before := read_inventory(store, export.export_id)).problems:
        return before
    entries, wanted = _listed(export)
    kept = dict(_kept(store, export.export_id, wanted))
    missing = [one for attachment_id, one in wanted.items() if attachment_id not in kept]
    found, problems = _fetched(client, store, export, missing, done=len(kept), total=len(wanted))
    kept.update(found)
    inventory = AttachmentInventory(
        export.export_id, tuple(_settled(entry, kept, problems) for entry in entries), downloaded=len(found)
    )
    try:
        key = inventory_key(export.export_id, attempt + 1, export.manifest.revision)
        store.put(key, inventory.to_json(), create=True)
    except ObjectExists:  # another process has done the same meanwhile
        return read_inventory(store, export.export_id)
    return inventory


def _listed(export: Export) -> tuple[list[AttachmentEntry], dict[str, Wanted]]:
    """Every attachment of every own attachment cell, and each file once with where its address is read."""
    entries: list[AttachmentEntry] = []
    wanted: dict[str, Wanted] = {}
    for table in export.metadata.tables:
        own = [field.id for field in table.fields if field.type == "multipleAttachments"]
        if not own:
            continue
        read_at = export.table(table.id).scan_started
        for record in export.records(table.id):
            cells = parse(record.raw)["fields"]
            for field_id in own:
                for item in _items(cells.get(field_id)):
                    entry = _entry(table.id, record.id, field_id, item)
                    entries.append(entry)
                    if entry.problem is None and entry.attachment_id not in wanted:
                        wanted[entry.attachment_id] = Wanted(
                            entry.attachment_id, table, record.id, field_id, entry.size, item["url"], read_at
                        )
    return entries, wanted


def _items(cell: Any) -> list[Any]:
    if cell is None:
        return []
    return cell if isinstance(cell, list) else [cell]


def _entry(table_id: str, record_id: str, field_id: str, item: Any) -> AttachmentEntry:
    item = item if isinstance(item, Mapping) else {}
    attachment_id, size = item.get("id"), whole_number(item.get("size"))
    readable = is_text(attachment_id) and is_text(item.get("url")) and size is not None
    return AttachmentEntry(
        attachment_id=str(attachment_id or ""),
        table_id=table_id,
        record_id=record_id,
        field_id=field_id,
        filename=_holdable(item.get("filename")),
        size=size or 0,
        content_type=_holdable(item.get("type")),
        problem=None if readable else "the cell holds no attachment with id, address and size",
    )


def _holdable(value: Any) -> str:
    """As text that Postgres can hold: NUL and lone halves of characters become U+FFFD, as in the records' ``fields``."""
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", str(value or ""))


def _kept(
    store: ObjectStore, export_id: str, wanted: Mapping[str, Wanted]
) -> Iterator[tuple[str, StoredFile]]:
    """The wanted files that are here: of an interrupted run of this step or the newest earlier inventory."""
    known = dict(_earlier(store, export_id))
    for entry in store.list(f"{FOLDER}/{export_id}/progress/attachments/"):
        marker = json.loads(store.get(entry.key))
        known[marker["attachment_id"]] = StoredFile(marker["sha256"], marker["size"])
    for attachment_id, file in known.items():
        one = wanted.get(attachment_id)
        if one is not None and one.size == file.size and store.size(file.key) == file.size:
            yield attachment_id, file


def _earlier(store: ObjectStore, export_id: str) -> Iterator[tuple[str, StoredFile]]:
    for earlier in reversed(store.folders(FOLDER)):
        if earlier != export_id and attempts(store, earlier):
            for entry in read_inventory(store, earlier).entries:
                if entry.sha256 is not None:
                    yield entry.attachment_id, StoredFile(entry.sha256, entry.size)
            return


def _fetched(
    client: AirtableClient,
    store: ObjectStore,
    export: Export,
    missing: list[Wanted],
    *,
    done: int,
    total: int,
) -> tuple[dict[str, StoredFile], dict[str, str]]:
    """Fetch the missing files, several at once: the stored ones and, for the others, what the matter was."""
    found: dict[str, StoredFile] = {}
    problems: dict[str, str] = {}
    report("attachments", "files", done, total)
    with scratch_folder(client.home) as folder:
        downloader = Downloader(client, store, Addresses(client, missing), folder)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="attachments") as pool:
            futures = [pool.submit(_one, downloader, store, export.export_id, one) for one in missing]
            try:
                for one, future in zip(missing, futures, strict=True):
                    try:
                        found[one.attachment_id] = future.result()
                    except FileProblem as problem:
                        problems[one.attachment_id] = str(problem)
                    done += 1
                    report("attachments", "files", done, total)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        downloader.close()
    return found, problems


def _one(downloader: Downloader, store: ObjectStore, export_id: str, one: Wanted) -> StoredFile:
    file = downloader.fetch(one)
    marker = {"attachment_id": one.attachment_id, "sha256": file.sha256, "size": file.size}
    name = hashlib.sha256(one.attachment_id.encode()).hexdigest()[:32]
    store.put(f"{FOLDER}/{export_id}/progress/attachments/{name}.json", json.dumps(marker).encode())
    return file


def _settled(
    entry: AttachmentEntry, kept: Mapping[str, StoredFile], problems: Mapping[str, str]
) -> AttachmentEntry:
    if entry.problem is not None:
        return entry
    file = kept.get(entry.attachment_id)
    if file is None:
        return replace(entry, problem=problems[entry.attachment_id])
    if file.size != entry.size:
        return replace(entry, problem="another cell gives the same attachment another size")
    return replace(entry, sha256=file.sha256, object_key=file.key)


def problem_lines(inventory: AttachmentInventory, shown: int = 20) -> Iterable[str]:
    """The first problems, one line each: ids and the reason, never a file's name."""
    for entry in inventory.problems[:shown]:
        yield f"{entry.attachment_id} of record {entry.record_id} in {entry.table_id}: {entry.problem}"
