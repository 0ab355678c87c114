"""After a way back: the deploy hooks, the status page, the accounts that were made since.

What belongs here: what lies outside the database, and the record of what of it is still to be done. What does not: the way
back itself (``back``).

Invariants: the database is whole and people write before any of it begins, since none of these servers need answer;
whatever one of them does, the others are tried; until all is done the same command again does what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger_assets import connections, events, switch
from ledger_assets.cutover import outside, state
from ledger_assets.cutover.state import Cutover
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import LedgerError

if TYPE_CHECKING:
    import psycopg

ACTION = "cutover_back_told"


@dataclass(frozen=True)
class Told:
    """``hooks``: hosts that were told; ``accounts``: disabled again.

    ``trouble``: for each that is left a line with its remedy.
    """

    hooks: tuple[str, ...] = ()
    accounts: int = 0
    trouble: tuple[str, ...] = ()


def is_left(connection: psycopg.Connection, cutover: Cutover) -> bool:
    """Was it returned, and not everybody told? Also where the process was killed right then."""
    latest = state.latest(connection)
    if cutover.state != "returned" or latest is None or latest.id != cutover.id:
        return False
    since = events.read(connection, actions=[ACTION], since=cutover.began_at)
    return not any(one.outcome == "done" and one.detail.get("cutover") == cutover.id for one in since)


def tell(settings: Settings, cutover: Cutover, run_id: str) -> Told:
    """Do what is left. Raises TargetError only when the database fails."""
    with connections.database(settings, purpose="cutover-told") as connection:
        hooks, untold = _hooks(settings, connection, cutover, run_id)
    outside.publish(settings, cutover, run_id, over=True)
    accounts, standing = _accounts(settings, cutover, run_id)
    told = Told(hooks, accounts, (*untold, *standing))
    with connections.database(settings, purpose="cutover-told") as connection:
        outcome: events.Outcome = "failed" if told.trouble else "done"
        detail = {"cutover": cutover.id, "hooks": hooks, "accounts": accounts, "left": told.trouble}
        events.record(connection, ACTION, outcome, who=cutover.who, run_id=run_id, detail=detail)
    return told


def _hooks(
    settings: Settings, connection: psycopg.Connection, cutover: Cutover, run_id: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Hosts that were told, and a line for each that was not."""
    try:
        called = switch.call_hooks(
            connection,
            switch.read_hooks(),
            environment=settings.environment,
            who=cutover.who,
            run_id=run_id,
        )
    except LedgerError as error:
        return (), (f"deploy hooks were not told: {error}",)
    again = (
        f"ledger-assets switch {settings.environment} --to {switch.live(connection).source}{_name(settings)}"
    )
    return tuple(one.host for one in called if one.taken), tuple(
        f"deploy hook {one.host} was not told ({one.trouble}): {again}" for one in called if not one.taken
    )


def _accounts(settings: Settings, cutover: Cutover, run_id: str) -> tuple[int, tuple[str, ...]]:
    """Disable what was made or made anew between its begin and its return; how many, and why some are left."""
    from ledger_assets.people import take_back_accounts

    disabled = 0
    try:
        with connections.database(settings, purpose="cutover-accounts") as connection:
            # By the runs: an account that an earlier way back had disabled keeps the time it was first made.
            made = events.read(connection, actions=["accounts_make"], since=cutover.began_at)
            now = state.by_id(connection, cutover.id)
            until = None if now is None else now.ended_at
            runs = [one.run_id for one in made if until is None or one.at < until]
            for of_run in dict.fromkeys(run for run in runs if run is not None):
                done = take_back_accounts(settings, connection, run_id=run_id, of_run=of_run, who=cutover.who)
                disabled += done.disabled
    except LedgerError as error:
        again = f"ledger-assets cutover {settings.environment} --back{_name(settings)}"
        return disabled, (f"accounts made since are not all disabled ({error}): {again}",)
    return disabled, ()


def _name(settings: Settings) -> str:
    return f" --confirm {settings.target_name}" if settings.environment is Environment.PRODUCTION else ""
