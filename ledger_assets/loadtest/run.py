"""Ask all queries again and again, several sessions at once, for a bounded time.

Invariants: every call is a read-only transaction that is rolled back; it has the role, the claims and the time limit that
the API gives it, and row-level security; an error is counted by its SQLSTATE, its text (it may quote a value) is dropped.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ledger_assets.loadtest.model import Query, Timing, timing

if TYPE_CHECKING:
    import psycopg

LIMITS = {"anon": "3s", "authenticated": "8s"}
"""Supabase's statement_timeout of the API's roles."""

Open = Callable[[], "psycopg.Connection"]


class _Turns:
    """Whose turn it is: the queries one after the other, across all sessions, until time or calls are over."""

    def __init__(self, number: int, calls: int | None, end: float, clock: Callable[[], float]) -> None:
        self._rounds = itertools.count()
        self._number, self._left = number, calls
        self._end, self._clock = end, clock
        self._lock = threading.Lock()

    def next(self) -> tuple[int, int] | None:
        """The next query's number, and how often it was asked before; None when it is over."""
        with self._lock:
            if self._clock() >= self._end or self._left == 0:
                return None
            if self._left is not None:
                self._left -= 1
            asked, number = divmod(next(self._rounds), self._number)
            return number, asked


def run(
    connect: Open,
    queries: Sequence[Query],
    *,
    seconds: float,
    sessions: int,
    calls: int | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[list[Timing], float]:
    """Ask; the timing of each query, and how long it took altogether. Raises TargetError when it cannot connect."""
    opened = []
    try:
        for _ in range(sessions):
            opened.append(connect())
        started = clock()
        turns = _Turns(len(queries), calls, started + seconds, clock)
        with ThreadPoolExecutor(sessions, thread_name_prefix="loadtest") as pool:
            answers = list(pool.map(lambda connection: _session(connection, queries, turns), opened))
        took = clock() - started
    finally:
        for connection in opened:
            connection.close()
    timings = []
    for number, query in enumerate(queries):
        milliseconds = [one for times, _ in answers for one in times[number]]
        errors: Counter[str] = sum((wrong[number] for _, wrong in answers), Counter[str]())
        timings.append(timing(query, milliseconds, errors))
    return timings, took


def _session(
    connection: psycopg.Connection, queries: Sequence[Query], turns: _Turns
) -> tuple[list[list[float]], list[Counter[str]]]:
    times: list[list[float]] = [[] for _ in queries]
    errors: list[Counter[str]] = [Counter() for _ in queries]
    while (turn := turns.next()) is not None:
        number, asked = turn
        took = _call(connection, queries[number], asked)
        if isinstance(took, str):
            errors[number][took] += 1
            if connection.closed:
                break  # the others go on; what was not asked shows in the calls
        else:
            times[number].append(took)
    return times, errors


def _call(connection: psycopg.Connection, query: Query, asked: int) -> float | str:
    """Milliseconds, or the SQLSTATE (``lost``: the connection)."""
    import psycopg

    parameters = query.parameters[asked % len(query.parameters)] or None
    try:
        with connection.transaction(force_rollback=True):
            as_role(connection, query.role, query.account)
            started = time.perf_counter()
            connection.execute(query.statement.encode(), parameters).fetchall()
            return (time.perf_counter() - started) * 1000
    except psycopg.Error as error:
        return error.sqlstate or "lost"


def as_role(connection: psycopg.Connection, role: str, account: str | None) -> None:
    """Go on with this transaction as PostgREST begins a request: role, claims, time limit; read-only besides."""
    from psycopg import sql

    claims = {"role": role, **({} if account is None else {"sub": account})}
    # A session of ours has row security off, so that nothing hides from a load: here hiding is what is looked at.
    connection.execute(
        "select set_config('transaction_read_only', 'on', true), set_config('row_security', 'on', true), "
        "set_config('statement_timeout', %s, true), set_config('request.jwt.claims', %s, true)",
        (LIMITS.get(role, "8s"), json.dumps(claims)),
    )
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
