"""An export as it lies in the object store: its layout, its reader, its manifest. Nothing here asks Airtable.

    exports/<export id>/metadata.json     the base's metadata, as delivered
    .../tables/<id>/<page>.jsonl.zst      the records of one page, each line the exact slice of the response text
    .../index/<table id>.parquet          which records there are, their pages and hashes, see ``index``
    .../comments/<table id>.jsonl.zst     {"record_id", "comment": as delivered} where there are any
    .../progress/...                      how far an unfinished export is; of no meaning afterwards
    .../MANIFEST.json                     written last, create-only: no manifest, no export
    .../attachments.json                  written last by the attachments step, create-only; later tries -2, -3 ...
    .../r<revision>/...                   all but metadata and manifest of an export that a person was purged from
    media/<sha256>                        every file once

Invariants: an export with a manifest never changes, but that people who had themselves erased are purged from it
(``erasure.purge``): then a new manifest takes the place of the old one at once. A record's text is exactly what
Airtable sent, without the cells that the manifest names as left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import zstandard

from ledger_assets.errors import StoreError
from ledger_assets.extract.cursor import Cursor
from ledger_assets.extract.index import index_of, unpack_index
from ledger_assets.extract.metadata import BaseMeta, parse_metadata
from ledger_assets.extract.slices import head
from ledger_assets.storage import ObjectMissing, ObjectStore, damaged

if TYPE_CHECKING:
    import polars as pl

FORMAT = 1
FOLDER = "exports"


@dataclass(frozen=True)
class RawRecord:
    """One record: its id, createdTime as delivered, and ``raw``, the exact slice of the response text."""

    id: str
    created_time: str
    raw: str


@dataclass(frozen=True)
class TableManifest:
    """What an export holds of one table. Hashes are SHA-256 hex.

    ``ids_sha256``: of the sorted record ids, each followed by a line feed. ``content_sha256``: of
    one line ``<record id> <SHA-256 hex of its raw UTF-8>`` per record in id order, each followed by a line
    feed: Postgres can compute it anew without sorting a base's texts. ``restarts``: how often the scan began anew
    (422, interruption). ``index_sha256``: of the index's object; '': there is none. ``erased``: records of Airtable
    that people had erased, left out. ``redacted``: cells of other records, left out (of a link cell: links) because
    they could repeat an erased record's words; record ids by field id.
    """

    id: str
    name: str
    records: int
    pages: int
    duplicates: int
    comments: int
    ids_sha256: str
    content_sha256: str
    scan_started: str
    scan_finished: str
    restarts: int = 0
    index_sha256: str = ""
    erased: int = 0
    redacted: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class ExportManifest:
    """The manifest of a complete export; times are ISO 8601 UTC.

    ``calls``: requests sent, by interrupted runs too as far as their last progress tells. ``started_at``: of the
    first run. ``continued``: None, or the moment of the last interruption; what was read before it was not read
    again by the run that completed the export. ``metadata_sha256``: of metadata.json's bytes. ``erasures``: request
    ids of what people had erased before, left out from the beginning; ``purged``: of what was taken out afterwards;
    ``revision``: how often. ``cursor``: from before the first page was read; None: of an older version. ``synced_from``:
    the export that this one was made of, with what had changed since.
    """

    export_id: str
    environment: str
    base_id: str
    started_at: str
    finished_at: str
    final: bool
    calls: int
    metadata_sha256: str
    tables: tuple[TableManifest, ...]
    format: int = FORMAT
    tool: dict[str, str] = field(default_factory=dict)
    continued: str | None = None
    erasures: tuple[str, ...] = ()
    purged: tuple[str, ...] = ()
    revision: int = 0
    cursor: Cursor | None = None
    synced_from: str | None = None

    @property
    def folder(self) -> str:
        """Where its pages, indexes, comments and inventories of files lie."""
        return folder(self.export_id, self.revision)

    def to_json(self) -> bytes:
        """The manifest as its object's bytes."""
        return json.dumps(asdict(self), indent=1).encode()


def parse_manifest(data: bytes) -> ExportManifest:
    """Parse MANIFEST.json. Raises :class:`StoreError` for a format of a newer version."""
    document: dict[str, Any] = json.loads(data)
    if document["format"] != FORMAT:
        raise StoreError(
            f"export {document.get('export_id')}: format {document['format']} is not known; upgrade"
        )
    tables = tuple(TableManifest(**table) for table in document.pop("tables"))
    document |= {name: tuple(document.get(name, ())) for name in ("erasures", "purged")}
    document["cursor"] = Cursor(**document["cursor"]) if document.get("cursor") else None
    return ExportManifest(tables=tables, **document)


def folder(export_id: str, revision: int = 0) -> str:
    """Where the pages of an export lie, by how often people were purged from it."""
    return f"{FOLDER}/{export_id}/r{revision}" if revision else f"{FOLDER}/{export_id}"


def revision_of(store: ObjectStore, export_id: str) -> int:
    """How often people were purged from the export. 0 when it has no manifest, or one that cannot be read."""
    try:
        return parse_manifest(store.get(f"{FOLDER}/{export_id}/MANIFEST.json")).revision
    except (StoreError, ValueError, LookupError, TypeError):
        return 0


def page_key(export_id: str, table_id: str, page: int, revision: int = 0) -> str:
    """Key of the object that holds page number ``page`` (from 0) of a table."""
    return f"{folder(export_id, revision)}/tables/{table_id}/{page:06d}.jsonl.zst"


def index_key(export_id: str, table_id: str, revision: int = 0) -> str:
    """Key of the object that holds a table's index."""
    return f"{folder(export_id, revision)}/index/{table_id}.parquet"


RECORD_SEPARATOR = "\x1e"


