"""What people changed in Airtable since an export, without reading a record: for a switch, and for the weeks after it.

What belongs here: asking, and leaving out what was only computed. What does not: bringing anything over (``run``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.cursor import Cursor
from ledger_assets.extract.export import Export
from ledger_assets.storage import ObjectStore
from ledger_assets.sync.drain import Drain
from ledger_assets.sync.payloads import FullExportNeeded


@dataclass(frozen=True)
class TableEdits:
    """Record ids of one table that people created, edited or deleted."""

    changed: frozenset[str]
    created: frozenset[str]
    destroyed: frozenset[str]


@dataclass(frozen=True)
class Changes:
    """What people changed in Airtable since export ``export_id`` (or since ``cursor`` of an earlier answer), by table id.

    ``schema``: what changed of tables and fields, in words. ``cursor``: where to go on. ``lost``: why it cannot be told;
    then it is not known that nothing changed.
    """

    tables: Mapping[str, TableEdits] = field(default_factory=dict)
    export_id: str | None = None
    schema: tuple[str, ...] = ()
    cursor: Cursor | None = None
    lost: str | None = None

    @property
    def any(self) -> bool:
        """Whether anything changed, as far as can be told."""
        return bool(self.schema or self.tables)

    @property
    def records(self) -> int:
        """How many records."""
        return sum(len(t.changed | t.created | t.destroyed) for t in self.tables.values())


def changes_since(
    client: AirtableClient, store: ObjectStore, export_id: str, after: Cursor | None = None
) -> Changes:
    """What people changed since the export, in two calls and one per 50 payloads more. Reads no record.

    ``after``: the cursor of an earlier answer, for whoever watches longer than the seven days that Airtable remembers.
    """
    export = Export(store, export_id)
    try:
        drain = Drain(client, export.metadata, after or export.manifest.cursor)
        reported = drain.more()
    except FullExportNeeded as lost:
        return Changes(export_id=export_id, lost=str(lost))
    tables = {
        table_id: TableEdits(frozenset(one.edited), frozenset(one.created), frozenset(one.destroyed))
        for table_id, one in reported.tables.items()
        if one.edited | one.created | one.destroyed
    }
    # A new option of a select counts by the record that has it.
    return Changes(tables, export_id, tuple(reported.schema), drain.cursor_at(drain.position))
