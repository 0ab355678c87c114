"""The two transactions of a restore: their settings, their locks, and the errors of Postgres without what they quote.

What belongs here: opening, locking, telling. What does not: any row.

Invariants: the scratch's transaction is always rolled back; the live one is one transaction, READ COMMITTED, so that
what was committed while it waited for its locks is seen; settings that change how a value is written are the same on
both sides; no message of Postgres is passed on, because it quotes cells.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import LiteralString

import psycopg
from psycopg import errors, pq, sql

from ledger_assets.errors import TargetError
from ledger_assets.load.claim import LOAD_LOCK
from ledger_assets.load.schema import SCHEMA_LOCK
from ledger_assets.load.sqlfiles import Cursor, plain_errors
from ledger_assets.schema.catalogue import SCHEMAS

UNDONE = "nothing was changed"
STEP_MS = 900
"""Shorter than deadlock_timeout (1 s): where we and a writer wait for each other we give way, before Postgres would end
the writer's transaction."""

_SETTINGS: tuple[LiteralString, ...] = (
    "set transaction isolation level read committed, read write",
    "set local statement_timeout = 0",
    "set local lock_timeout = 0",
    "set local idle_in_transaction_session_timeout = 0",
    # Where row security would hide rows, fail instead of taking them for lost.
    "set local row_security = off",
    "set local datestyle = 'ISO, YMD'",
    "set local intervalstyle = 'postgres'",
    "set local timezone = 'UTC'",
    "set local extra_float_digits = 1",
    "set local bytea_output = 'hex'",
    "set local lc_monetary = 'C'",
    "set local work_mem = '64MB'",
    "select set_config('search_path', 'pg_catalog, public, extensions', true)",
    "set local migration.writer = 'on'",
)


@contextmanager
def one_transaction(conn: psycopg.Connection, what: str) -> Iterator[Cursor]:
    """A transaction of its own on ``conn``, as the loader; committed when the block ends well."""
    if conn.info.transaction_status != pq.TransactionStatus.IDLE:
        raise TargetError(
            f"{what}: the connection is inside another transaction; give it a connection of its own"
        )
    with plain_errors(what, undone=UNDONE), conn.transaction(), conn.cursor() as cur:
        for setting in _SETTINGS:
            cur.execute(setting)
        yield cur


@contextmanager
def rolled_back(conn: psycopg.Connection, what: str) -> Iterator[Cursor]:
    """The same, and nothing of it stays."""
    with one_transaction(conn, what) as cur:
        yield cur
        raise psycopg.Rollback


def as_restore(cur: Cursor, run: str, mode: str = "restore") -> None:
    """From here on rows are brought back as they were: none of our triggers writes, counts or dates anything."""
    cur.execute(
        "select set_config('migration.mode', %s, true), set_config('migration.run', %s, true)", (mode, run)
    )


def as_anybody(cur: Cursor) -> None:
    """No longer as the loader, and with the settings of any session: row security as the API's roles meet it."""
    cur.execute("select set_config('migration.mode', '', true), set_config('migration.writer', '', true)")
    cur.execute("set local row_security to default")
    cur.execute("set local search_path to default")
    # IMMEDIATE holds until the transaction ends: what is checked at the end of any other one is so again.
    late = cur.execute(
        "select distinct n.nspname, c.conname from pg_constraint c join pg_namespace n on n.oid = c.connamespace "
        "where c.condeferred and n.nspname = any (%s)",
        (list(SCHEMAS),),
    ).fetchall()
    if late:
        named = sql.SQL(", ").join(sql.Identifier(*name) for name in late)
        cur.execute(sql.SQL("set constraints {} deferred").format(named))


def lock(
    cur: Cursor,
    tables: Sequence[sql.Composable],
    seconds: float,
    *,
    mode: LiteralString = "share row exclusive",
) -> None:
    """Keep out loads, schema changes and every writer; readers go on. Raises TargetError after ``seconds``."""
    deadline = time.monotonic() + seconds
    named = sql.SQL(", ").join(tables)
    while True:
        try:
            with cur.connection.transaction():
                cur.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(STEP_MS)))
                cur.execute(
                    "select pg_advisory_xact_lock(%s), pg_advisory_xact_lock(%s)", (LOAD_LOCK, SCHEMA_LOCK)
                )
                cur.execute(sql.SQL("lock table only {} in {} mode").format(named, sql.SQL(mode)))
                cur.execute("set local lock_timeout = 0")
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            if time.monotonic() > deadline:
                raise TargetError(
                    f"somebody has been writing to the database for {seconds:.0f} s without an end; {UNDONE}: freeze "
                    "it first, or try again"
                ) from None
        else:
            return
