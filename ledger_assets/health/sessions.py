"""Measures of who is connected: how many, for how long, and who waits for whom."""

from __future__ import annotations

from ledger_assets.health.context import Context
from ledger_assets.health.model import Measure, graded, named, span
from ledger_assets.health.queries import text

CONNECTIONS_WARN, CONNECTIONS_BAD = 0.7, 0.9
"""A burst of the app doubles its connections within seconds; the last tenth is needed by whoever comes to help."""
TRANSACTION_WARN, TRANSACTION_BAD = 300.0, 1800.0
"""The load of the largest base measured holds its transaction for 101 s; one of half an hour keeps vacuum from every
table, and its locks from everybody."""
WAIT_WARN, WAIT_BAD = 3.0, 30.0
"""The API gives up after 3 s (anon) and 8 s (authenticated): who waits for 30 s is stuck."""


def connections(context: Context) -> Measure:
    """Connections used of those that there are for everybody."""
    row = context.connection.execute(
        "select (select count(*) from pg_stat_activity where backend_type = 'client backend'), "
        "current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    ).fetchone()
    assert row is not None
    used, most = row
    return Measure(
        "connections",
        graded(used / most, warn=CONNECTIONS_WARN, bad=CONNECTIONS_BAD),
        f"{used} of {most} used",
        f"warn from {CONNECTIONS_WARN:.0%}, bad from {CONNECTIONS_BAD:.0%}",
        "find who holds them: select usename, application_name, state, count(*) from pg_stat_activity group by 1, 2, 3; "
        "send the app through the pooler, or raise the project's compute size",
    )


def long_transactions(context: Context) -> Measure:
    """The oldest open transaction of this database."""
    rows = context.connection.execute(
        "select pid, usename, state, extract(epoch from %(now)s - xact_start)::float8 from pg_stat_activity "
        "where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid() "
        "and xact_start < %(now)s - make_interval(secs => %(warn)s) order by xact_start",
        {"now": context.now, "warn": TRANSACTION_WARN},
    ).fetchall()
    oldest = rows[0][3] if rows else 0.0
    listed = named(f"pid {pid} ({user}, {state}, {span(age)})" for pid, user, state, age in rows)
    return Measure(
        "long_transactions",
        graded(oldest, warn=TRANSACTION_WARN, bad=TRANSACTION_BAD),
        f"{len(rows)} open for long: {listed}" if rows else "none",
        f"warn from {span(TRANSACTION_WARN)}, bad from {span(TRANSACTION_BAD)}",
        "ask whose it is (pg_stat_activity); end it: select pg_terminate_backend(PID); nothing of it is kept",
    )


def blocked_locks(context: Context) -> Measure:
    """Sessions that wait for another session's lock."""
    rows = context.connection.execute(text("blocked")).fetchall()
    waits = [(context.now - since).total_seconds() if since else 0.0 for *_, since in rows]
    listed = named(
        f"pid {pid} waits {span(max(wait, 0))} for pid {'+'.join(map(str, by))} ({relation or kind})"
        for (pid, by, relation, kind, _), wait in zip(rows, waits, strict=True)
    )
    return Measure(
        "blocked_locks",
        graded(max(waits, default=0.0), warn=WAIT_WARN, bad=WAIT_BAD),
        f"{len(rows)} waiting: {listed}" if rows else "nobody waits",
        f"warn from {span(WAIT_WARN)} of waiting, bad from {span(WAIT_BAD)}",
        "look at what the session that is waited for does (pg_stat_activity), then let it end or end it: "
        "select pg_terminate_backend(PID)",
    )
