"""The tables of an open base, found by id or name, with what links to what. Rebuilt when a field changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ledger_assets.demo.api_errors import forbidden, unknown_field, unprocessable
from ledger_assets.demo.basefile import SEQ_PER_TABLE, Row
from ledger_assets.demo.cells import encode
from ledger_assets.demo.derived import DERIVED_TYPES, derivations
from ledger_assets.demo.model import Field, Table

SERVER_TYPES = DERIVED_TYPES | {
    "autoNumber",
    "lastModifiedTime",
    "createdBy",
    "lastModifiedBy",
    "button",
    "externalSyncSource",
    "aiText",
}
"""Fields that no client may write."""


@dataclass(frozen=True)
class Incoming:
    """A link field of some table that points here; ``inverse``: our field that shows the same links."""

    table: int
    field: str
    inverse: str | None


class Catalogue:
    """The tables in the metadata's order; a table's number is its place there."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables = tuple(tables)
        self.plan = derivations(self.tables)
        self.depth = max((d.level for d in self.plan), default=0)
        self.numbers = {table.id: number for number, table in enumerate(self.tables)}
        self.fields = {table.id: {table.field_id(f.name): f for f in table.fields} for table in self.tables}
        self.names = {f_id: encode(f.name) for fields in self.fields.values() for f_id, f in fields.items()}
        by_name = {table.name: table for table in self.tables}
        self.incoming: dict[str, list[Incoming]] = {table.id: [] for table in self.tables}
        for number, table in enumerate(self.tables):
            for f in table.fields:
                if f.to in by_name:
                    inverse = by_name[f.to].field_id(f.inverse) if f.inverse else None
                    self.incoming[by_name[f.to].id].append(Incoming(number, table.field_id(f.name), inverse))

    def table(self, id_or_name: str) -> Table:
        """Raises 403, Airtable's answer for an unknown table too."""
        for table in self.tables:
            if id_or_name in (table.id, table.name):
                return table
        raise forbidden()

    def table_of(self, row: Row) -> Table:
        """The table that holds the record."""
        return self.tables[row.seq // SEQ_PER_TABLE]

    def field_id(self, table: Table, id_or_name: str) -> str:
        """Raises 422 UNKNOWN_FIELD_NAME."""
        fields = self.fields[table.id]
        if id_or_name in fields:
            return id_or_name
        for field_id, f in fields.items():
            if f.name == id_or_name:
                return field_id
        raise unknown_field(id_or_name)

    def with_field(self, table: Table, added: Field) -> Catalogue:
        """The catalogue with one field more. Raises 422 for a name that is taken."""
        if any(f.name == added.name for f in table.fields):
            raise unprocessable("DUPLICATE_OR_EMPTY_FIELD_NAME", "The field name is taken")
        changed = replace(table, fields=(*table.fields, added))
        return Catalogue(changed if t is table else t for t in self.tables)

    def with_choice(self, table: Table, field_id: str, name: str) -> Catalogue:
        """The catalogue with one option more in a select."""
        old = self.fields[table.id][field_id]
        new = replace(old, choices=(*old.choices, name))
        changed = replace(table, fields=tuple(new if f is old else f for f in table.fields))
        return Catalogue(changed if t is table else t for t in self.tables)

    def renamed(self, table: Table, field_id: str, name: str) -> Catalogue:
        """The catalogue with a field's name changed; its id stays, what is derived from it follows."""
        old = self.fields[table.id][field_id]

        def follow(owner: Table, f: Field) -> Field:
            changes: dict[str, Any] = {}
            if owner is table and f is old:
                changes |= {"name": name, "id": field_id}
            if owner is table and f.via == old.name:
                changes["via"] = name
            if f.to == table.name and f.inverse == old.name:
                changes["inverse"] = name
            if f.via and f.of == old.name and owner.field(f.via).to == table.name:
                changes["of"] = name
            return replace(f, **changes) if changes else f

        return Catalogue(replace(t, fields=tuple(follow(t, f) for f in t.fields)) for t in self.tables)
