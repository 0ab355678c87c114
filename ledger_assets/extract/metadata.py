"""The base's metadata (tables and fields) as Airtable's metadata API delivers it, and the pinned copy.

Dispatch is on ``type`` only: a field's ``options`` may be missing, and new types may appear any time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldMeta:
    """A field: its id (fld...), name, type and Airtable's options ({} when none were delivered)."""

    id: str
    name: str
    type: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class TableMeta:
    """A table: its id (tbl...), name, primary field id and fields in Airtable's order."""

    id: str
    name: str
    primary_field_id: str
    fields: tuple[FieldMeta, ...]

    def field(self, name: str) -> FieldMeta | None:
        """The field of that exact name."""
        return next((f for f in self.fields if f.name == name), None)

    def field_by_id(self, field_id: str) -> FieldMeta | None:
        """The field of that id."""
        return next((f for f in self.fields if f.id == field_id), None)


@dataclass(frozen=True)
class BaseMeta:
    """A base: its id and tables in Airtable's order."""

    base_id: str
    tables: tuple[TableMeta, ...]

    def table(self, name: str) -> TableMeta | None:
        """The table of that exact name."""
        return next((t for t in self.tables if t.name == name), None)

    def table_by_id(self, table_id: str) -> TableMeta | None:
        """The table of that id."""
        return next((t for t in self.tables if t.id == table_id), None)


def parse_metadata(base_id: str, body: str | bytes) -> BaseMeta:
    """Parse the body of ``GET /v0/meta/bases/{base}/tables``."""
    document = json.loads(body)
    return BaseMeta(
        base_id,
        tuple(
            TableMeta(
                id=table["id"],
                name=table["name"],
                primary_field_id=table.get("primaryFieldId", ""),
                fields=tuple(
                    FieldMeta(f["id"], f["name"], f["type"], f.get("options") or {}) for f in table["fields"]
                ),
            )
            for table in document["tables"]
        ),
    )
