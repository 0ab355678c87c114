"""One environment's load test, without Dagster: which database is asked, and the record of it.

What belongs here: opening, recording. What does not: the queries and the asking (``loadtest``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger_assets import connections, events
from ledger_assets.environment import DATABASE_VARIABLE, Settings
from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import plain_errors

if TYPE_CHECKING:
    from ledger_assets.loadtest.model import Result

LOADTEST = "loadtest"
"""The action in ``migration.events``."""


def run(settings: Settings, *, seconds: float, sessions: int, calls: int | None = None) -> Result:
    """Ask the app's queries of the environment's database and record what they took. Raises TargetError."""
    from ledger_assets.health.indexes import unindexed
    from ledger_assets.load import schema
    from ledger_assets.load.connect import URL, connect
    from ledger_assets.loadtest import queries as asked
    from ledger_assets.loadtest.model import Result
    from ledger_assets.loadtest.run import run as run_queries

    setting = URL if settings.database_url is None else DATABASE_VARIABLE[settings.environment]
    name = f"ledger:{settings.environment}:{LOADTEST}"
    with (
        connections.database_url(settings) as url,
        connections.database(settings, purpose=LOADTEST) as connection,
    ):
        if schema.pending(connection):
            raise TargetError(
                f"{settings.target_name} has not this release's schema; run: ledger-assets schema apply "
                f"{settings.environment}"
            )
        with plain_errors("load test", undone="nothing was asked"), connection.transaction():
            found = asked.subjects(connection)
        timings, took = run_queries(
            lambda: connect(url, application_name=name, setting=setting),
            asked.queries(found),
            seconds=seconds,
            sessions=sessions,
            calls=calls,
        )
        with plain_errors("missing indexes", undone="nothing was read"), connection.transaction():
            missing = tuple(map(str, unindexed(connection)))
        result = Result(
            settings.environment.value,
            sessions,
            round(took, 3),
            tuple(timings),
            tuple(asked.notes(found)),
            missing,
        )
        events.record(
            connection,
            LOADTEST,
            "done" if result.passed else "failed",
            detail={
                "calls": result.calls,
                "failed": result.failed,
                "sessions": sessions,
                "seconds": result.seconds,
                "slowest_p95_ms": result.slowest,
                "stories": found.all_stories,
                "published": found.published,
                "problems": len(result.problems),
                "missing_indexes": len(missing),
            },
        )
    return result
