"""All measures of an environment, one after the other.

Invariants: nothing is written: each measure of the database runs in a read-only transaction of its own with a time
limit; one that cannot be taken is ``unknown`` with its reason and never hides the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import LedgerError, TargetError, named
from ledger_assets.health import consents, indexes, migration, outside, server, sessions, statements, way_back
from ledger_assets.health.context import Context
from ledger_assets.health.facts import RunFacts
from ledger_assets.health.model import Measure, Report
from ledger_assets.health.settings import read_health_settings
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    import psycopg

LIMIT = "60s"
"""For one measure: who looks during an outage must get an answer."""

GROUPS: dict[str, dict[str, Callable[[Context], Measure]]] = {
    "The migration": {
        "migration": migration.progress,
        "findings": migration.findings,
        "freeze": migration.freeze,
        "runs": outside.runs,
        "airtable_calls": outside.airtable_calls,
    },
    "Consent": {
        "visibility": consents.visibility,
        "expired_consents": consents.expired_consents,
    },
    "The way back": {
        "snapshot_age": way_back.snapshot_age,
        "recovery_point": way_back.recovery_point,
        "recovery_time": way_back.recovery_time,
    },
    "The database": {
        "connections": sessions.connections,
        "long_transactions": sessions.long_transactions,
        "blocked_locks": sessions.blocked_locks,
        "replication": server.replication,
        "pooler": server.pooler,
        "slow_queries": statements.slow_queries,
        "missing_indexes": indexes.indexes,
        "sequential_scans": indexes.scans,
        "database_size": server.database_size,
        "disk": server.disk,
    },
}


def collect(
    settings: Settings,
    connection: psycopg.Connection,
    store: ObjectStore,
    *,
    runs: RunFacts | None = None,
    more: Sequence[Callable[[], Measure]] = (),
    now: datetime | None = None,
) -> Report:
    """Take every measure, those of ``more`` too. The connection is idle, and idle again afterwards.

    Raises SettingsError, and TargetError when the connection is lost.
    """
    at = now or datetime.now(UTC)
    context = Context(settings, read_health_settings(), connection, store, at, runs)
    environment = settings.environment
    found = [
        replace(_taken(connection, name, partial(take, context), environment), group=group)
        for group, measures in GROUPS.items()
        for name, take in measures.items()
    ]
    found += [_taken(connection, getattr(take, "__name__", "further"), take, environment) for take in more]
    return Report(settings.environment.value, settings.target_name, at, tuple(found))


def _taken(
    connection: psycopg.Connection, name: str, take: Callable[[], Measure], environment: Environment
) -> Measure:
    import psycopg

    doctor = f"ledger-assets doctor {environment}"
    try:
        with connection.transaction():
            connection.execute("set transaction read only")
            connection.execute(f"set local statement_timeout = '{LIMIT}'".encode())
            return take()
    except psycopg.Error as error:
        if connection.closed:
            raise TargetError(f"health: Postgres ended the connection; is the server up? {doctor}") from None
        reason = f"the database answers SQLSTATE {error.sqlstate or 'none'}"
    except LedgerError as error:
        reason = named(str(error), environment)
    return Measure(name, "unknown", f"could not be measured: {reason}", "", doctor)
