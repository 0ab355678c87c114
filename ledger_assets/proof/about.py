"""What Postgres keeps about the export itself: its row with the manifest, and the base's metadata as delivered.

What belongs here: comparing both with the export in the store. What does not: what the export holds (``records``,
``files``).

Invariant: differences are named by column, never by value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import psycopg

from ledger_assets.extract.export import Export
from ledger_assets.proof.model import Notice

EXPORTS, METADATA = "airtable.exports", "airtable.metadata"

_EXPORT = """
select e.export_id is null,
       e.base_id is distinct from %(base)s,
       e.final is distinct from %(final)s,
       e.started_at is distinct from %(started)s::timestamptz,
       e.finished_at is distinct from %(finished)s::timestamptz,
       e.manifest is distinct from %(manifest)s::jsonb
from (select %(export)s::text as id) wanted
left join airtable.exports e on e.export_id = wanted.id
"""
_METADATA = """
select m.export_id is null,
       m.base_id is distinct from %(base)s,
       sha256(convert_to(m.raw, 'UTF8')) is distinct from %(actual)s::bytea,
       m.sha256 is distinct from %(actual)s::bytea
from (select %(export)s::text as id) wanted
left join airtable.metadata m on m.export_id = wanted.id
"""


def prove_about(conn: psycopg.Connection, export: Export) -> tuple[Notice, ...]:
    """An alarm for each column that is not the export's."""
    return tuple(_differences(conn, export))


def _differences(conn: psycopg.Connection, export: Export) -> Iterator[Notice]:
    manifest = export.manifest
    values = {
        "export": export.export_id,
        "base": manifest.base_id,
        "final": manifest.final,
        "started": manifest.started_at,
        "finished": manifest.finished_at,
        "manifest": manifest.to_json().decode(),
        "actual": hashlib.sha256(export.metadata_text.encode()).digest(),
    }
    yield from _named(
        conn, _EXPORT, values, EXPORTS, ("base_id", "final", "started_at", "finished_at", "manifest")
    )
    yield from _named(conn, _METADATA, values, METADATA, ("base_id", "raw", "sha256"))


def _named(
    conn: psycopg.Connection, query: str, values: dict[str, object], table: str, columns: tuple[str, ...]
) -> Iterator[Notice]:
    row = conn.execute(query.encode(), values).fetchone()
    assert row is not None
    absent, *differ = row
    if absent:
        yield Notice(table, f"export {values['export']} is not there", alarm=True)
        return
    for column, different in zip(columns, differ, strict=True):
        if different:
            yield Notice(table, f"{column} is not what export {values['export']} says", alarm=True)
