"""What the proof compares with, put beside the database's own tables for the length of one transaction.

What belongs here: putting hashes, findings, skipped records and the reviewed mapping files into temporary
tables. What does not: reading the export (``delivered``), judging.

Invariant: nothing but temporary tables is written.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from ledger_assets.errors import SettingsError
from ledger_assets.extract.export import Export
from ledger_assets.extract.metadata import BaseMeta
from ledger_assets.proof.delivered import Delivered
from ledger_assets.proof.statements import statement
from ledger_assets.tables.fields import Mapped, Rule, TableSpec

if TYPE_CHECKING:
    from ledger_assets.ledger.store import Ledger

SHIPPED_MAPPINGS = Path(__file__).parent.parent / "tables" / "mappings"
COPY_BYTES = 1024 * 1024


def create_tables(conn: psycopg.Connection) -> None:
    """The temporary tables; ``proof_present``: which raw records there are."""
    conn.execute(statement("tables"))
    conn.execute(statement("present"))
    conn.execute("analyze proof_present")


def create_kept(conn: psycopg.Connection, base_id: str) -> None:
    """The temporary tables of ``records.judge_raw``; ``proof_kept``: the hashes of all raw records."""
    conn.execute(statement("kept").format(base=sql.Literal(base_id)))
    conn.execute("analyze proof_kept")


def create_view(conn: psycopg.Connection, base_id: str) -> None:
    """``proof_raw``: the base's raw records that are in Airtable still."""
    conn.execute(
        sql.SQL(
            "create or replace temp view proof_raw as select table_id, record_id, created_time, raw, fields, lossy "
            "from airtable.records where base_id = {} and source_deleted_at is null"
        ).format(sql.Literal(base_id))
    )


def stage_export(conn: psycopg.Connection, delivered: Delivered) -> None:
    """Put what was read of the export beside the database's own tables."""
    for table, rows in (("proof_export", delivered.records), ("proof_comments", delivered.comments)):
        rows.seek(0)
        with conn.cursor().copy(sql.SQL("copy {} from stdin").format(sql.Identifier(table))) as copy:
            while block := rows.read(COPY_BYTES):
                copy.write(block)
    conn.execute("analyze proof_export, proof_comments")


def stage_findings(conn: psycopg.Connection, meta: BaseMeta, pinned: BaseMeta) -> None:
    """Findings that account for a cell or a record; those of which nothing is left (``gone``) do not."""
    names = {
        (table.id, field.name): field.id
        for known in (meta, pinned)
        for table in known.tables
        for field in table.fields
    }
    conn.execute(
        """
        insert into proof_rejected (target, table_id, record_id, field_id, kind, reason)
        select f.table_name, f.airtable_table_id, f.record_id, coalesce(n.id, f.field), f.kind, f.reason
        from migration.findings f
        left join unnest(%(tables)s::text[], %(names)s::text[], %(ids)s::text[]) n (table_id, name, id)
          on n.table_id = f.airtable_table_id and n.name = f.field
        where f.base_id = %(base)s and f.status <> 'gone' and f.record_id is not null
          and f.airtable_table_id is not null
        """,
        {
            "base": meta.base_id,
            "tables": [table for table, _ in names],
            "names": [name for _, name in names],
            "ids": list(names.values()),
        },
    )
    conn.execute("analyze proof_rejected")


def stage_redacted(conn: psycopg.Connection, export: Export) -> None:
    """Cells that the export left out because they could repeat what people had erased."""
    with conn.cursor().copy("copy proof_redacted from stdin") as copy:
        for table in export.manifest.tables:
            for field_id, ids in table.redacted.items():
                for record_id in ids:
                    copy.write_row((table.id, field_id, record_id))
    conn.execute("analyze proof_redacted")


def stage_skipped(conn: psycopg.Connection, ledger: Ledger | None, specs: Sequence[TableSpec]) -> None:
    """Records that make no row by a declared rule, as the ledger wrote them down."""
    with conn.cursor().copy("copy proof_skipped from stdin") as copy:
        for row in _skipped(ledger, specs):
            copy.write_row(row)
    conn.execute("analyze proof_skipped")


def stage_mappings(conn: psycopg.Connection, folder: Path | None, specs: Sequence[TableSpec]) -> None:
    """The reviewed mapping file of every table that text refers to; a NULL name: the text means no row."""
    targets = {
        declaration.references
        for spec in specs
        for declaration in spec.declares
        if isinstance(declaration, Mapped) and declaration.rule is Rule.REFERENCE and declaration.references
    }
    with conn.cursor().copy("copy proof_mapping from stdin") as copy:
        for target in sorted(targets):
            for source, name in _mapping((folder or SHIPPED_MAPPINGS) / f"{target}.toml"):
                copy.write_row((target, source, name))
    conn.execute("analyze proof_mapping")


def _skipped(ledger: Ledger | None, specs: Sequence[TableSpec]) -> Iterable[tuple[str, str, str, str]]:
    if ledger is None or not specs:
        return []
    return ledger.skipped.select("table", "table_id", "record_id", "rule").iter_rows()


def _mapping(path: Path) -> Iterable[tuple[str, str | None]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise SettingsError(
            f"LEDGER_MAPPINGS: {path} cannot be read as TOML; the proof compares with it"
        ) from None
    for entry in document.get("entry", []):
        for text in entry.get("texts", []):
            yield text, entry["name"]
    for text in document.get("nothing", {}).get("texts", []):
        yield text, None
