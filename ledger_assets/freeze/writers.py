"""Waiting for the writes that were begun before a freeze.

Invariant: a write locks its table before its trigger looks for a freeze. So once a freeze is committed, whoever has had
each table's lock for a moment knows that every write still to come is refused, and that no other is left. One table
after the other, each in its own transaction: writers never deadlock with it, and wait for it at most ``ATTEMPT`` long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import LiteralString

import psycopg
from psycopg import sql

from ledger_assets.errors import TargetError
from ledger_assets.progress import report

ATTEMPT = "2s"
"""Longest wait for a table's lock: whoever writes meanwhile waits behind it before it is refused."""

_TABLES: LiteralString = """
select n.nspname, c.relname from pg_catalog.pg_trigger t
join pg_catalog.pg_class c on c.oid = t.tgrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where t.tgfoid = 'private.refuse_frozen()'::regprocedure order by 1, 2
"""
_HOLDERS: LiteralString = """
select distinct pid from pg_catalog.pg_locks
where relation = %s::regclass and granted and mode <> 'AccessShareLock' and pid <> pg_backend_pid() order by pid
"""


def wait_for_writers(connection: psycopg.Connection, renew: Callable[[], None], *, seconds: float) -> int:
    """Wait until no write is left that was begun before the freeze; the number of tables.

    ``renew`` is called between attempts. Raises TargetError naming table and server processes after ``seconds``.
    """
    with connection.transaction():
        tables = [tuple(map(str, row)) for row in connection.execute(_TABLES).fetchall()]
    until = time.monotonic() + seconds
    for number, table in enumerate(tables):
        while not _free(connection, table):
            if time.monotonic() >= until:
                raise TargetError(_busy(connection, table, seconds))
            renew()
        report("freeze", table[1], number + 1, len(tables))
    return len(tables)


def _free(connection: psycopg.Connection, table: tuple[str, ...]) -> bool:
    try:
        with connection.transaction():
            connection.execute(f"set local lock_timeout = '{ATTEMPT}'")
            connection.execute(
                sql.SQL("lock table {} in share row exclusive mode").format(sql.Identifier(*table))
            )
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False
    return True


def _busy(connection: psycopg.Connection, table: tuple[str, ...], seconds: float) -> str:
    name = ".".join(table)
    with connection.transaction():
        pids = [str(row[0]) for row in connection.execute(_HOLDERS, (name,)).fetchall()][:20]
    return (
        f"freeze: {name} is still being written after {seconds:.0f} s (server processes "
        f"{', '.join(pids) or 'gone by now'}): try again, or end them: select pg_terminate_backend(PROCESS)"
    )
