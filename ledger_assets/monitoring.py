"""One environment's health, without Dagster: what the op job, the cut-over and the command all do.

What belongs here: which database and store are looked at, keeping the page, recording what became bad or well again.
What does not: the measures (``health``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ledger_assets import connections, events, reports
from ledger_assets.environment import Settings
from ledger_assets.errors import TargetError, named
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.health import Measure, Report, RunFacts

HEALTH = "health"
"""The action in ``migration.events``, and the report's name in the store."""


@dataclass(frozen=True)
class Looked:
    """A report; ``changed``: other things are bad than at the look before."""

    report: Report
    changed: bool


def look(
    settings: Settings,
    store: ObjectStore,
    *,
    runs: RunFacts | None = None,
    more: Sequence[Callable[[], Measure]] = (),
    run_id: str | None = None,
) -> Looked:
    """Every measure, and an event where other things are bad than at the last look."""
    from ledger_assets.cutover import late
    from ledger_assets.health import collect

    with (
        connections.database(settings, purpose=HEALTH) as connection,
        connections.database(settings, purpose=HEALTH) as other,
    ):

        def late_edits() -> Measure:
            return late.measure(settings, other, store)

        report = collect(settings, connection, store, runs=runs, more=[late_edits, *more])
        return Looked(report, record_change(connection, report, run_id=run_id))


def unreachable(settings: Settings, error: TargetError) -> Report:
    """The report of a look that could not be taken: bad like any other, so that a watch outlives a moment's outage."""
    from ledger_assets.health import Measure, Report

    measure = Measure(
        "database",
        "bad",
        named(str(error), settings.environment),
        "bad when it cannot be asked",
        f"ledger-assets doctor {settings.environment}",
    )
    return Report(settings.environment.value, settings.target_name, datetime.now(UTC), (measure,))


def record_change(connection: psycopg.Connection, report: Report, *, run_id: str | None = None) -> bool:
    """Record what is bad where that is something else than at the last look; whether it was recorded.

    A line every quarter of an hour would bury the others: only changes are recorded. Before the schema is applied there is
    no record: then the report alone must do.
    """
    with connection.transaction():
        there = connection.execute("select to_regclass('migration.events') is not null").fetchone()
    if there != (True,):
        return False
    known = events.read(connection, actions=[HEALTH])
    before = known[-1].detail.get("bad", []) if known else []
    if sorted(before) == sorted(report.bad):
        return False
    outcome: events.Outcome = "done" if report.passed else "failed"
    events.record(connection, HEALTH, outcome, run_id=run_id, detail={"bad": sorted(report.bad)})
    return True


def publish(store: ObjectStore, report: Report, *, run_id: str) -> str:
    """Keep the report and its page with the run; where a person finds the page."""
    from ledger_assets.health.page import render

    return reports.publish(store, run_id, HEALTH, report.document(), render(report))
