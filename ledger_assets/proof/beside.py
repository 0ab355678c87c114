"""A second connection that sees the proof's own snapshot: what needs no other part's tables is judged beside the rest.

What belongs here: opening it, running there, ending it. What does not: what runs there (``reconcile``).

Invariants: both connections see one snapshot, or there is one connection; nothing is left open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
from psycopg import conninfo, sql

P = ParamSpec("P")
T = TypeVar("T")


class Beside:
    """Runs functions of a connection one after the other: beside the proof, or, without a second one, at once."""

    def __init__(self, connection: psycopg.Connection, thread: ThreadPoolExecutor | None) -> None:
        self.connection = connection
        self._thread = thread
        self._begun: list[Future[Any]] = []

    def submit(
        self, run: Callable[Concatenate[psycopg.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """The result of ``run`` with the connection, when it is there."""
        if self._thread is not None:
            running = self._thread.submit(run, self.connection, *args, **kwargs)
            self._begun.append(running)
            return running
        done: Future[T] = Future()
        done.set_result(run(self.connection, *args, **kwargs))
        return done

    def stop(self) -> None:
        """End what runs. A statement that begins just when the one before is cancelled is cancelled, too."""
        running = [one for one in self._begun if not one.cancel()]
        while wait(running, timeout=0).not_done:
            self.connection.cancel()
            wait(running, timeout=0.2)


@contextmanager
def beside(conn: psycopg.Connection, *, shared: bool) -> Iterator[Beside]:
    """A second connection to ``conn``'s database with the snapshot of its transaction, for the length of the block.

    ``shared`` False: the transaction may hold what only ``conn`` sees; everything is done there. So, too, where the
    server has no connection left.
    """
    other = _second(conn) if shared else None
    if other is None:
        yield Beside(conn, None)
        return
    with other, ThreadPoolExecutor(1, thread_name_prefix="proof-beside") as thread:
        run = Beside(other, thread)
        try:
            yield run
        finally:
            run.stop()
            other.rollback()


def _second(conn: psycopg.Connection) -> psycopg.Connection | None:
    snapshot = conn.execute("select pg_export_snapshot()").fetchone()
    assert snapshot is not None
    address = conninfo.make_conninfo(conn.info.dsn, password=conn.info.password)
    try:
        other: psycopg.Connection = psycopg.connect(address)
    except psycopg.OperationalError:
        return None
    try:
        other.execute("set transaction isolation level repeatable read")
        other.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(snapshot[0])))
    except BaseException:
        other.close()
        raise
    return other
