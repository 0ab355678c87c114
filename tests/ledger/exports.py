"""Small exports, written as the export step writes them, of records that a test spells out.

Cells are given by field name; the metadata is that of the synthetic base's five tables unless a test brings
its own.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ledger_assets.demo import schema
from ledger_assets.demo.model import Table, airtable_id, metadata
from ledger_assets.environment import SYNTHETIC_BASE_ID
from ledger_assets.extract.export import FOLDER, Export, ExportManifest, TableManifest, pack, page_key
from ledger_assets.storage import ObjectStore

NOW = "2026-11-22T08:00:00.000Z"
CREATED = "2025-02-03T04:05:06.000Z"
_numbers = itertools.count()

Raw = str
Records = Mapping[str, Mapping[str, Any]]
"""Record name -> its cells by field name."""


def rec(name: str) -> str:
    """The record id that a test calls ``name``."""
    return airtable_id("rec", name)


def write_export(
    store: ObjectStore,
    records: Mapping[str, Records],
    *,
    tables: Iterable[Table] = schema.TABLES,
    created: Mapping[str, str] | None = None,
    raw: Mapping[str, Iterable[Raw]] | None = None,
    page: int = 100,
) -> Export:
    """An export of ``records`` (table name -> records) and of further ``raw`` record texts (table name ->
    texts)."""
    tables = tuple(tables)
    texts = {
        table.name: [
            *(
                _record(table, name, cells, created or {})
                for name, cells in records.get(table.name, {}).items()
            ),
            *(raw or {}).get(table.name, ()),
        ]
        for table in tables
    }
    return write_texts(store, metadata(tables), {t.id: (t.name, texts[t.name]) for t in tables}, page=page)


def write_texts(
    store: ObjectStore,
    document: Mapping[str, Any],
    texts: Mapping[str, tuple[str, list[Raw]]],
    *,
    page: int = 100,
) -> Export:
    """An export of record texts: table id -> (name, texts)."""
    export_id = f"20261122T080000Z-{next(_numbers):04d}"
    body = json.dumps(document).encode()
    store.put(f"{FOLDER}/{export_id}/metadata.json", body)
    manifests = []
    for table_id, (name, lines) in texts.items():
        pages = [lines[i : i + page] for i in range(0, len(lines), page)] or [[]]
        for number, part in enumerate(pages):
            store.put(page_key(export_id, table_id, number), pack(part))
        manifests.append(TableManifest(table_id, name, len(lines), len(pages), 0, 0, "", "", NOW, NOW))
    manifest = ExportManifest(
        export_id=export_id,
        environment="staging",
        base_id=SYNTHETIC_BASE_ID,
        started_at=NOW,
        finished_at=NOW,
        final=False,
        calls=len(manifests),
        metadata_sha256=hashlib.sha256(body).hexdigest(),
        tables=tuple(manifests),
    )
    store.put(f"{FOLDER}/{export_id}/MANIFEST.json", manifest.to_json())
    return Export(store, export_id)


def _record(table: Table, name: str, cells: Mapping[str, Any], created: Mapping[str, str]) -> Raw:
    fields = {table.field_id(field): value for field, value in cells.items()}
    return json.dumps({"id": rec(name), "createdTime": created.get(name, CREATED), "fields": fields})
