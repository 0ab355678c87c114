"""Hands for the freeze's tests: sessions on one database, and polling by the database's own clock.

What belongs here: what more than one file of tests needs. What does not: expectations. Also run as a program: it takes a
lease, renews it and waits to be killed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import psycopg

from ledger_assets import freeze
from ledger_assets.load.connect import connect

WRITE = "insert into public.themes (id, name) values (gen_random_uuid(), 'x')"


def lease(conn: psycopg.Connection, cutover: str = "cut-1", **changed: Any) -> int:
    """A lease of a minute, taken at once."""
    return freeze.take_lease(
        conn, reason="moving", who="night watch", cutover=cutover, **{"planned_end": None, **changed}
    )


def one(conn: psycopg.Connection, query: str) -> Any:
    """The only value, asked in a transaction of its own."""
    with conn.transaction():
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def write(url: str) -> str | None:
    """Write as the database's owner; the SQLSTATE of the refusal."""
    with connect(url, application_name="writer") as writer:
        try:
            writer.execute(WRITE)
        except psycopg.Error as error:
            return error.sqlstate
    return None


def until(conn: psycopg.Connection, query: str, wanted: Callable[[Any], bool] = bool) -> Any:
    """Ask until the answer is the wanted one; the database waits between two questions, at most for half a minute."""
    for _ in range(1500):
        answer = one(conn, query)
        if wanted(answer):
            return answer
        one(conn, "select pg_sleep(0.02)::text")
    raise AssertionError(f"never: {query}")


def when_blocked(conn: psycopg.Connection, pid: int, work: Callable[[], object]) -> threading.Thread:
    """Start ``work``, which uses the session ``pid``, and return once that waits for somebody's lock."""
    thread = threading.Thread(target=work)
    thread.start()
    until(conn, f"select cardinality(pg_blocking_pids({pid})) > 0")
    return thread


def main(url: str, cutover: str, seconds: str) -> None:
    """Take a lease, say its token, renew it until killed."""
    with connect(url, application_name="tests:victim") as conn:
        token = lease(conn, cutover, seconds=float(seconds))
        with freeze.Heartbeat(url, token, seconds=float(seconds)):
            print(token, flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
