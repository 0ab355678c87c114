"""Every interleaving of some acts, run on real sessions, and what is stale or open at the end.

What belongs here: laying grounds, running, judging. What does not: the acts (``races``), how schedules run (``sessions``).

Invariants: a race is judged at once, because the next load's refresh would mend it; who is refused by a deadlock or a
unique key has left nothing behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import psycopg

from tests.consent.races import Work, clear, lay, on, open_grounds, stale
from tests.consent.sessions import Schedule, Sessions, interleavings

Acts = tuple[tuple[str, Work], ...]
LOST = (psycopg.errors.DeadlockDetected, psycopg.errors.UniqueViolation)
"""What a session may be refused with."""
_numbers = count(1)


@dataclass
class Outcome:
    """What came of the races, each by its acts and schedule."""

    run: int = 0
    stale: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    """Those after which story S may be seen and nobody was refused."""


class Field:
    """Three sessions on one database, and one that lays the ground and judges."""

    def __init__(self, connection: psycopg.Connection, sessions: Sessions) -> None:
        self._connection = connection
        self._sessions = sessions

    def run(self, sets: Iterable[Acts]) -> Outcome:
        """Every interleaving of every set of acts, each on a ground of its own."""
        races = [(acts, order) for acts in sets for order in interleavings([len(work) for _, work in acts])]
        first = next(_numbers) * 10_000
        grounds = range(first, first + len(races))
        lay(self._connection, grounds)
        outcome, through = Outcome(), {}
        blocked: dict[Acts, set[Schedule]] = defaultdict(set)
        for ground, (acts, order) in zip(grounds, races, strict=True):
            # A session that is blocked there is passed over, which is another order of these.
            if any(order[:turns] in blocked[acts] for turns in range(len(order))):
                continue
            told = " | ".join(name for name, _ in acts) + f" {order}"
            errors, waited = self._sessions.run([on(ground, work) for _, work in acts], order)
            blocked[acts] |= waited
            assert [e for e in errors if e is not None and not isinstance(e, LOST)] == [], told
            outcome.run += 1
            outcome.stale += [
                f"{told}: {found}" for found in stale(self._connection, range(ground, ground + 1))
            ]
            if any(errors):
                outcome.refused.append(told)
            else:
                through[ground] = told
        outcome.open = [through[n] for n in open_grounds(self._connection, "S") if n in through]
        clear(self._connection)
        return outcome


@contextmanager
def field_on(url: str) -> Iterator[Field]:
    """A field on one database."""
    with psycopg.connect(url, autocommit=True) as connection, Sessions(url, 3) as sessions:
        yield Field(connection, sessions)
