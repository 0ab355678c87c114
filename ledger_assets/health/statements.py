"""The app's slow queries, by pg_stat_statements where the server has it.

Invariant: no text of a statement leaves this module: it may hold what somebody wrote. Told are its id, its figures,
and the names of our own tables and functions that stand in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ledger_assets.health.context import Context
from ledger_assets.health.model import Measure, graded, named
from ledger_assets.health.queries import text

if TYPE_CHECKING:
    import psycopg

MEAN_WARN, MEAN_BAD = 500.0, 3000.0
"""Milliseconds. The community's strategy asks for 500 ms; after 3 s the API gives up on a visitor."""
LITERAL = re.compile(r"'(?:[^']|'')*'|\$((?:[A-Za-z_]\w*)?)\$.*?\$\1\$", re.DOTALL)
"""What somebody wrote; statements that are no queries are kept with theirs (a DO block, a SET before version 18)."""
CALLS = 5
"""Fewer say more of a cold cache than of the query."""


def slow_queries(context: Context) -> Measure:
    """Statements of the API's roles whose mean time is too long."""
    threshold = f"warn from {MEAN_WARN:.0f} ms on average in {CALLS} calls, bad from {MEAN_BAD:.0f} ms"
    place = _extension(context.connection)
    if place is None:
        return Measure(
            "slow_queries",
            "unknown",
            "pg_stat_statements is not installed",
            threshold,
            "create extension pg_stat_statements schema extensions (on Supabase: Database, Extensions); a server of your "
            "own also needs shared_preload_libraries = 'pg_stat_statements'",
        )
    rows = _slow(context.connection, place)
    if rows is None:
        return Measure(
            "slow_queries",
            "unknown",
            "pg_stat_statements is installed but not loaded",
            threshold,
            "set shared_preload_libraries = 'pg_stat_statements' and restart the server",
        )
    known = _names(context.connection)
    listed = named(
        f"query {queryid}: {mean:.0f} ms in {calls:,} calls ({', '.join(_mentioned(query, known)) or 'no table of ours'})"
        for queryid, calls, mean, query in rows
    )
    return Measure(
        "slow_queries",
        graded(rows[0][2] if rows else 0.0, warn=MEAN_WARN, bad=MEAN_BAD),
        listed or "none",
        threshold,
        f"ledger-assets loadtest {context.settings.environment} measures the app's queries; explain (analyze, buffers) "
        "shows where the time goes; afterwards select pg_stat_statements_reset()",
    )


def _extension(connection: psycopg.Connection) -> str | None:
    row = connection.execute(
        "select extnamespace::regnamespace::text from pg_extension where extname = 'pg_stat_statements'"
    ).fetchone()
    return None if row is None else str(row[0])


def _slow(connection: psycopg.Connection, schema: str) -> list[tuple[int, int, float, str]] | None:
    import psycopg
    from psycopg import sql

    query = sql.SQL(text("slow")).format(view=sql.Identifier(schema, "pg_stat_statements"))
    try:
        with connection.transaction():
            return connection.execute(query, {"calls": CALLS, "mean": MEAN_WARN}).fetchall()
    except psycopg.errors.ObjectNotInPrerequisiteState:
        return None


def _names(connection: psycopg.Connection) -> dict[str, str]:
    """Names of our tables and functions, by the word that stands in a statement."""
    rows = connection.execute(
        "select relname::text, relnamespace::regnamespace || '.' || relname from pg_class "
        "where relnamespace::regnamespace::text in ('public', 'private') and relkind in ('r', 'p', 'v', 'm') union all "
        "select proname::text, pronamespace::regnamespace || '.' || proname from pg_proc "
        "where pronamespace = 'public'::regnamespace"
    ).fetchall()
    return dict(rows)


def _mentioned(query: str, known: dict[str, str]) -> list[str]:
    words = re.findall(r"\w+", LITERAL.sub("", query))
    return sorted({known[word] for word in words if word in known})
