"""The first step: the gates, the freeze; or going on with a cut-over whose process was killed.

What belongs here: which of the two, and what a killed one leads to. What does not: the other steps (``steps``).

Invariants: a cut-over that lives is never taken over; one that was on its way back only goes back; one that had not come
to its load leaves nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ledger_assets import events, freeze, lane
from ledger_assets.cutover import aftermath, attempts, back, gates, state
from ledger_assets.cutover.gates import StagingProof
from ledger_assets.cutover.night import Night, attempt, keep_figures, tell_killed
from ledger_assets.cutover.settings import HOURS, WATCH_MINUTES
from ledger_assets.cutover.state import Cutover
from ledger_assets.errors import LedgerError, TargetError

if TYPE_CHECKING:
    import psycopg

_log = logging.getLogger(__name__)

REASON = "the archive moves to its new home"


@dataclass(frozen=True)
class Wish:
    """What a person asks for. ``hours``: how long the night is planned to be."""

    confirm: str
    base_is_read_only: bool
    who: str
    hours: float = HOURS
    watch_minutes: float = WATCH_MINUTES


def freeze_writes(
    night: Night, wish: Wish, staging: StagingProof | None, runs_on: Callable[[str], bool]
) -> Cutover:
    """Begin a cut-over, or go on with the one whose process was killed. ``runs_on``: does the process of a run live?

    Raises TargetError: a gate is shut, another is under way, or the one that was under way had to go back.
    """
    lane.assert_confirmed(night.settings, wish.confirm, what="cut-over")
    with night.database("freeze") as connection:
        found = state.unfinished(connection)
        if found is None:
            _finish_the_last(night, connection)
        else:
            if found.state != "returning":
                gates.assert_settings(night.settings)
            found = _go_on(night, connection, found, wish, runs_on)
        if found is None:
            gates.ask(
                night.settings,
                connection,
                confirm=wish.confirm,
                base_is_read_only=wish.base_is_read_only,
                staging=staging,
            )
            end = datetime.now(UTC) + timedelta(hours=wish.hours)
            state.begin(
                connection, night.run_id, who=wish.who, planned_end=end, watch_minutes=wish.watch_minutes
            )
            found = state.unfinished(connection)
            assert found is not None
        state.join(connection, found.id, night.run_id)
        attempt(connection, found, "freeze", night.run_id)
        token = _lease(connection, found)
        state.note(connection, found.id, token=token)
        attempts.ended(connection, found.id, "freeze", "done", {"token": token})
        detail = {"cutover": found.id, "token": token}
        events.record(connection, "cutover_freeze", "done", who=wish.who, run_id=night.run_id, detail=detail)
        begun = state.of_run(connection, night.run_id)
    night.say(begun, "freeze", "done")
    keep_figures(night)
    return begun


def _lease(connection: psycopg.Connection, found: Cutover) -> int:
    """The freeze; one that cannot be had ends a cut-over that has not begun to do anything."""
    try:
        return freeze.take_lease(
            connection, reason=REASON, who=found.who, cutover=found.id, planned_end=found.planned_end
        )
    except LedgerError as error:
        attempts.ended(connection, found.id, "freeze", "failed", {"why": str(error)})
        if found.token is None:
            state.end(connection, found.id, "abandoned", str(error))
        raise


def _finish_the_last(night: Night, connection: psycopg.Connection) -> None:
    """Whom to tell still of one that was taken back. The next one does not depend on it."""
    last = state.latest(connection)
    if last is not None and aftermath.is_left(connection, last):
        for line in aftermath.tell(night.settings, last, night.run_id).trouble:
            _log.warning("of cut-over %s, which was taken back, is left: %s", last.id[:8], line)


def _go_on(
    night: Night,
    connection: psycopg.Connection,
    found: Cutover,
    wish: Wish,
    runs_on: Callable[[str], bool],
) -> Cutover | None:
    """The unfinished one, to go on with; None when it had not come to its load, and is given up."""
    for run_id in found.runs:
        if run_id != night.run_id and runs_on(run_id):
            raise TargetError(
                f"cut-over {found.id[:8]} is under way in run {run_id[:8]}: wait for its end, or stop it"
            )
    match state.phase(connection, found):
        case "returning":
            done = back.roll_back(
                night.settings,
                night.store,
                found,
                who=wish.who,
                run_id=night.run_id,
                why=found.why or "going back",
                emergency=False,
                tell=night.tell,
            )
            how = f"checkpoint {found.checkpoint} restored" if found.checkpoint else "nothing was loaded"
            raise TargetError(
                f"cut-over {found.id[:8]} was on its way back when its process ended: that is finished now ({how}, writing "
                f"is open){''.join(f'; {line}' for line in done.told.trouble)}; start the next one by the same command"
            )
        case "loaded" | "switched":
            state.note(connection, found.id, watch_minutes=wish.watch_minutes)
            return found
        case "forced":
            raise TargetError(
                f"cut-over {found.id[:8]} had loaded when its freeze was ended by force, and people may have written since: "
                f"take it back first: ledger-assets cutover {night.settings.environment} --back --confirm "
                f"{night.settings.target_name}"
            )
        case _:
            held = freeze.state(connection)
            if held.cutover == found.id:  # its process is dead: nobody need wait for the lease to run out
                freeze.thaw(connection, held.token, who=wish.who)
            state.end(connection, found.id, "abandoned", "it ended before anything was loaded")
            _tell_given_up(connection, found)
            return None


def _tell_given_up(connection: psycopg.Connection, found: Cutover) -> None:
    """For the review of the night: the next attempt is a cut-over of its own."""
    done = attempts.steps(connection, found.id)
    for one in done:
        if one.outcome is None:
            tell_killed(connection, found, one)
    detail = {
        "cutover": found.id,
        "began_at": found.began_at,
        "why": "it ended before anything was loaded, and another is begun",
        "steps": {one.name: one.outcome or "not ended" for one in done},
    }
    run_id = done[-1].run_id if done else None
    events.record(connection, "cutover", "failed", who=found.who, run_id=run_id, detail=detail)