def comments_key(export_id: str, table_id: str, revision: int = 0) -> str:
    """Key of the object that holds a table's comments."""
    return f"{folder(export_id, revision)}/comments/{table_id}.jsonl.zst"


def pack(lines: Iterable[str]) -> bytes:
    """JSON lines, compressed. Lone surrogates cannot occur: JSON text carries them escaped.

    White space between JSON tokens may be a line feed. Airtable sends none; a page that has any is written as
    a JSON text sequence (RFC 7464), each text after a record separator, which cannot occur in JSON unescaped.
    """
    texts = list(lines)
    lead = RECORD_SEPARATOR if any("\n" in text for text in texts) else ""
    # The checksum makes one changed bit on the disk an error when it is read, and not another text.
    compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
    return compressor.compress("".join(f"{lead}{text}\n" for text in texts).encode())


def unpack(data: bytes) -> Iterator[str]:
    """The texts of :func:`pack`. Split at line feeds only: JSON text may hold U+2028 unescaped."""
    # At once and not as a stream: a stream that ends too early is read as a shorter one, without an error.
    text = zstandard.ZstdDecompressor().decompress(data).decode()
    if text.startswith(RECORD_SEPARATOR):
        yield from (part[:-1] for part in text.split(RECORD_SEPARATOR)[1:])
    else:
        yield from text.split("\n")[:-1]


def read_lines(store: ObjectStore, key: str) -> list[str]:
    """The texts of the object at ``key``. Raises :class:`StoreError` naming the object when it is damaged."""
    try:
        return list(unpack(store.get(key)))
    except (zstandard.ZstdError, UnicodeDecodeError):
        raise damaged(store, key) from None


class Export:
    """A complete export, read from the store."""

    def __init__(self, store: ObjectStore, export_id: str) -> None:
        """Raises :class:`StoreError` when there is no complete export of that id."""
        self._store = store
        self.export_id = export_id
        key = f"{FOLDER}/{export_id}/MANIFEST.json"
        try:
            self.manifest = parse_manifest(store.get(key))
        except ObjectMissing:
            raise StoreError(
                f"export {export_id} is not complete or not in {store.url}; run an export"
            ) from None
        except (ValueError, LookupError, TypeError):
            raise damaged(store, key) from None

    @cached_property
    def metadata(self) -> BaseMeta:
        """The base's metadata at the time of the export."""
        return parse_metadata(self.manifest.base_id, self.metadata_text)

    @cached_property
    def metadata_text(self) -> str:
        """The metadata's JSON text as delivered."""
        key = f"{FOLDER}/{self.export_id}/metadata.json"
        text = self._store.get(key)
        if hashlib.sha256(text).hexdigest() != self.manifest.metadata_sha256:
            raise damaged(self._store, key)
        return text.decode()

    def pages(self, table_id: str) -> Iterator[list[str]]:
        """The table's raw records page by page, as stored: an id may come again (see :meth:`records`)."""
        for page in range(self.table(table_id).pages):
            yield self.page(table_id, page)

    def page(self, table_id: str, page: int) -> list[str]:
        """The raw records of one page, as stored."""
        return read_lines(self._store, page_key(self.export_id, table_id, page, self.manifest.revision))

    def index(self, table_id: str) -> pl.DataFrame:
        """The table's index; of an export without one it is made of all its pages.

        Raises :class:`StoreError` when its object is not what the manifest says.
        """
        wanted = self.table(table_id).index_sha256
        if not wanted:
            return index_of(self.pages(table_id))
        key = index_key(self.export_id, table_id, self.manifest.revision)
        try:
            data = self._store.get(key)
        except ObjectMissing:
            raise damaged(self._store, key) from None
        if hashlib.sha256(data).hexdigest() != wanted:
            raise damaged(self._store, key)
        return unpack_index(data)

    def records(self, table_id: str) -> Iterator[RawRecord]:
        """The table's records in Airtable's order, each id once (a page re-read after a restart repeats
        some).
        """
        seen: set[str] = set()
        for page in self.pages(table_id):
            for raw in page:
                record_id, created_time = head(raw)
                if record_id not in seen:
                    seen.add(record_id)
                    yield RawRecord(record_id, created_time, raw)

    def comments(self, table_id: str) -> Iterator[str]:
        """The table's comments as JSON lines ``{"record_id", "comment"}``."""
        if self.table(table_id).comments:
            yield from read_lines(self._store, comments_key(self.export_id, table_id, self.manifest.revision))

    def table(self, table_id: str) -> TableManifest:
        """The manifest of one table. Raises :class:`StoreError` when the export does not hold it."""
        for table in self.manifest.tables:
            if table.id == table_id:
                return table
        raise StoreError(f"export {self.export_id} holds no table {table_id}")


def list_exports(store: ObjectStore) -> list[str]:
    """Ids of the complete exports, oldest first (an id starts with its time)."""
    return [e for e in store.folders(FOLDER) if store.size(f"{FOLDER}/{e}/MANIFEST.json") is not None]


def latest_export(store: ObjectStore, base_id: str | None = None, *, with_files: bool = False) -> Export:
    """The newest complete export (of that base; whose files have all been looked for).

    Raises :class:`StoreError` when there is none.
    """
    for export_id in reversed(list_exports(store)):
        if with_files and not _has_files(store, export_id):
            continue
        export = Export(store, export_id)
        if base_id in {None, export.manifest.base_id}:
            return export
    of = f" of base {base_id}" if base_id else ""
    files = " with its files" if with_files else ""
    raise StoreError(f"there is no complete export{of}{files} in {store.url}; run: ledger-assets export ENV")


def _has_files(store: ObjectStore, export_id: str) -> bool:
    where = folder(export_id, revision_of(store, export_id))
    return store.size(f"{where}/attachments.json") is not None
