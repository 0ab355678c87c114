"""Flipping ``migration.live``.

What belongs here: the one transaction. What does not: telling anybody (``hooks``).

Invariants: the flip, the end of "held" and the record are committed together; the same target again writes nothing; the
generation only grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString

import psycopg
from psycopg import pq
from psycopg.rows import tuple_row

from ledger_assets import events, freeze
from ledger_assets.errors import TargetError
from ledger_assets.freeze.state import read as read_freeze
from ledger_assets.freeze.state import told
from ledger_assets.load.sqlfiles import Cursor

Source = Literal["airtable", "supabase"]
SOURCES: tuple[Source, ...] = ("supabase", "airtable")


@dataclass(frozen=True)
class Live:
    """The row of ``migration.live``."""

    source: Source
    generation: int
    switched_at: datetime | None
    """None: never switched."""
    who: str | None
    run_id: str | None


@dataclass(frozen=True)
class Flipped:
    """``changed`` False: it was live already."""

    changed: bool
    before: Source
    live: Live


def live(connection: psycopg.Connection) -> Live:
    """Which source is live. Raises TargetError."""
    with told("switch", undone="nothing was read"), connection.transaction():
        return _read(connection.cursor(row_factory=tuple_row))


def switch(
    connection: psycopg.Connection, to: Source, *, token: int | None, who: str, run_id: str | None
) -> Flipped:
    """Make ``to`` the live source. Raises TargetError; then nothing was changed.

    ``token``: of the cut-over's freeze; to ``supabase`` it also releases what a load held. None: outside a cut-over, and
    a change is refused while one holds a freeze.
    """
    try:
        return _switch(connection, to, token, who, run_id)
    except TargetError:
        if connection.info.transaction_status == pq.TransactionStatus.IDLE:
            detail = {"to": to, "token": token}
            events.record(connection, "switch", "refused", who=who, run_id=run_id, detail=detail)
        raise


def _switch(
    connection: psycopg.Connection, to: Source, token: int | None, who: str, run_id: str | None
) -> Flipped:
    if connection.info.transaction_status != pq.TransactionStatus.IDLE:
        raise TargetError(
            "switch: the connection is inside another transaction; give it a connection of its own"
        )
    with (
        told("switch", undone="nothing was switched"),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cur,
    ):
        cur.execute("set transaction isolation level read committed")
        cur.execute("set local lock_timeout = '10s'")
        if token is not None:
            freeze.fence(cur, token, alone=True)
        elif (now := _read(cur)).source == to:
            return Flipped(False, now.source, now)  # also during the watch a hook may be told once more
        else:
            _refuse_cutover(cur)
        before = _read(cur, "for update")
        if before.source == to:
            return Flipped(False, before.source, before)
        cur.execute(
            "update migration.live set source = %s, generation = generation + 1, switched_at = clock_timestamp(), "
            "who = %s, run_id = %s",
            (to, who, run_id),
        )
        if token is not None and to == "supabase":
            freeze.release(cur, token)
        after = _read(cur)
        detail = {"from": before.source, "to": to, "generation": after.generation, "token": token}
        events.record(connection, "switch", "done", who=who, run_id=run_id, detail=detail)
    return Flipped(True, before.source, after)


def _refuse_cutover(cur: Cursor) -> None:
    found = read_freeze(cur, "for no key update")
    if found.leased:
        raise TargetError(
            f"switch refused: {found.described()} holds, and switches by itself: finish it (ledger-assets cutover ENV)"
        )


def _read(cur: Cursor, lock: LiteralString = "") -> Live:
    query: LiteralString = "select source, generation, switched_at, who, run_id from migration.live "
    row = cur.execute(query + lock).fetchone()
    if row is None:
        raise TargetError(
            "migration.live has lost its one row: apply the schema (ledger-assets schema verify ENV)"
        )
    return Live(*row)
