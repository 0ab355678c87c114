"""The three-way comparison: an Airtable export, the live database and a snapshot, record by record.

What belongs here: which records differ between which two. What does not: columns and rows of the target tables (``proof``).

Invariants: compared by record id and by the hash of the content; what is told are ids and counts. A record that the snapshot
lacks although its own export has it, or that is gone from the live database, is a loss; one that differs may be a later
load's doing and is told as such.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.extract.export import Export

SAMPLE = 20
Records = dict[tuple[str, str], bytes]
"""(table id, record id) to the hash of its content."""

_RECORDS = "select table_id, record_id, content_sha256 from airtable.records where base_id = %s"
_GONE = " and source_deleted_at is null"


@dataclass(frozen=True)
class Compared:
    """Record ids, sorted. ``lost``: missing from the live database. ``differing``: another content there than in the
    snapshot. ``newer``: only in the live database. ``not_as_exported``: the snapshot has them otherwise than its export, or
    not at all."""

    export_id: str | None
    records: int
    lost: tuple[str, ...]
    differing: tuple[str, ...]
    newer: tuple[str, ...]
    not_as_exported: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Nothing is lost, and the snapshot is what its export was."""
        return not self.lost and not self.not_as_exported

    def facts(self) -> dict[str, object]:
        """Counts, and ids (at most 20 of each)."""
        named = {
            "lost": self.lost,
            "differing": self.differing,
            "newer": self.newer,
            "not_as_exported": self.not_as_exported,
        }
        told: dict[str, object] = {"records": self.records, **{name: len(ids) for name, ids in named.items()}}
        return told | {f"{name}_ids": list(ids[:SAMPLE]) for name, ids in named.items() if ids}


def records_of(connection: psycopg.Connection, base_id: str, *, present: bool = False) -> Records:
    """The raw records that a database holds; ``present``: without those that Airtable has no more."""
    row = connection.execute("select to_regclass('airtable.records') is not null").fetchone()
    if row is None or not row[0]:
        return {}
    query = _RECORDS + (_GONE if present else "")
    found = connection.execute(query, (base_id,))
    return {(table, record): bytes(content) for table, record, content in found}


def erased_of(connection: psycopg.Connection) -> set[str]:
    """Record ids that people had erased; none in a schema that does not keep them."""
    row = connection.execute("select to_regclass('migration.erasures') is not null").fetchone()
    if row is None or not row[0]:
        return set()
    return {record for (record,) in connection.execute("select record_id from migration.erasures").fetchall()}


def records_of_export(export: Export) -> Records:
    """The records of an export."""
    found: Records = {}
    for table in export.manifest.tables:
        index = export.index(table.id)
        for record, content in zip(index["record_id"], index["content_sha256"], strict=True):
            found[table.id, record] = content
    return found


def compare(
    export_id: str | None,
    exported: Records | None,
    live: Records,
    snapshot: Records,
    present: Records,
    erased: set[str],
) -> Compared:
    """The three of them. ``exported``: None where the export is no longer kept. ``present``: of the snapshot, what Airtable
    had then. ``erased``: record ids that people had erased, which are no loss."""
    wrong: Iterable[tuple[str, str]] = ()
    if exported is not None:
        wrong = (one for one in exported.keys() | present.keys() if exported.get(one) != present.get(one))
    return Compared(
        export_id,
        len(snapshot),
        _ids(one for one in snapshot.keys() - live.keys() if one[1] not in erased),
        _ids(one for one in snapshot.keys() & live.keys() if snapshot[one] != live[one]),
        _ids(live.keys() - snapshot.keys()),
        _ids(one for one in wrong if one[1] not in erased),
    )


def _ids(found: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted(record for _, record in found))
