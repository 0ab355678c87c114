"""What people had erased: no load brings it back, and no proof of an earlier load can be made until the next one.

What belongs here: asking the tombstones. What does not: erasing (``supabase/migrations``, 12_acts).

Invariants: tombstones are ids, never words; an export leaves out what people had erased before, and says so; one that
was made before the erasure is refused by name: leaving it out here would leave its words in the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger_assets.errors import TargetError
from ledger_assets.load.report import SAMPLE

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

    from ledger_assets.extract.export import Export
    from ledger_assets.load.sqlfiles import Cursor


def refuse_erased(cur: Cursor, export: Export) -> None:
    """Raises :class:`TargetError` when the export still holds records that were erased here."""
    rows = cur.execute(
        "select table_id, record_id from migration.erasures where base_id = %s", (export.manifest.base_id,)
    ).fetchall()
    erased: dict[str, set[str]] = {}
    for table_id, record_id in rows:
        erased.setdefault(table_id, set()).add(record_id)
    back: list[str] = []
    for table in export.manifest.tables:
        if table.id in erased:
            ids = export.index(table.id)["record_id"]
            back += ids.filter(ids.is_in(list(erased[table.id]))).to_list()
    if back:
        some = ", ".join(sorted(back)[:SAMPLE])
        raise TargetError(
            f"export {export.export_id} still holds {len(back)} records that people had erased here ({some}): "
            "export again, which leaves them out, and delete them in Airtable"
        )


def forget_notes(cur: Cursor) -> None:
    """What somebody noted about a record that is erased now: an erasure asked for through the API leaves it."""
    cur.execute(
        "update migration.findings f set note = null from migration.erasures e where f.note is not null "
        "and (f.base_id, f.airtable_table_id, f.record_id) = (e.base_id, e.table_id, e.record_id)"
    )


def assert_provable(conn: psycopg.Connection, loaded_at: datetime) -> None:
    """Raises :class:`TargetError` when something was erased after the load that a proof would be of."""
    row = conn.execute(
        "select count(*) from migration.erasures where erased_at > %s", (loaded_at,)
    ).fetchone()
    if row is not None and row[0]:
        raise TargetError(
            f"{row[0]} records were erased since the last load, which therefore cannot be proven any more: "
            "export and migrate again (and delete them in Airtable)"
        )
