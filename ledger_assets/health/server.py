"""Measures of the server: replication, the way to it, the room there is."""

from __future__ import annotations

import shutil

from ledger_assets.doctor import FREE_BYTES
from ledger_assets.health.context import Context
from ledger_assets.health.model import Measure, State, graded, named, size, span
from ledger_assets.health.settings import DATABASE_GB

LAG_WARN, LAG_BAD = 60.0, 600.0
"""A copy that is a minute behind shows people what they have just changed as it was; ten minutes is broken."""
RETAINED_WARN, RETAINED_BAD = 256 * 1024**2, 1024**3
"""A slot keeps the server's log until it is read: 1 GiB is an eighth of the smallest paid plan's disk, and a full disk
stops every write."""
SIZE_WARN, SIZE_BAD = 0.8, 0.95
"""Above its plan's size Supabase sets a database read-only; a load needs room beside what is there."""


def replication(context: Context) -> Measure:
    """Copies of this server, and slots that keep its log."""
    execute = context.connection.execute
    standby = execute("select pg_is_in_recovery()").fetchone()
    assert standby is not None
    threshold = (
        f"warn from {span(LAG_WARN)} behind or {size(RETAINED_WARN)} kept, "
        f"bad from {span(LAG_BAD)} or {size(RETAINED_BAD)}"
    )
    if standby[0]:
        return Measure(
            "replication",
            "bad",
            "this server is a copy itself and takes no writes",
            threshold,
            "point the database's setting at the primary",
        )
    copies = execute(
        "select extract(epoch from replay_lag)::float8 from pg_stat_replication where state is not null"
    ).fetchall()
    slots = execute(
        "select slot_name, active, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::float8 "
        "from pg_replication_slots order by 3 desc"
    ).fetchall()
    lag = max((one[0] or 0.0 for one in copies), default=0.0)
    kept = max((one[2] for one in slots), default=0.0)
    idle = [name for name, active, _ in slots if not active]
    states = (
        graded(lag, warn=LAG_WARN, bad=LAG_BAD),
        graded(kept, warn=RETAINED_WARN, bad=RETAINED_BAD),
        "warn" if idle else "ok",
    )
    parts = [f"{len(copies)} copies, {span(lag)} behind"] if copies else ["not replicated"]
    if slots:
        parts.append(f"{len(slots)} slots keep {size(kept)}")
    if idle:
        parts.append(f"nobody reads: {named(idle)}")
    return Measure(
        "replication",
        "bad" if "bad" in states else "warn" if "warn" in states else "ok",
        "; ".join(parts),
        threshold + "; a slot that nobody reads",
        "start what reads the slot, or drop it: select pg_drop_replication_slot('NAME'); of a copy that is behind look at "
        "its server",
    )


def pooler(context: Context) -> Measure:
    """How this connection reaches the server; one in transaction mode was refused when it was opened."""
    row = context.connection.execute("select pg_backend_pid()").fetchone()
    assert row is not None
    pooled = row[0] != context.connection.info.backend_pid
    return Measure(
        "pooler",
        "ok",
        "by a pooler in session mode" if pooled else "directly, no pooler between",
        "transaction mode cannot hold a load and is refused when the connection is opened",
    )


def database_size(context: Context) -> Measure:
    """The database's size, against what its plan allows."""
    row = context.connection.execute("select pg_database_size(current_database())").fetchone()
    assert row is not None
    allowed = context.limits.database_gb
    if allowed is None and context.settings.database_url is None:
        words = "no limit but the disk (see disk): the embedded Postgres"
        return Measure("database_size", "ok", size(row[0]), words)
    if allowed is None:
        return Measure(
            "database_size",
            "unknown",
            f"{size(row[0])}, of what the plan allows",
            f"warn from {SIZE_WARN:.0%}, bad from {SIZE_BAD:.0%} of {DATABASE_GB}",
            f"set {DATABASE_GB} to the disk of the database's plan in GB",
        )
    return Measure(
        "database_size",
        graded(row[0] / (allowed * 1e9), warn=SIZE_WARN, bad=SIZE_BAD),
        f"{size(row[0])} of {allowed:g} GB",
        f"warn from {SIZE_WARN:.0%}, bad from {SIZE_BAD:.0%}",
        "enlarge the database's disk in its project's settings before the next load",
    )


def disk(context: Context) -> Measure:
    """Room at LEDGER_HOME, where exports and scratch databases are made."""
    free = shutil.disk_usage(context.settings.home).free
    state: State = "bad" if free < FREE_BYTES else "warn" if free < 2 * FREE_BYTES else "ok"
    return Measure(
        "disk",
        state,
        f"{size(free)} free at LEDGER_HOME",
        f"warn below {size(2 * FREE_BYTES)}, bad below {size(FREE_BYTES)}: an export and a scratch copy must fit",
        "make room, or set LEDGER_HOME to a larger disk",
    )
