"""One environment's scorecard and after-action report, without Dagster.

What belongs here: which database, store and snapshots are asked; the record of a scorecard. What does not: the questions
(``scorecard``), the report's words (``review``).
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ledger_assets import connections, events, lane
from ledger_assets.environment import Settings
from ledger_assets.errors import LedgerError
from ledger_assets.load.sqlfiles import plain_errors
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    from ledger_assets.health import RunFacts
    from ledger_assets.review.model import Review
    from ledger_assets.scorecard.model import Scorecard

SCORECARD = "scorecard"
"""The action in ``migration.events``."""
BEFORE = timedelta(days=1)
"""The day before the migration belongs to the report: the final export and the last snapshot are made then."""
WITHOUT_PLAN = timedelta(days=7)


def score(settings: Settings, store: ObjectStore, *, runs: RunFacts | None) -> Scorecard:
    """Answer the roadmap's criteria and record the answers. Raises TargetError."""
    from ledger_assets.health import collect
    from ledger_assets.health.context import Context
    from ledger_assets.health.settings import read_health_settings
    from ledger_assets.scorecard.card import score as score_all

    now = datetime.now(UTC)
    with connections.database(settings, purpose=SCORECARD) as connection:
        context = Context(settings, read_health_settings(), connection, store, now, runs)
        with plain_errors(SCORECARD, undone="nothing was recorded"):
            card = score_all(
                context,
                access=lambda: lane.access(connection),
                bad=lambda: collect(settings, connection, store, runs=runs, now=now).bad,
            )
        events.record(
            connection,
            SCORECARD,
            "done" if card.passed else "failed",
            detail={
                "met": len(card.of("met")),
                "not_met": [one.name for one in card.of("not met")],
                "unknown": [one.name for one in card.of("unknown")],
            },
        )
    return card


def review(settings: Settings, store: ObjectStore, *, since: datetime | None = None) -> Review:
    """The after-action report: from ``since``, else from the day before MIGRATION_AT, else of the last week.

    Raises SettingsError, TargetError.
    """
    from ledger_assets.backup.settings import read_timezone
    from ledger_assets.load import findings
    from ledger_assets.records import kept
    from ledger_assets.records.compared import compare
    from ledger_assets.review.failures import failures
    from ledger_assets.review.model import Review
    from ledger_assets.review.recorded import lines as recorded
    from ledger_assets.review.timetable import read_beginning, steps

    until = datetime.now(UTC)
    zone = read_timezone(os.environ)
    beginning = read_beginning(os.environ, zone)
    start = since or (until - WITHOUT_PLAN if beginning is None else beginning - BEFORE)
    with connections.database(settings, purpose="review") as connection:
        lines = recorded(connection, start, until)
        kinds = Counter(one.kind for one in findings.list_findings(connection))
    before = kept.before_and_after(store, beginning or start, until)
    return Review(
        settings.environment.value,
        settings.target_name,
        start,
        until,
        zone,
        steps(lines, beginning),
        tuple(lines),
        failures(lines),
        None if before[0] is None else before[0].at,
        None if before[1] is None else before[1].at,
        () if before[0] is None or before[1] is None else tuple(compare(before[0], before[1])),
        dict(kinds.most_common()),
        _snapshots(settings, start),
    )


def _snapshots(settings: Settings, since: datetime) -> str:
    """How many were taken since then, and what became of them."""
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place

    try:
        every = catalogue.read(open_place(settings)).snapshots
    except LedgerError as error:
        return f"they cannot be read ({error})"
    taken = [one for one in every if one.manifest.at >= since]
    words = Counter(one.word for one in taken)
    kinds = Counter(one.manifest.kind for one in taken)
    if not taken:
        return "none was taken in this time"
    return (
        f"{len(taken)} taken in this time ({', '.join(f'{n} {kind}' for kind, n in kinds.items())}), "
        f"{', '.join(f'{n} {word}' for word, n in words.items())}"
    )
