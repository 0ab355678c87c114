"""What a person must look at, over all loads: written by the load, listed and resolved by a person.

What belongs here: identity, life and resolution of findings. What does not: finding them.

Invariants: a finding's id follows from what it is about, so that later loads find it again with its
resolution; no cell's value is kept, only names, ids and our own reasons.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from dataclasses import field as default
from datetime import datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import class_row, tuple_row

from ledger_assets.errors import SettingsError
from ledger_assets.load.merge import Conflict, Scope
from ledger_assets.load.sqlfiles import Cursor, plain_errors, statement

if TYPE_CHECKING:
    import polars as pl

    from ledger_assets.extract.attachments import AttachmentEntry

TAKES = ("airtable", "postgres", "skip")
_COLUMNS = "id, kind, table_name, airtable_table_id, record_id, row_id, field, reason, detail, silenced"


@dataclass(frozen=True)
class Finding:
    """A finding as it stands in the database."""

    id: str
    kind: str
    table_name: str | None
    airtable_table_id: str | None
    record_id: str | None
    field: str | None
    reason: str
    first_load: int
    last_load: int
    status: str
    resolution: str | None
    who: str | None
    note: str | None
    at: datetime | None


@dataclass(frozen=True)
class Found:
    """A finding of this load. ``silenced``: decided before, for exactly this state of the source."""

    kind: str
    reason: str
    table_name: str | None = None
    airtable_table_id: str | None = None
    record_id: str | None = None
    row_id: str | None = None
    field: str | None = None
    detail: dict[str, str] = default(default_factory=dict)
    silenced: bool = False

    def identity(self, base_id: str) -> str:
        """16 hex digits of what the finding is about."""
        about = (
            base_id,
            self.kind,
            self.table_name,
            self.airtable_table_id,
            self.record_id,
            self.row_id,
            self.field,
        )
        text = json.dumps([*about, self.reason])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def conflicts(found: Iterable[Conflict]) -> Iterator[Found]:
    """Rows changed on both sides."""
    for c in found:
        yield Found(
            "conflict",
            "changed here and in Airtable",
            table_name=c.table,
            airtable_table_id=c.airtable_table_id,
            record_id=c.record_id,
            row_id=c.row_id,
            detail={"source_hash": c.source_hash, "row_updated_at": c.row_updated_at},
            silenced=c.silenced,
        )


def of_ledger(quarantined: pl.DataFrame, reported: pl.DataFrame) -> Iterator[Found]:
    """What the ledger could not map, and what it wants a person to see."""
    for row in (*quarantined.iter_rows(named=True), *reported.iter_rows(named=True)):
        yield Found(
            row.get("kind") or "quarantine",
            row["reason"],
            table_name=row.get("table"),
            airtable_table_id=row["table_id"],
            record_id=row["record_id"],
            field=row["field"],
        )


def missing_files(entries: Iterable[AttachmentEntry]) -> Iterator[Found]:
    """Files that could not be had."""
    for e in entries:
        yield Found(
            "missing_file",
            f"attachment {e.attachment_id}: {e.problem}",
            airtable_table_id=e.table_id,
            record_id=e.record_id,
            field=e.field_id,
        )


def deleted(cur: Cursor, base_id: str) -> Iterator[Found]:
    """Records that are gone from Airtable and kept here."""
    cur.execute(
        "select table_id, record_id from airtable.records "
        "where base_id = %s and source_deleted_at is not null",
        (base_id,),
    )
    for table_id, record_id in cur:
        yield Found(
            "deleted", "gone from Airtable, kept here", airtable_table_id=table_id, record_id=record_id
        )


def record(cur: Cursor, load_id: int, scope: Scope, found: Iterable[Found]) -> dict[str, int]:
    """Write the findings of a load; open findings by kind. Needs the temporary table ``judged`` (row ids)."""
    cur.execute(
        "create temp table found (id text, kind text, table_name text, airtable_table_id text, "
        "record_id text, row_id uuid, field text, reason text, detail jsonb, silenced boolean) on commit drop"
    )
    unique = {f.identity(scope.base_id): f for f in found}
    with cur.copy(f"copy found ({_COLUMNS}) from stdin") as copy:
        for finding_id, f in unique.items():
            copy.write_row(
                (
                    finding_id,
                    f.kind,
                    f.table_name,
                    f.airtable_table_id,
                    f.record_id,
                    f.row_id,
                    f.field,
                    f.reason,
                    json.dumps(f.detail),
                    f.silenced,
                )
            )
    cur.execute("analyze found")
    parameters = {"base": scope.base_id, "load": load_id, "full": scope.months is None}
    cur.execute(statement("findings_merge"), parameters)
    cur.execute(statement("findings_gone"), parameters)
    rows = cur.execute(
        "select kind, count(*) from migration.findings where base_id = %s and status = 'open' "
        "group by kind order by kind",
        (scope.base_id,),
    ).fetchall()
    return dict(rows)


def list_findings(conn: psycopg.Connection, *, open_only: bool = True) -> list[Finding]:
    """The findings, by kind, table and record."""
    query = (
        "select id, kind, table_name, airtable_table_id, record_id, field, reason, first_load, last_load, "
        "status, resolution, who, note, at from migration.findings where status = 'open' or not %s "
        "order by kind, table_name nulls first, airtable_table_id, record_id, field, id"
    )
    with plain_errors("findings"), conn.transaction(), conn.cursor(row_factory=class_row(Finding)) as cur:
        return cur.execute(query, (open_only,)).fetchall()


def resolve(conn: psycopg.Connection, finding_id: str, *, take: str, who: str, note: str = "") -> None:
    """Keep a person's decision. Raises :class:`SettingsError` for an unknown finding or decision.

    A conflict: ``airtable`` overwrites the row at the next load unless it is edited again; ``postgres`` and
    ``skip`` keep it until Airtable changes again. Anything else can only be acknowledged (``skip``): it is
    decided in Airtable.
    """
    if take not in TAKES:
        raise SettingsError(f"--take {take!r} is not a decision; use {', '.join(TAKES)}")
    if not who.strip():
        raise SettingsError("a finding is resolved by somebody: name who decided")
    with plain_errors("findings"), conn.transaction(), conn.cursor(row_factory=tuple_row) as cur:
        row = cur.execute(
            "select kind from migration.findings where id = %s for update", (finding_id,)
        ).fetchone()
        if row is None:
            raise SettingsError(
                f"finding {finding_id} is not known; list them with: ledger-assets findings ENV"
            )
        if row[0] != "conflict" and take != "skip":
            raise SettingsError(
                f"finding {finding_id} is of kind {row[0]}: only conflicts are between the two sides; "
                "change it in Airtable and load again, or use --take skip"
            )
        cur.execute(
            "update migration.findings set status = case status when 'gone' then 'gone' else 'resolved' end, "
            "resolution = %s, who = %s, note = nullif(%s, ''), at = now() where id = %s",
            (take, who, note, finding_id),
        )
