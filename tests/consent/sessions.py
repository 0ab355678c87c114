"""Several sessions on one database, their statements interleaved as a schedule says, locks waited for without a clock.

What belongs here: running a schedule. What does not: what the sessions do (``races``).

Invariants: a statement counts as blocked only when Postgres says by whom (pg_blocking_pids), and only by one of these
sessions; a blocked session is passed over until it is let go; who loses a deadlock is rolled back and done. Whatever
the schedule, every session ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import pairwise
from types import TracebackType
from typing import Self

import psycopg

Schedule = tuple[int, ...]
COMMIT = "commit"
LOOK_SECONDS = 0.002
PATIENCE_SECONDS = 10.0


@dataclass
class Session:
    """One connection, what it still has to do, and the statement under way."""

    connection: psycopg.Connection
    pid: int
    todo: list[str] = field(default_factory=list)
    under_way: Future[None] | None = None
    error: psycopg.Error | None = None

    @property
    def ended(self) -> bool:
        return not self.todo and self.under_way is None


class Sessions:
    """A few connections kept for many schedules, and one that looks at their locks."""

    def __init__(self, url: str, number: int) -> None:
        self._threads = ThreadPoolExecutor(number)
        self._watch = psycopg.connect(url, autocommit=True)
        self._all = []
        for _ in range(number):
            connection = psycopg.connect(url, autocommit=True)
            self._all.append(Session(connection, connection.info.backend_pid))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._all:
            if session.under_way is not None:
                session.connection.cancel_safe()
                wait([session.under_way])
            session.connection.close()
        self._watch.close()
        self._threads.shutdown()

    def run(
        self, works: Sequence[Sequence[str]], schedule: Schedule
    ) -> tuple[list[psycopg.Error | None], set[Schedule]]:
        """Run each session's statements in one transaction each, in this order.

        Returns the error of each, if any, and the beginnings of the schedule whose last turn found its session blocked.
        """
        sessions = self._all[: len(works)]
        for session, work in zip(sessions, works, strict=True):
            session.todo = [*work, COMMIT]
            session.todo[0] = f"begin; {session.todo[0]}"
            session.error = None
        blocked = set()
        for turns, turn in enumerate(schedule, 1):
            if not self._step(sessions[turn], sessions) and sessions[turn].under_way is not None:
                blocked.add(schedule[:turns])
        while not all(session.ended for session in sessions):
            free = [s for s in sessions if self._free(s, sessions)]
            waiting = [s.under_way for s in sessions if s.under_way is not None]
            if free:
                self._step(free[0], sessions)
            elif waiting:
                # Each waits for another: Postgres ends one of them, or this is a fault of the test.
                assert wait(waiting, PATIENCE_SECONDS, "FIRST_COMPLETED").done, (
                    "sessions wait for one another for ever"
                )
        return [session.error for session in sessions], blocked

    def _step(self, session: Session, sessions: Sequence[Session]) -> bool:
        """Let a session begin its next statement; False when it is blocked in the one before, or done."""
        if not self._free(session, sessions):
            return False
        session.under_way = self._threads.submit(self._execute, session, session.todo.pop(0))
        self._free(session, sessions)
        return True

    def _execute(self, session: Session, statement: str) -> None:
        session.connection.execute(statement.encode())

    def _free(self, session: Session, sessions: Sequence[Session]) -> bool:
        """Wait until the statement under way has ended or is blocked; True when the session can go on."""
        others = [other.pid for other in sessions if other is not session]
        while session.under_way is not None:
            wait([session.under_way], LOOK_SECONDS)
            if session.under_way.done():
                self._take(session, session.under_way)
            elif self._blocked(session.pid, others):
                return False
        return bool(session.todo)

    def _take(self, session: Session, done: Future[None]) -> None:
        session.under_way = None
        error = done.exception()
        if error is not None:
            if not isinstance(error, psycopg.Error):
                raise error
            session.error = error
            session.todo = []
            session.connection.execute("rollback")

    def _blocked(self, pid: int, others: list[int]) -> bool:
        row = self._watch.execute("select pg_blocking_pids(%s) && %s::integer[]", (pid, others)).fetchone()
        return row is not None and bool(row[0])


def interleavings(lengths: Sequence[int]) -> Iterator[Schedule]:
    """Every order of the sessions' statements, a commit included for each, but for those of one after the other."""
    total = [n + 1 for n in lengths]

    def orders(left: list[int], so_far: Schedule) -> Iterator[Schedule]:
        if not any(left):
            yield so_far
        for turn, n in enumerate(left):
            if n:
                yield from orders([m - (i == turn) for i, m in enumerate(left)], (*so_far, turn))

    for order in orders(total, ()):
        # In turn, they are what single sessions do, which other tests cover.
        if sum(a != b for a, b in pairwise(order)) >= len(total):
            yield order
