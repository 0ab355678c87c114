"""The status page as a cut-over goes on: what people outside see of it.

What belongs here: from the database's own rows to the page's state. What does not: the page (``announce``).

Invariants: counts, names of steps and tables, times; whatever goes wrong here, the night goes on.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ledger_assets import connections
from ledger_assets.cutover import attempts, state
from ledger_assets.cutover.state import Cutover
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import LedgerError, SettingsError

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.announce.state import State, TableProgress

_log = logging.getLogger(__name__)


def publish(settings: Settings, cutover: Cutover, run_id: str, *, over: bool = False) -> None:
    """Write the page as the cut-over stands now; ``over``: it has ended, well or by going back. Never raises."""
    from ledger_assets.announce import status_page

    if settings.environment is not Environment.PRODUCTION:
        return
    try:
        with connections.database(settings, purpose="cutover-page") as connection:
            shown = _state(connection, cutover, over=over)
            status_page.publish(settings, shown, connection=connection, run_id=run_id)
    except Exception as error:  # noqa: BLE001 - a page must never stop the night
        _log.warning("the status page was not made: %s", type(error).__name__)


def refresh(settings: Settings, now: datetime) -> str | None:
    """Write the page of an open window anew from what the database says now; what was done in a line, None: none is open.

    A cut-over that was killed writes no page any more, and its freeze opens by itself: somebody else must say so. Where the
    database cannot be asked nothing is written: the page's own time says how old it is. Raises a LedgerError where the kept
    state cannot be read.
    """
    from ledger_assets.announce import status_page, truth

    try:
        kept, _ = status_page.current(settings)
    except SettingsError:
        return None
    if kept.phase != "open":
        return None
    try:
        with connections.database(settings, purpose="status-page") as connection:
            shown = truth.as_it_is(connection, kept)
    except LedgerError as error:
        return f"not written, since the database cannot be asked: {error}"
    done = status_page.publish(settings, shown, now=now)
    return "written" if done.trouble is None else f"not written: {done.trouble}"


def _state(connection: psycopg.Connection, cutover: Cutover, *, over: bool) -> State:
    from ledger_assets.announce.state import planned
    from ledger_assets.announce.status_page import window_of

    now = datetime.now(UTC)
    shown = planned(window_of(_begun(cutover), now)).begun(cutover.began_at)
    for one in attempts.steps(connection, cutover.id):
        shown = shown.step(one.name, "running", one.began_at)
        if one.outcome is not None and one.ended_at is not None:
            shown = shown.step(one.name, "done" if one.outcome == "done" else "failed", one.ended_at)
    shown = shown.with_tables(_tables(connection, cutover))
    if over:
        found = state.by_id(connection, cutover.id)
        shown = shown.closed("done" if found is not None and found.state == "done" else "rolled_back", now)
    return shown


def _begun(cutover: Cutover) -> State:
    from ledger_assets.announce.state import State

    return State(begun_at=cutover.began_at)


def _tables(connection: psycopg.Connection, cutover: Cutover) -> list[TableProgress]:
    """Once the load is committed, all of each table."""
    from ledger_assets.announce.state import TableProgress

    with connection.transaction():
        row = connection.execute(
            "select counts -> 'tables' from migration.loads where run_id = any (%s) and committed_at is not null "
            "order by load_id desc limit 1",
            (cutover.runs,),
        ).fetchone()
    counts = {} if row is None or row[0] is None else row[0]
    return [TableProgress(name, int(found["staged"]), int(found["staged"])) for name, found in counts.items()]
