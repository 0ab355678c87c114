"""VACUUM (ANALYZE) of what a load wrote: until then exact counts cannot use the visibility map.

What belongs here: that. What does not: which tables were written (``load``).

Invariants: whatever happens here, the load stays committed; nothing is left open.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from queue import Empty, SimpleQueue

import psycopg
from psycopg import conninfo, sql

from ledger_assets.load.report import LoadReport
from ledger_assets.load.sqlfiles import names
from ledger_assets.progress import report

RECORDS_JUDGED = ("base_id", "table_id", "record_id", "created_time", "lossy", "source_deleted_at")
"""Columns of ``airtable.records`` that queries choose rows by."""


def tidy(conn: psycopg.Connection, result: LoadReport) -> None:
    """On two connections at once: a VACUUM is one server process at work, and it was 0.45 s of a load of 50,000 records."""
    waiting: SimpleQueue[sql.Composable] = SimpleQueue()
    for table in _written(result):
        waiting.put(table)
    if waiting.empty():
        return
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="tidy") as thread:
            beside = thread.submit(_beside, conn.info.dsn, conn.info.password, waiting)
            _vacuum(conn, waiting)
            beside.result()
    except psycopg.Error:
        # The load is committed whatever happens here, and autovacuum does the same work later.
        report("load", "vacuum was refused; autovacuum will do it", 0)


def _written(result: LoadReport) -> Iterable[sql.Composable]:
    raw: list[sql.Composable] = []
    if any(c.written for c in result.raw.values()):
        # First, because it takes longest. Statistics of texts help no query, and reading them for it takes as long as
        # all other tables together.
        raw.append(sql.SQL("airtable.records ({})").format(names(RECORDS_JUDGED)))
    tables = (sql.SQL("public.{}").format(sql.Identifier(n)) for n, c in result.tables.items() if c.written)
    return chain(raw, tables)


def _beside(dsn: str, password: str, waiting: SimpleQueue[sql.Composable]) -> None:
    try:
        other: psycopg.Connection = psycopg.connect(conninfo.make_conninfo(dsn, password=password))
    except psycopg.OperationalError:  # the server has no connection left: the first one does it all
        return
    with closing(other):
        _vacuum(other, waiting)


def _vacuum(conn: psycopg.Connection, waiting: SimpleQueue[sql.Composable]) -> None:
    before = conn.autocommit
    conn.autocommit = True
    try:
        while True:
            conn.execute(sql.SQL("vacuum (analyze) {}").format(waiting.get_nowait()))
    except Empty:
        return
    finally:
        if not conn.closed:
            conn.autocommit = before
