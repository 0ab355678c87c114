"""What a load demands of its database before it writes: the role, the schema, and whose database it is.

Invariants: a database is claimed once, by the first load, for one environment and one base; the claim is part
of the load's transaction, so that a dry run or a failed load claims nothing.
"""

from __future__ import annotations

from typing import LiteralString

import psycopg
from psycopg import pq

from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import Cursor, one

LOAD_LOCK = 0x6C65646765720001
"""Advisory lock that keeps two loads of one database apart ('ledger' + 1)."""

_SETTINGS: tuple[LiteralString, ...] = (
    # Supabase puts every role under a two minute statement timeout.
    "set local statement_timeout = 0",
    "set local idle_in_transaction_session_timeout = 0",
    "set local lock_timeout = '10s'",
    # Where row security would hide rows, fail instead: hidden rows look like success with nothing done.
    "set local row_security = off",
    "set local migration.writer = 'on'",
    "set local datestyle = 'ISO, YMD'",
    "set local timezone = 'UTC'",
    "set local work_mem = '64MB'",
)

_PREFLIGHT: LiteralString = """
select r.rolbypassrls or r.rolsuper, pg_encoding_to_char(d.encoding) = 'UTF8'
from pg_catalog.pg_roles r, pg_catalog.pg_database d
where r.rolname = current_user and d.datname = current_database()
"""


_READY: LiteralString = (
    "select to_regclass('migration.target') is not null and to_regclass('airtable.records') is not null "
    "and to_regclass('migration.live') is not null"
)


def idle(conn: psycopg.Connection) -> None:
    """Raises :class:`TargetError` when the connection is inside a transaction: a load is one of its own."""
    if conn.info.transaction_status != pq.TransactionStatus.IDLE:
        raise TargetError(
            "load: the connection is inside another transaction; give the load a connection of its own"
        )


def begin(cur: Cursor) -> None:
    """Wait for any other load of this database, then make the transaction's settings."""
    # Under a stricter isolation the snapshot would be older than the lock, and what the other load did
    # invisible.
    cur.execute("set transaction isolation level read committed")
    cur.execute("set local lock_timeout = 0")
    cur.execute("set local statement_timeout = 0")
    cur.execute("select pg_advisory_xact_lock(%s)", (LOAD_LOCK,))
    for setting in _SETTINGS:
        cur.execute(setting)


def preflight(cur: Cursor) -> None:
    """Raises :class:`TargetError` for a role that does not see every row, another encoding, no schema."""
    sees_all, utf8 = cur.execute(_PREFLIGHT).fetchone() or (False, False)
    if not sees_all:
        raise TargetError(
            "the database role has no BYPASSRLS: it would not see every row; connect as the role "
            "'postgres' of the project (or: alter role ... bypassrls)"
        )
    if not utf8:
        raise TargetError("the database's encoding is not UTF8; create the database with encoding 'UTF8'")
    # Asked last: a role without rights on our schemas gets an error here and not an answer.
    if not one(cur, _READY):
        raise TargetError("the database lacks our schema; run: ledger-assets schema apply ENV")


def claim(cur: Cursor, *, environment: str, base_id: str) -> None:
    """Claim the database, or raise :class:`TargetError` when it is another's."""
    cur.execute(
        "insert into migration.target (environment, name, base_id) values (%s, current_database(), %s) "
        "on conflict do nothing",
        (environment, base_id),
    )
    row = cur.execute("select environment, base_id from migration.target").fetchone()
    if row != (environment, base_id):
        theirs = "nobody" if row is None else f"environment {row[0]}, base {row[1]}"
        raise TargetError(
            f"this database belongs to {theirs}, not to environment {environment}, base {base_id}; "
            "check the database setting, or use a new database"
        )
