"""Whether what people are told is true of the database: an announcement of the end, and the state that the page shows.

What belongs here: those questions. What does not: whether something is due (``announcing``), publishing (``status_page``).

Invariants: nobody is told that every record was compared while the app still reads from Airtable, and nobody that it was
taken back while the app reads from Postgres: a mail cannot be taken back. A page kept by this says that writing is paused
when the database refuses writes, and not because a process that is dead once said so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ledger_assets.announce.templates import Step
from ledger_assets.errors import TargetError

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.announce.state import State

ENDS = {Step.DONE: "supabase", Step.ROLLED_BACK: "airtable"}


def assert_true(connection: psycopg.Connection, step: Step) -> None:
    """Raises TargetError where ``step`` says another end than the database does."""
    from ledger_assets import switch
    from ledger_assets.cutover import state

    if step not in ENDS:
        return
    if (found := state.unfinished(connection)) is not None:
        raise TargetError(
            f"{step}: cut-over {found.id[:8]} has not ended; see: ledger-assets cutover production --status"
        )
    live = switch.live(connection).source
    if live != ENDS[step]:
        raise TargetError(
            f"{step}: the app reads from {live}, so it would be untrue; see: ledger-assets switch production"
        )


def as_it_is(connection: psycopg.Connection, kept: State) -> State:
    """The state of an open window as the database has it: the process that kept it may be dead. Raises TargetError."""
    from ledger_assets import freeze
    from ledger_assets.cutover import state

    if kept.phase != "open":
        return kept
    frozen, found = freeze.state(connection), state.latest(connection)
    shown = replace(kept, writing=not frozen.live)
    if found is None or found.began_at != kept.begun_at:
        return shown  # announced by hand: there are no steps of a cut-over to judge
    if found.state in ("done", "returned") and found.ended_at is not None:
        return kept.closed("done" if found.state == "done" else "rolled_back", found.ended_at)
    dead = frozen.abandoned or state.phase(connection, found) in ("lapsed", "forced", "abandoned")
    return _held_up(shown) if dead else shown


def _held_up(state: State) -> State:
    """Nothing goes on: what was under way, or came next, did not work."""
    if any(one.state == "failed" for one in state.steps):
        return state
    open_ones = [one for one in state.steps if one.state != "done"]
    stopped = next((one for one in open_ones if one.state == "running"), open_ones[0] if open_ones else None)
    steps = (replace(one, state="failed") if one is stopped else one for one in state.steps)
    return replace(state, steps=tuple(steps))
