"""Erasure requests in Postgres: which are open, carrying one out, and what was carried out.

What belongs here: asking and calling the schema. What does not: what an erasure takes (``supabase/migrations``, 12_acts),
the list beside the snapshots (``register``).

Invariant: ids and counts only, never the reason that a person gave.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row

from ledger_assets.erasure.model import Erasure
from ledger_assets.erasure.statements import each, text
from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import plain_errors

UNDONE = "nothing was erased"


@dataclass(frozen=True)
class OpenRequest:
    """A request that waits for somebody to carry it out."""

    request_id: str
    scope: str
    storyteller_id: str | None
    story_id: str | None
    account_id: str | None
    requested_at: datetime


def standing(conn: psycopg.Connection) -> tuple[OpenRequest, ...]:
    """The open requests, oldest first."""
    with (
        plain_errors("the erasure requests", undone=UNDONE),
        conn.transaction(),
        conn.cursor(row_factory=class_row(OpenRequest)) as cursor,
    ):
        return tuple(cursor.execute(text("standing")).fetchall())


def carried_out(conn: psycopg.Connection) -> tuple[Erasure, ...]:
    """What was erased in this database, oldest first; nothing where the schema knows no erasure yet."""
    with (
        plain_errors("what was erased", undone="nothing was read"),
        conn.transaction(),
        conn.cursor(row_factory=tuple_row) as cursor,
    ):
        known = cursor.execute("select to_regclass('migration.erasures') is not null").fetchone()
        rows = cursor.execute(text("carried_out")).fetchall() if known and known[0] else []
    return tuple(map(_erasure, rows))


def carry_out(conn: psycopg.Connection, request_id: str, who: str, *, commit: bool = True) -> dict[str, Any]:
    """Erase in Postgres what the request names, in one transaction; the counts. ``who`` stands in the audit.

    Raises :class:`TargetError` when there is no such open request.
    """
    wanted = next((one for one in standing(conn) if one.request_id == request_id), None)
    if wanted is None:
        raise TargetError(
            f"there is no open erasure request {request_id}; list them: ledger-assets erase ENV"
        )
    if wanted.scope == "account":
        raise TargetError(
            f"erasure request {request_id} is of an account: delete the account (in Supabase: Authentication, Users); "
            "its other requests are carried out with it"
        )
    with (
        plain_errors(f"erasure {request_id}", undone=UNDONE),
        conn.transaction(force_rollback=not commit),
        conn.cursor(row_factory=tuple_row) as cursor,
    ):
        cursor.execute("select set_config('migration.run', %s, true)", (f"erase by {who}",))
        row = cursor.execute("select private.erase(%s)", (request_id,)).fetchone()
        for one in each("archive"):
            cursor.execute(one, {"request": request_id})
    assert row is not None
    return dict(row[0])


def _erasure(row: tuple[Any, ...]) -> Erasure:
    request_id, scope, at, storyteller, story, account, records, rows, files = row
    gone = sorted((table, row_id) for table, row_id in rows)
    return Erasure(
        request_id=request_id,
        scope=scope,
        at=at,
        storyteller_id=_only(scope, "storyteller", storyteller, gone),
        story_id=_only(scope, "story", story, gone),
        account_id=account if scope == "account" else None,
        records=tuple((base, table, record) for base, table, record in records),
        rows=tuple(gone),
        files=tuple(files),
    )


def _only(scope: str, of: str, named: str | None, rows: list[tuple[str, str]]) -> str | None:
    """The subject: the request's own reference to it went with the row."""
    if scope != of:
        return None
    ids = [row_id for table, row_id in rows if table == ("stories" if of == "story" else "storytellers")]
    return named or (ids[0] if len(ids) == 1 else None)
