"""What the proof compares with, put beside the database's own tables for the length of one transaction.

What belongs here: reading the export's pages (ids, hashes, cells counted from the text itself), the findings,
the skipped records and the reviewed mapping files into temporary tables. What does not: judging.

Invariants: no number of a cell is ever converted here (texts are counted, not read); nothing but temporary
tables is written.
"""

from __future__ import annotations

import hashlib
import json
import threading
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from ledger_assets import progress
from ledger_assets.errors import SettingsError
from ledger_assets.extract.export import Export
from ledger_assets.extract.metadata import BaseMeta
from ledger_assets.proof.statements import statement
from ledger_assets.tables.fields import Mapped, Rule, TableSpec

if TYPE_CHECKING:
    from ledger_assets.ledger.store import Ledger

SHIPPED_MAPPINGS = Path(__file__).parent.parent / "tables" / "mappings"
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


@dataclass
class Counted:
    """What the export's text holds of one table. A cell is a key with a value other than null."""

    records: int = 0
    cells: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    comments: int = 0


def create_tables(conn: psycopg.Connection, base_id: str) -> None:
    """The temporary tables, and ``proof_raw``: the base's raw records that are in Airtable still."""
    conn.execute(statement("tables"))
    conn.execute(
        sql.SQL(
            "create temp view proof_raw as select table_id, record_id, created_time, raw, fields, lossy "
            "from airtable.records where base_id = {} and source_deleted_at is null"
        ).format(sql.Literal(base_id))
    )


@dataclass
class Delivered:
    """An export as it was read: what was counted by table id, and ``proof_export``'s rows as COPY takes them."""

    counted: dict[str, Counted] = field(default_factory=dict)
    rows: list[bytes] = field(default_factory=list)


@contextmanager
def export_being_read(export: Export) -> Iterator[Future[Delivered]]:
    """Read the export in a thread: Postgres judges meanwhile what does not need it. Leaving the block ends it."""
    stop = threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="proof-export") as reader:
        try:
            yield reader.submit(_read, export, stop)
        finally:
            stop.set()


def _read(export: Export, stop: threading.Event) -> Delivered:
    """Every record's id and the hash of its exact text, and the number of cells per field."""
    found = Delivered()
    for table in export.manifest.tables:
        counted = found.counted[table.id] = Counted(comments=sum(1 for _ in export.comments(table.id)))
        seen: set[str] = set()
        for page in export.pages(table.id):
            if stop.is_set():
                return found
            lines = []
            for raw in page:
                record: dict[str, Any] = _DECODER.decode(raw)
                if record["id"] not in seen:
                    seen.add(record["id"])
                    exact = hashlib.sha256(raw.encode()).hexdigest()
                    lines.append(f"{table.id}\t{record['id']}\t\\\\x{exact}\n")
                    _count(counted, record["fields"])
            found.rows.append("".join(lines).encode())
            progress.report("proof", table.name, counted.records, table.records)
    return found


def stage_export(conn: psycopg.Connection, delivered: Delivered) -> dict[str, Counted]:
    """Put what was read beside the database's own tables. Ids hold letters and digits only: nothing to escape."""
    with conn.cursor().copy("copy proof_export from stdin") as copy:
        for rows in delivered.rows:
            copy.write(rows)
    conn.execute("analyze proof_export")
    return delivered.counted


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


def _count(counted: Counted, fields: dict[str, Any]) -> None:
    counted.records += 1
    for name, value in fields.items():
        if value is not None:
            counted.cells[name] += 1
            if _is_error(value) or (type(value) is list and any(map(_is_error, value))):
                counted.errors[name] += 1


def _is_error(value: object) -> bool:
    return type(value) is dict and ("error" in value or "specialValue" in value)


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
