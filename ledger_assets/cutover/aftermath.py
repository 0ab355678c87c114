"""What follows a way back once people write again: the deploy hooks, the status page, the accounts.

What belongs here: these, and whether they were all done. What does not: the way back itself (``back``).

Invariants: people do not wait for it to write, since a host or Supabase may not answer; nothing here raises for a setting or
a host; again does what is left, and never touches an account that was made after the way back.
"""

from __future__ import annotations

from ledger_assets import connections, events, switch
from ledger_assets.cutover import outside, state
from ledger_assets.cutover.state import Cutover
from ledger_assets.environment import Settings
from ledger_assets.errors import LedgerError

ACTION = "cutover_back"


def finish(settings: Settings, cutover: Cutover, *, run_id: str) -> tuple[str, ...]:
    """Tell the hooks and the page, disable the accounts that were made meanwhile; a line for each that could not be done.

    Raises TargetError only when the database fails.
    """
    left = _tell_hooks(settings, cutover, run_id)
    outside.publish(settings, cutover, run_id, over=True)
    accounts, trouble = _take_back_accounts(settings, cutover, run_id)
    left = (*left, *trouble)
    detail = {"cutover": cutover.id, "checkpoint": cutover.checkpoint, "accounts": accounts, "left": left}
    with connections.database(settings, purpose="cutover-back") as connection:
        events.record(
            connection, ACTION, "failed" if left else "done", who=cutover.who, run_id=run_id, detail=detail
        )
    return left


def is_finished(settings: Settings, cutover: Cutover) -> bool:
    """Whether nothing is left of a cut-over that was taken back: its process may have been killed in the midst of it."""
    with connections.database(settings, purpose="cutover-back") as connection:
        done = events.read(connection, actions=[ACTION], since=cutover.began_at)
    return any(one.outcome == "done" and one.detail.get("cutover") == cutover.id for one in done)


def _tell_hooks(settings: Settings, cutover: Cutover, run_id: str) -> tuple[str, ...]:
    try:
        hooks = switch.read_hooks()
        with connections.database(settings, purpose="cutover-back") as connection:
            called = switch.call_hooks(
                connection, hooks, environment=settings.environment, who=cutover.who, run_id=run_id
            )
    except LedgerError as error:
        return (f"the deploy hooks were not told: {error}",)
    missed = [one.host for one in called if not one.taken]
    return (f"deploy hooks were not told ({', '.join(missed)})",) if missed else ()


def _take_back_accounts(settings: Settings, cutover: Cutover, run_id: str) -> tuple[int, tuple[str, ...]]:
    """Of the runs between its begin and its return."""
    from ledger_assets.people import take_back_accounts

    disabled = 0
    try:
        with connections.database(settings, purpose="cutover-accounts") as connection:
            ended = state.by_id(connection, cutover.id)
            with connection.transaction():
                # By the record of runs: a line of an account keeps the time at which the account was first intended.
                rows = connection.execute(
                    "select distinct a.run_id from migration.accounts a join migration.events e on e.run_id = a.run_id "
                    "where e.action = 'accounts_make' and e.at >= %s and e.at <= coalesce(%s, clock_timestamp()) "
                    "and a.state in ('intended', 'made', 'linked')",
                    (cutover.began_at, None if ended is None else ended.ended_at),
                ).fetchall()
            for (made_by,) in rows:
                done = take_back_accounts(
                    settings, connection, run_id=run_id, of_run=made_by, who=cutover.who
                )
                disabled += done.disabled
    except LedgerError as error:
        return disabled, (f"accounts were not disabled: {error}",)
    return disabled, ()
