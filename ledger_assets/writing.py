"""Writes of the migration to columns and tables that are the app's: accounts, and where files lie.

What belongs here: the one transaction of such a write, also during the freeze. What does not: what is written.

Invariants: a freeze refuses these writes like everybody's, unless the cut-over itself makes them (``during_freeze``): then
they are the loader's, and leave their lines in the audit themselves, as a load does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from ledger_assets.consent.act import act
from ledger_assets.environment import Environment
from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import Cursor, plain_errors

_LINES = (
    "insert into audit.log (table_name, row_id, action, changed) "
    "select %s, id, %s, %s from unnest(%s::text[]) as i (id)"
)
WAIT = "5s"
"""The server notices only after a moment that a process which held the lock was killed."""
_LOCK = "select pg_advisory_lock(hashtext('ledger_assets'), hashtext(%s))"
_UNLOCK = "select pg_advisory_unlock(hashtext('ledger_assets'), hashtext(%s))"


@contextmanager
def only_one(connection: psycopg.Connection, what: str) -> Iterator[None]:
    """Refuse a second ``what`` on the same database. Raises TargetError."""
    with plain_errors(what, undone="nothing was changed"):
        try:
            with connection.transaction():
                connection.execute("select set_config('lock_timeout', %s, true)", (WAIT,))
                connection.execute(_LOCK, (what,))
        except psycopg.errors.LockNotAvailable:
            raise TargetError(
                f"{what}: another run is at it on this database; wait for it, then run this again"
            ) from None
    try:
        yield
    finally:
        if not connection.broken:
            with connection.transaction():
                connection.execute(_UNLOCK, (what,))


@dataclass(frozen=True)
class Writer:
    """Who writes to which environment, in which run. ``during_freeze``: as a step of the cut-over."""

    connection: psycopg.Connection
    environment: Environment
    who: str
    run_id: str
    during_freeze: bool = False

    @contextmanager
    def write(self, what: str) -> Iterator[Cursor]:
        """A transaction of its own; ``what`` stands in the audit beside ``who``. Raises TargetError."""
        with act(self.connection, what, who=self.who, environment=self.environment) as cur:
            if self.during_freeze:
                cur.execute("select set_config('migration.writer', 'on', true)")
            yield cur

    def note(self, cur: Cursor, table: str, ids: Sequence[str], action: str, *columns: str) -> None:
        """Leave the audit's lines where no trigger does."""
        if self.during_freeze and ids:
            cur.execute(_LINES, (table, action, list(columns) or None, list(ids)))
