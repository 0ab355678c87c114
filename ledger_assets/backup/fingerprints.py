"""The fingerprints of many tables at once: over several connections, large tables in parts.

What belongs here: sharing the work out and adding the parts up. What does not: what a fingerprint is (``contents``).

Invariants: every connection reads the same snapshot; a table's parts cover every page of it once, so that their sums are
the sums of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

import psycopg
from psycopg import sql

from ledger_assets.backup.contents import TableContents, TableShape, fingerprint, fix_settings
from ledger_assets.backup.queries import text

PART_BYTES = 64 * 1024 * 1024
"""With its TOAST. Postgres itself shares one such query out to two processes only when it may compute each md5 twice."""


@dataclass(frozen=True)
class _Part:
    shape: TableShape
    bytes: int
    pages: tuple[int, int | None]


def fingerprints(
    connection: psycopg.Connection,
    shapes: Sequence[TableShape],
    *,
    beside: Sequence[psycopg.Connection] = (),
) -> dict[str, TableContents]:
    """Count and content of every table, by key. ``connection`` is in a REPEATABLE READ transaction, after
    :func:`contents.fix_settings`; those ``beside`` it are idle, and idle again afterwards."""
    parts = sorted(_parts(connection, shapes), key=lambda part: -part.bytes)
    waiting: SimpleQueue[_Part] = SimpleQueue()
    for part in parts:
        waiting.put(part)
    row = connection.execute("select pg_export_snapshot()").fetchone()
    assert row is not None
    with ExitStack() as stack, ThreadPoolExecutor(max(len(beside), 1)) as pool:
        for other in beside:
            other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            stack.enter_context(other.transaction(force_rollback=True))
            other.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(row[0])))
            fix_settings(other)
        theirs = [pool.submit(_work, other, waiting) for other in beside]
        done = _work(connection, waiting)
        for future in theirs:
            done += future.result()
    found: dict[tuple[str, str], TableContents] = {}
    for one in done:
        key = (one.schema, one.name)
        found[key] = _sum(found[key], one) if key in found else one
    return {shape.key: found[shape.schema, shape.name] for shape in shapes}


def _parts(connection: psycopg.Connection, shapes: Sequence[TableShape]) -> Iterator[_Part]:
    for shape in shapes:
        row = connection.execute(text("size"), {"schema": shape.schema, "name": shape.name}).fetchone()
        assert row is not None
        pages, size = row
        many = min(-(-size // PART_BYTES), pages)
        if many < 2:
            yield _Part(shape, size, (0, None))
            continue
        ends = [pages * number // many for number in range(many)]
        # The last has no end: a table that grew since is covered too.
        for start, end in zip(ends, [*ends[1:], None], strict=True):
            yield _Part(shape, size // many, (start, end))


def _work(connection: psycopg.Connection, waiting: SimpleQueue[_Part]) -> list[TableContents]:
    done = []
    try:
        while True:
            part = waiting.get_nowait()
            done.append(fingerprint(connection, part.shape, pages=part.pages))
    except Empty:
        return done


def _sum(one: TableContents, other: TableContents) -> TableContents:
    first, second = (str(int(a) + int(b)) for a, b in zip(one.lanes, other.lanes, strict=True))
    return replace(one, rows=one.rows + other.rows, lanes=(first, second))
