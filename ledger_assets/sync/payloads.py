"""What a webhook's payloads say: which records, tables and fields changed. Ids only; values are read again by REST.

Pure functions over parsed payloads. The order of payloads counts: a record that was deleted and restored is there.

Invariant: whatever of a payload is not understood stops the sync or ends in a full export; it is never passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger_assets.errors import SourceError
from ledger_assets.extract.metadata import BaseMeta
from ledger_assets.extract.slices import BadBody, is_text, whole_number
from ledger_assets.sync.depends import COMPUTED


class FullExportNeeded(Exception):
    """Only a full export will do; the text says why, as the end of a sentence."""


class SchemaChanged(SourceError):
    """Tables or fields were created, deleted, renamed or given another type since the export."""


@dataclass
class TableChanges:
    """Record ids of one table. ``edited``: those of ``changed`` in which more than computed cells changed."""

    changed: set[str] = field(default_factory=set)
    created: set[str] = field(default_factory=set)
    destroyed: set[str] = field(default_factory=set)
    edited: set[str] = field(default_factory=set)

    def create(self, record_id: str) -> None:
        """It is new; or it was deleted since the export, and restored."""
        if record_id in self.destroyed:
            self.destroyed.discard(record_id)
            self.change(record_id, edited=True)
        else:
            self.created.add(record_id)

    def change(self, record_id: str, *, edited: bool) -> None:
        """It has other cells."""
        if record_id not in self.created:
            self.changed.add(record_id)
            if edited:
                self.edited.add(record_id)

    def destroy(self, record_id: str) -> None:
        """It is gone; one that was created since the export was never there."""
        self.changed.discard(record_id)
        self.edited.discard(record_id)
        if record_id in self.created:
            self.created.discard(record_id)
        else:
            self.destroyed.add(record_id)


@dataclass
class Reported:
    """What payloads told, by table id. ``schema``: what changed of the design, in words. ``options``: fields of which
    something else changed (a new option of a select): the metadata must be looked at again.
    """

    tables: dict[str, TableChanges] = field(default_factory=dict)
    schema: list[str] = field(default_factory=list)
    options: bool = False
    last_transaction: int = 0

    @property
    def any(self) -> bool:
        """Whether anything changed at all."""
        tables = self.tables.values()
        return bool(self.schema or self.options or any(t.changed | t.created | t.destroyed for t in tables))

    def table(self, table_id: str) -> TableChanges:
        """The changes of a table."""
        return self.tables.setdefault(table_id, TableChanges())


def read_payloads(meta: BaseMeta, payloads: Iterable[Mapping[str, Any]], reported: Reported) -> None:
    """Add what the payloads say. Raises :class:`FullExportNeeded` for one that is an error or comes in another order, and
    :class:`BadBody` for one that cannot be read.
    """
    computed = {f.id for table in meta.tables for f in table.fields if f.type in COMPUTED}
    for payload in payloads:
        if payload.get("error"):
            raise FullExportNeeded(f"the webhook failed ({_word(payload.get('code'))})")
        if payload.get("payloadFormat", "v0") != "v0":
            raise FullExportNeeded("Airtable's payloads have a format that is not known")
        number = whole_number(payload.get("baseTransactionNumber"))
        # One transaction may be told in several payloads, and some of a base's transactions are told in none.
        if number is None or number < reported.last_transaction:
            raise FullExportNeeded("Airtable's transactions do not follow on")
        reported.last_transaction = number
        for table_id in _objects(payload, "createdTablesById"):
            reported.schema.append(f"table {table_id} was created")
        for table_id in _texts(payload, "destroyedTableIds"):
            reported.schema.append(f"table {_table_name(meta, table_id)} was deleted")
        for table_id, changes in _objects(payload, "changedTablesById").items():
            _table(meta, table_id, changes, computed, reported)


def _table(
    meta: BaseMeta, table_id: str, changes: Mapping[str, Any], computed: set[str], reported: Reported
) -> None:
    _schema(meta, table_id, changes, reported)
    known = reported.table(table_id)
    for record_id in _objects(changes, "createdRecordsById"):
        known.create(_record_id(record_id))
    for record_id, change in _objects(changes, "changedRecordsById").items():
        current = change.get("current") if isinstance(change, dict) else None
        cells = current.get("cellValuesByFieldId") if isinstance(current, dict) else None
        fields = set(cells) if isinstance(cells, dict) else set()
        known.change(_record_id(record_id), edited=not fields or not fields <= computed)
    for record_id in _texts(changes, "destroyedRecordIds"):
        known.destroy(_record_id(record_id))


def _schema(meta: BaseMeta, table_id: str, changes: Mapping[str, Any], reported: Reported) -> None:
    table = meta.table_by_id(table_id)
    name = _table_name(meta, table_id)
    if table is None:
        reported.schema.append(f"table {table_id} is new")
        return
    for field_id in _objects(changes, "createdFieldsById"):
        reported.schema.append(f"field {field_id} of table {name} was created")
    for field_id in _texts(changes, "destroyedFieldIds"):
        known = table.field_by_id(field_id)
        shown = field_id if known is None else repr(known.name)
        reported.schema.append(f"field {shown} of table {name} was deleted")
    for field_id, change in _objects(changes, "changedFieldsById").items():
        current = change.get("current") if isinstance(change, dict) else None
        current = current if isinstance(current, dict) else {}
        known = table.field_by_id(field_id)
        if known is None:
            reported.schema.append(f"field {field_id} of table {name} is new")
        elif current.get("name", known.name) != known.name:
            reported.schema.append(f"field {known.name!r} of table {name} was renamed")
        elif current.get("type", known.type) != known.type:
            reported.schema.append(f"field {known.name!r} of table {name} was given another type")
        else:
            reported.options = True
    changed = changes.get("changedMetadata")
    current = changed.get("current") if isinstance(changed, dict) else None
    if isinstance(current, dict) and current.get("name", table.name) != table.name:
        reported.schema.append(f"table {name} was renamed")


def _table_name(meta: BaseMeta, table_id: str) -> str:
    table = meta.table_by_id(table_id)
    return table_id if table is None else repr(table.name)


def _objects(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = holder.get(name) or {}
    if not isinstance(found, dict):
        raise BadBody(f"a payload's {name} is no object")
    return found


def _texts(holder: Mapping[str, Any], name: str) -> list[str]:
    found = holder.get(name) or []
    if not isinstance(found, list) or not all(is_text(one) for one in found):
        raise BadBody(f"a payload's {name} is no list of ids")
    return [str(one) for one in found]


def _record_id(value: str) -> str:
    if not (value.isascii() and value.isalnum()):  # it becomes part of formulas and addresses
        raise BadBody("a payload names a record by an id that is none")
    return value


def _word(value: Any) -> str:
    return value if is_text(value) and value.isascii() and value.replace("_", "").isalnum() else "no code"
