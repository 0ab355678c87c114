"""A small base that a test spells out: links given on one side, everything that Airtable computes computed,
files stored, exported as the export step writes it.

The values are invented. The records are chosen so that every rule of the declarations has a cell: normalised,
refused, unmapped and blank ones, two storytellers of one story, error cells, white space, milliseconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger_assets.demo import schema
from ledger_assets.demo.derived import derivations, set_derived
from ledger_assets.demo.model import Table, airtable_id, metadata
from ledger_assets.environment import SYNTHETIC_BASE_ID
from ledger_assets.extract.attachments import AttachmentEntry, AttachmentInventory, inventory_key
from ledger_assets.extract.export import (
    FOLDER,
    Export,
    ExportManifest,
    TableManifest,
    comments_key,
    pack,
    page_key,
)
from ledger_assets.storage import ObjectStore

NOW = "2026-11-22T08:00:00.000Z"
PAGE = 3


def rec(name: str) -> str:
    """The record id that a test calls ``name``."""
    return airtable_id("rec", name)


def att(name: str) -> str:
    """The attachment id that a test calls ``name``."""
    return airtable_id("att", name)


@dataclass
class SmallBase:
    """Records by table and name, with their cells by field name; changed by tests before it is exported."""

    tables: tuple[Table, ...] = schema.TABLES
    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    """Record id -> its exact text, instead of the text made from its cells."""
    comments: dict[str, list[str]] = field(default_factory=dict)
    """Table name -> records with a comment each."""
    files: dict[str, bytes] = field(default_factory=dict)
    signature: str = "1"
    """Of the addresses of files: Airtable signs them anew with every answer."""
    lookups: bool = True
    exports: int = 0

    def link(self, table: str, record: str, name: str, *to: str) -> None:
        """Link ``record`` to the records ``to``, shown on both sides when the field has another side."""
        link = self._table(table).field(name)
        assert link.to is not None
        self.records[table][record].setdefault(name, []).extend(rec(other) for other in to)
        for other in to:
            if link.inverse is not None:
                self.records[link.to][other].setdefault(link.inverse, []).append(rec(record))

    def file(self, name: str, content: bytes) -> list[dict[str, Any]]:
        """An attachment cell with one file of that content."""
        self.files[att(name)] = content
        url = f"https://v5.airtableusercontent.example/{name}"
        return [
            {
                "id": att(name),
                "url": url,
                "filename": f"{name}.jpg",
                "size": len(content),
                "type": "image/jpeg",
            }
        ]

    def export(self, store: ObjectStore) -> Export:
        """Write an export, its files and their inventory."""
        self.exports += 1
        export_id = f"20261122T0800{self.exports:02d}Z"
        texts = self._texts()
        described = json.dumps(metadata(self.tables))
        store.put(f"{FOLDER}/{export_id}/metadata.json", described.encode())
        manifests = [self._write_table(store, export_id, table, texts[table.name]) for table in self.tables]
        manifest = ExportManifest(
            export_id, "staging", SYNTHETIC_BASE_ID, NOW, NOW, False, 9, _hash([described]), tuple(manifests)
        )
        store.put(inventory_key(export_id), self._inventory(store, export_id).to_json())
        store.put(f"{FOLDER}/{export_id}/MANIFEST.json", manifest.to_json())
        return Export(store, export_id)

    def _sign(self) -> None:
        cells = (
            cell for table in self.records.values() for record in table.values() for cell in record.values()
        )
        for cell in cells:
            for item in cell if isinstance(cell, list) else ():
                if isinstance(item, dict) and item.get("id") in self.files:
                    item["url"] = f"{item['url'].partition('?')[0]}?signature={self.signature}"

    def _table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)

    def _texts(self) -> dict[str, list[tuple[str, str]]]:
        """(record id, exact text) of every record by table name."""
        self._sign()
        made: dict[str, list[tuple[str, str, dict[str, str]]]] = {}
        for table in self.tables:
            made[table.id] = [
                (
                    rec(name),
                    _created(number),
                    {table.field_id(f): json.dumps(v, separators=(",", ":")) for f, v in cells.items()},
                )
                for number, (name, cells) in enumerate(self.records.get(table.name, {}).items())
            ]
        if self.lookups:
            known = {record_id: cells for records in made.values() for record_id, _, cells in records}
            given = {record_id: dict(cells) for record_id, cells in known.items()}
            set_derived(derivations(self.tables), made, known.get)
            for record_id, cells in given.items():
                known[record_id].update(cells)  # a computed cell that the test spells out wins
        return {
            table.name: [
                (record_id, self.raw.get(record_id) or _record(record_id, created, cells))
                for record_id, created, cells in made[table.id]
            ]
            for table in self.tables
        }

    def _write_table(
        self, store: ObjectStore, export_id: str, table: Table, texts: list[tuple[str, str]]
    ) -> TableManifest:
        pages = [texts[i : i + PAGE] for i in range(0, len(texts), PAGE)] or [[]]
        for number, page in enumerate(pages):
            store.put(page_key(export_id, table.id, number), pack(text for _, text in page))
        comments = self.comments.get(table.name, [])
        if comments:
            lines = (
                json.dumps({"record_id": rec(r), "comment": {"id": f"com{n}"}})
                for n, r in enumerate(comments)
            )
            store.put(comments_key(export_id, table.id), pack(lines))
        ordered = sorted(texts)
        return TableManifest(
            id=table.id,
            name=table.name,
            records=len(texts),
            pages=len(pages),
            duplicates=0,
            comments=len(comments),
            ids_sha256=_hash(f"{record_id}\n" for record_id, _ in ordered),
            content_sha256=_hash(f"{record_id} {_hash([text])}\n" for record_id, text in ordered),
            scan_started=NOW,
            scan_finished=NOW,
        )

    def _inventory(self, store: ObjectStore, export_id: str) -> AttachmentInventory:
        entries = []
        for table in self.tables:
            for name, cells in self.records.get(table.name, {}).items():
                for one in table.fields:
                    if one.type == "multipleAttachments":
                        for item in cells.get(one.name, []):
                            entries.append(
                                self._entry(store, table.id, rec(name), table.field_id(one.name), item)
                            )
        return AttachmentInventory(export_id, tuple(entries), len(self.files))

    def _entry(
        self, store: ObjectStore, table_id: str, record_id: str, field_id: str, item: Mapping[str, Any]
    ) -> AttachmentEntry:
        content = self.files[item["id"]]
        name = hashlib.sha256(content).hexdigest()
        store.put(f"media/{name}", content)
        about = (item["id"], table_id, record_id, field_id, item["filename"], item["size"], item["type"])
        return AttachmentEntry(*about, sha256=name, object_key=f"media/{name}")


def small_base() -> SmallBase:
    """Three storytellers that can be rows, one blank, one without a name; three stories; three interviews."""
    base = SmallBase()
    base.records = {
        "Storytellers": {
            "ada": {
                "Name": " Ada Example\n",
                "Preferred Name": "Ada",
                "Project": "Night Van",
                "Location": "Bundaburg",
                "Organisation": "Wattlebird House",
                "Role": "Storyteller",
                "Bio": "  kept as it is ",
                "YJ": True,
                "Website themes": ["Hope", "Work, and rest", "Hope "],
                "Secure Contact Email": "ada@example.org",
                "Created At": "2024-10-05",
                "Done": True,
                "Magic Link URL": "https://magic.example/secret",
                "Consent Status": "Consent for Public Sharing",
            },
            "ben": {
                "Name": "Ben Example",
                "Location": "Witta",
                "Created At": "2025-02-30",
                "Phone Number": "+61000",
            },
            "cat": {"Name": "Cat Example", "YJ": True, "Organisation": "Freelancer"},
            "blank": {},
            "nameless": {"Name": "  ", "Bio": "without a name", "Secure Contact Email": "n@example.org"},
        },
        "Stories": {
            "boat": {
                "Title": "The boat",
                "Story ID": 2,
                "Story Transcript": "x" * 400,
                "Created": "2025-01-05",
                "Airtable: Last modified time": "2025-03-04T05:06:07.123Z",
                "Status": "Draft",
                "CMS-B: Action": "publish",
            },
            "shed": {"Title": "The shed", "Story ID": 5, "Permissions": "Limited commercial use"},
            "empty": {},
        },
        "Media": {
            "one": {
                "File Name": "one",
                "Type": "Interview",
                "Transcript": "words of one",
                "Processed": True,
                "Location": "Darwin",
                "Project": "Night Van",
                "Created At": "2025-01-02",
            },
            "two": {"File Name": "two", "Type": "Photo", "Transcript": "words of two", "Location": "Darwin"},
            "odd": {"File Name": "odd", "Type": "Hologram", "Summary": {"error": "#ERROR!"}},
        },
        "Themes": {
            "hope": {"Theme Name": "Hope"},
            "work": {"Theme Name": "Work"},
            "rest": {"Theme Name": "Rest"},
        },
        "Quotes": {
            "first": {"Quote Text": "words of one"},
            "second": {"Quote Text": "never said", "Theme": "Hope"},
        },
    }
    base.records["Storytellers"]["ada"]["File Profile Image"] = base.file("face", b"a face")
    base.records["Storytellers"]["ben"]["File Profile Image"] = base.file("other face", b"another face")
    base.records["Stories"]["boat"]["Story Image"] = base.file("boat", b"a boat")
    base.link("Stories", "boat", "Storytellers", "ada", "ben")
    base.link("Stories", "shed", "Storytellers", "ben")
    base.link("Stories", "boat", "Media", "one")
    base.link("Media", "one", "Storytellers", "ada", "cat")
    base.link("Media", "two", "Storytellers", "ada", "nameless")
    base.link("Media", "one", "Themes", "hope", "work", "rest")
    base.link("Quotes", "first", "Transcript Reference", "one")
    base.comments = {"Stories": ["boat", "shed"]}
    return base


def without_cells(base: SmallBase, table: str, record: str, *names: str) -> None:
    """Empty cells, as Airtable does: by leaving them out."""
    for name in names:
        base.records[table][record].pop(name)


def _created(number: int) -> str:
    return f"2025-0{1 + number % 9}-03T04:05:06.000Z"


def _record(record_id: str, created: str, cells: Mapping[str, str]) -> str:
    body = ", ".join(f"{json.dumps(name)}: {text}" for name, text in cells.items())
    return f'{{"id":"{record_id}","createdTime":"{created}","fields":{{{body}}}}}'


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("".join(parts).encode()).hexdigest()
