"""Indexes that are missing: foreign keys without one, and large tables that are read from end to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger_assets.health.context import Context
from ledger_assets.health.model import Measure, named
from ledger_assets.health.queries import text
from ledger_assets.schema.catalogue import SCHEMAS

if TYPE_CHECKING:
    import psycopg

LARGE = 10_000
"""Rows from which on reading a whole table for one row takes longer (2 ms and more) than all else of a query."""
OFTEN = 1_000
"""Loads, proofs and snapshots read every table from end to end, some ten times each: they must not count."""


@dataclass(frozen=True)
class Unindexed:
    """A foreign key that no index begins with."""

    table: str
    columns: tuple[str, ...]
    constraint: str
    rows: int

    def __str__(self) -> str:
        """Table, columns and rows."""
        return f"{self.table} ({', '.join(self.columns)}), {self.rows:,} rows"


def unindexed(connection: psycopg.Connection) -> list[Unindexed]:
    """Foreign keys of our schemas without an index, of the largest table first."""
    rows = connection.execute(text("foreign_keys"), {"schemas": list(SCHEMAS)}).fetchall()
    return [Unindexed(table, tuple(columns), name, count) for table, name, count, columns in rows]


def indexes(context: Context) -> Measure:
    """Foreign keys without an index."""
    found = unindexed(context.connection)
    large = any(one.rows >= LARGE for one in found)
    return Measure(
        "missing_indexes",
        "bad" if large else "warn" if found else "ok",
        f"foreign keys without an index: {named(map(str, found))}" if found else "every foreign key has one",
        f"warn at the first, bad where its table has {LARGE:,} rows",
        f"ledger-assets schema verify {context.settings.environment} names what was dropped; make it again: "
        "create index concurrently on TABLE (COLUMNS)",
    )


def scans(context: Context) -> Measure:
    """Large tables that are read from end to end often."""
    rows = context.connection.execute(
        text("scans"), {"schemas": list(SCHEMAS), "rows": LARGE, "scans": OFTEN}
    ).fetchall()
    listed = named(f"{table} ({whole:,} times, by an index {by:,})" for table, _, whole, by in rows)
    return Measure(
        "sequential_scans",
        "warn" if rows else "ok",
        f"read from end to end: {listed}" if rows else "no large table is",
        f"warn where a table of {LARGE:,} rows was read whole {OFTEN:,} times, and more often than by an index",
        f"find the query: ledger-assets loadtest {context.settings.environment}; give it an index",
    )
