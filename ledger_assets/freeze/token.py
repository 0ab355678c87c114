"""The fencing token, inside the transaction of a load or a switch.

What belongs here: what such a transaction asks and says. What does not: taking and ending a freeze (``act``).

Invariants: a fence locks the freeze's row so that nobody takes the freeze over before the transaction ends, and so that
the heartbeat can go on renewing it (KEY SHARE and an update of other columns do not wait for each other); a freeze that
lapsed once is never renewed, so that a token that is live at the end was live all the time.
"""

from __future__ import annotations

from ledger_assets.errors import TargetError
from ledger_assets.freeze.state import Frozen, read
from ledger_assets.load.sqlfiles import Cursor


def fence(cur: Cursor, token: int, *, alone: bool = False) -> Frozen:
    """Assert that ``token``'s freeze holds. ``alone``: also make the heartbeat and ``off`` wait, for a short transaction.

    Raises TargetError.
    """
    return _assert_ours(read(cur, "for no key update" if alone else "for key share"), token)


def hold(cur: Cursor, token: int) -> None:
    """From this transaction's commit on the freeze does not run out. The last statement before it.

    Raises TargetError; when the lease runs out before the commit, the commit fails.
    """
    _assert_ours(read(cur, "for no key update"), token)
    # Where all constraints were made immediate, the trigger would look now and not at the commit.
    cur.execute("set constraints migration.hold_in_time deferred")
    cur.execute("update migration.maintenance set held = true where not held")


def release(cur: Cursor, token: int, *, seconds: float = 60) -> None:
    """The freeze is a lease again that runs out in ``seconds`` unless it is renewed. Raises TargetError."""
    _assert_ours(read(cur, "for no key update"), token)
    cur.execute(
        "update migration.maintenance set held = false, "
        "lease_until = greatest(lease_until, clock_timestamp() + make_interval(secs => %s)) where held",
        (seconds,),
    )


def refuse_others(cur: Cursor) -> None:
    """Of a load without a token: it must not run into a cut-over. A manual freeze does not stop it. Raises TargetError."""
    found = read(cur, "for key share")
    if found.leased:
        raise TargetError(
            f"load refused: {found.described()} holds; wait for its end, or: ledger-assets maintenance ENV status"
        )


def _assert_ours(found: Frozen, token: int) -> Frozen:
    if found.token == token and found.leased:
        return found
    gone = "ran out" if found.token == token else f"is over (now: {found.described()})"
    raise TargetError(
        f"the freeze with token {token} {gone}: people may have written since; start the cut-over again, nothing of "
        "this step was kept"
    )
