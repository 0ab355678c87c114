"""A ledger as it lies in the object store: its layout, its reader, its manifest. Nothing here builds one.

    ledger/<ledger id>/<table>.parquet     system columns, the model's columns, ``source_hash``
    ledger/<ledger id>/quarantine.parquet  table, table_id, record_id, field (NULL: the whole record), reason
    ledger/<ledger id>/skipped.parquet     table, table_id, record_id, rule
    ledger/<ledger id>/reported.parquet    table, kind, table_id, record_id, field, reason
    ledger/<ledger id>/MANIFEST.json       written last, create-only: no manifest, no ledger

``table`` is the target table whose module said it. Invariant: a ledger with a manifest never changes.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from ledger_assets.errors import StoreError
from ledger_assets.storage import ObjectMissing, ObjectStore, damaged

FORMAT = 1
FOLDER = "ledger"
QUARANTINE, SKIPPED, REPORTED = "quarantine", "skipped", "reported"


@dataclass(frozen=True)
class LedgerCheck:
    """One check of one target table. ``detail``: counts, names, at most 20 record ids; never a cell's
    value."""

    table: str
    name: str
    passed: bool
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LedgerTable:
    """One target table. ``sha256``: of (id, source_hash) of its rows in id order. The records of the Airtable
    table whose rows it is (0 where no record has a row of its own), and what became of them; ``reported`` by
    kind."""

    name: str
    rows: int
    sha256: str
    records: int
    quarantined: int
    """Whole records."""
    quarantined_cells: int
    skipped: int
    reported: Mapping[str, int]


@dataclass(frozen=True)
class LedgerManifest:
    """The manifest of a complete ledger; times are ISO 8601 UTC."""

    ledger_id: str
    export_id: str
    base_id: str
    started_at: str
    finished_at: str
    tables: tuple[LedgerTable, ...]
    checks: tuple[LedgerCheck, ...]
    files: Mapping[str, str]
    """Name of each frame -> SHA-256 of its object."""
    format: int = FORMAT
    revision: int = 0
    """Of the export: once people were purged from it, a ledger made before holds them still and is removed."""

    @property
    def passed(self) -> bool:
        """True when every check passed."""
        return all(check.passed for check in self.checks)

    def table(self, name: str) -> LedgerTable:
        """The target table of that name. Raises KeyError."""
        return {table.name: table for table in self.tables}[name]

    def to_json(self) -> bytes:
        """The manifest as its object's bytes."""
        return json.dumps(asdict(self), indent=1).encode()


def parse_manifest(data: bytes) -> LedgerManifest:
    """Parse MANIFEST.json. Raises :class:`StoreError` for a format of a newer version."""
    document: dict[str, Any] = json.loads(data)
    if document["format"] != FORMAT:
        raise StoreError(
            f"ledger {document.get('ledger_id')}: format {document['format']} is not known; upgrade"
        )
    tables = tuple(LedgerTable(**table) for table in document.pop("tables"))
    checks = tuple(LedgerCheck(**check) for check in document.pop("checks"))
    return LedgerManifest(tables=tables, checks=checks, **document)


def key(ledger_id: str, name: str) -> str:
    """Key of the object ``name`` of a ledger."""
    return f"{FOLDER}/{ledger_id}/{name}"


class Ledger:
    """A complete ledger, read from the store."""

    def __init__(self, store: ObjectStore, ledger_id: str) -> None:
        """Raises :class:`StoreError` when there is no complete ledger of that id."""
        self._store = store
        self.ledger_id = ledger_id
        try:
            self.manifest = parse_manifest(store.get(key(ledger_id, "MANIFEST.json")))
        except ObjectMissing:
            raise StoreError(
                f"ledger {ledger_id} is not complete or not in {store.url}; materialise the ledger again"
            ) from None
        except (ValueError, LookupError, TypeError):
            raise damaged(store, key(ledger_id, "MANIFEST.json")) from None

    def frame(self, table: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The rows of one target table (``columns``: only these). Raises :class:`StoreError` when its object is not
        what was written."""
        return pl.read_parquet(self._object(table), columns=None if columns is None else list(columns))

    def columns(self, table: str) -> list[str]:
        """The columns of :meth:`frame`."""
        return list(pl.read_parquet_schema(self._object(table)))

    def _object(self, table: str) -> io.BytesIO:
        return verified(self._store, key(self.ledger_id, f"{table}.parquet"), self.manifest.files.get(table))

    @cached_property
    def quarantined(self) -> pl.DataFrame:
        """Records (field NULL) and cells that could not be mapped."""
        return self.frame(QUARANTINE)

    @cached_property
    def skipped(self) -> pl.DataFrame:
        """Records that make no row by a declared rule."""
        return self.frame(SKIPPED)

    @cached_property
    def reported(self) -> pl.DataFrame:
        """What a person has to decide."""
        return self.frame(REPORTED)


def verified(store: ObjectStore, name: str, sha256: str | None) -> io.BytesIO:
    """The object's bytes. Raises :class:`StoreError` when their hash is another."""
    content = store.get(name)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise damaged(store, name)
    return io.BytesIO(content)


def list_ledgers(store: ObjectStore) -> list[str]:
    """Ids of the complete ledgers, oldest first (an id starts with its time)."""
    return [name for name in store.folders(FOLDER) if store.size(key(name, "MANIFEST.json")) is not None]


def latest_ledger(store: ObjectStore, *, base_id: str | None = None, export_id: str | None = None) -> Ledger:
    """The newest complete ledger (of that base, of that export). Raises :class:`StoreError` when there is none."""
    for ledger_id in reversed(list_ledgers(store)):
        ledger = Ledger(store, ledger_id)
        if base_id in {None, ledger.manifest.base_id} and export_id in {None, ledger.manifest.export_id}:
            return ledger
    of = f" of export {export_id}" if export_id else f" of base {base_id}" if base_id else ""
    raise StoreError(f"there is no complete ledger{of} in {store.url}; run: ledger-assets migrate ENV")
