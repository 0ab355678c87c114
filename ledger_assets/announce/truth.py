"""Whether an announcement that says how the move ended is true of the database.

What belongs here: that question. What does not: whether it is due (``announcing``).

Invariant: nobody is told that every record was compared while the app still reads from Airtable, and nobody that it was
taken back while the app reads from Postgres: a mail cannot be taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger_assets.announce.templates import Step
from ledger_assets.errors import TargetError

if TYPE_CHECKING:
    import psycopg

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
