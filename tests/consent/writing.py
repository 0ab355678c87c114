"""One connection, who writes on it, and how a change is sent.

What belongs here: sending. What does not: what is written (``hand``).

Invariants: nothing is committed; the loader fires no trigger, so each message of its ends with the one refresh it owes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tests.consent.world import ConsentKey, World

OWNER, SERVICE, LOADER = "owner", "service_role", "loader"
_AS = {
    OWNER: ("", ""),
    SERVICE: ("set local role service_role;", "; reset role"),
    LOADER: (
        "set local migration.writer = 'on';",
        "; select private.refresh_all(); set local migration.writer = 'off'",
    ),
}
SOURCE_GONE = "case when {gone} then timestamptz '2026-01-01' end"


def filled(text: str, /, **values: object) -> str:
    """SQL with values as literals: several statements in one message take no parameters."""
    return text.format(**{name: sql.Literal(value).as_string() for name, value in values.items()})


class Writing:
    """One connection and the world that it has written."""

    def __init__(self, connection: psycopg.Connection, world: World | None = None, by: str = OWNER) -> None:
        self.connection = connection
        self.world = world or World()
        self.by = by
        self._batch: list[str] | None = None
        self.ids: dict[ConsentKey, str] = {}

    def run(self, text: str, /, **values: object) -> None:
        """Execute now, or with the batch."""
        if self._batch is not None:
            self._batch.append(filled(text, **values))
            return
        before, after = _AS[self.by]
        self.connection.execute((before + filled(text, **values) + after).encode())

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Several changes as one message, and for the loader with one refresh."""
        self._batch = []
        yield
        parts, self._batch = self._batch, None
        if parts:
            before, after = _AS[self.by]
            self.connection.execute((before + ";".join(parts) + after).encode())
