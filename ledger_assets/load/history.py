"""What has been loaded and proven in a database, read from its own bookkeeping; and keeping a proof in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb


@dataclass(frozen=True)
class LastLoad:
    """The newest committed load."""

    load_id: int
    export_id: str
    ledger_id: str | None
    months: list[str] | None
    committed_at: datetime


@dataclass(frozen=True)
class LastProof:
    """The newest proof."""

    made_at: datetime
    passed: bool
    export_id: str | None


def last_load(conn: psycopg.Connection, *, full: bool = False) -> LastLoad | None:
    """The newest committed load (``full``: of all months), None before the first."""
    with conn.cursor(row_factory=class_row(LastLoad)) as cursor:
        return cursor.execute(
            "select load_id, export_id, ledger_id, months, committed_at from migration.loads "
            "where committed_at is not null and (months is null or not %s) order by load_id desc limit 1",
            (full,),
        ).fetchone()


def last_proof(conn: psycopg.Connection) -> LastProof | None:
    """The newest proof, None before the first."""
    with conn.cursor(row_factory=class_row(LastProof)) as cursor:
        return cursor.execute(
            "select made_at, passed, export_id from migration.reports where kind = 'proof' order by report_id desc limit 1"
        ).fetchone()


def keep_proof(
    conn: psycopg.Connection,
    *,
    run_id: str,
    export_id: str,
    ledger_id: str | None,
    passed: bool,
    document: Mapping[str, Any],
    page: str,
) -> None:
    """Keep a proof beside the rows it speaks of, in a transaction of its own."""
    with conn.transaction():
        conn.execute(
            "insert into migration.reports (kind, run_id, export_id, ledger_id, passed, document, page) "
            "values ('proof', %s, %s, %s, %s, %s, %s)",
            (run_id, export_id, ledger_id, passed, Jsonb(dict(document)), page),
        )
