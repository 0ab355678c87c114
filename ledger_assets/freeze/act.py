"""Taking and ending a freeze: by hand, or as a cut-over's lease.

What belongs here: these acts and their record. What does not: what a load or switch does under it (``token``).

Invariants: the row is committed before the writes in flight are waited for; where they do not end, writing is opened
again; whoever takes a lease waits for the load or switch that shows an older token.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import LiteralString

import psycopg
from psycopg import pq
from psycopg.rows import tuple_row

from ledger_assets import events
from ledger_assets.errors import LedgerError, TargetError
from ledger_assets.freeze.state import Frozen, read, state, told
from ledger_assets.freeze.writers import wait_for_writers
from ledger_assets.load.sqlfiles import Cursor, plain_errors
from ledger_assets.moment import utc

LEASE_SECONDS = 60.0
"""A cut-over that was killed before its load was committed leaves people waiting no longer than this."""
WAIT_SECONDS = 60.0
"""Longest wait for the writes in flight."""

_OPEN: LiteralString = (
    "update migration.maintenance set frozen = false, held = false, lease_until = null, cutover = null "
    "where token = %s and (%s or not held)"
)


class _Refused(TargetError):
    """Another freeze stands against it, or it is none."""


def on(
    connection: psycopg.Connection,
    *,
    reason: str,
    who: str,
    until: datetime | None = None,
    wait_seconds: float = WAIT_SECONDS,
) -> Frozen:
    """Freeze by hand, until lifted or ``until``; again: another reason or end. Raises TargetError, also for a cut-over's."""
    with _transaction(connection, "freeze", who) as cur:
        found = read(cur, "for update")
        if found.leased:
            raise _Refused(
                f"{found.described()} holds already, and ends with it; see: ledger-assets maintenance ENV status"
            )
        if until is not None and until <= found.at:
            raise _Refused(f"the end of a freeze lies in the future: {utc(until)} is past")
        _freeze(
            cur, reason=reason, who=who, until=until, cutover=None, seconds=None, keep=found.kind == "manual"
        )
        token = found.token + 1
        detail = {"kind": "manual", "token": token, "until": until}
        events.record(connection, "freeze", "begun", who=who, detail=detail)
    _wait(connection, token, who, detail, wait_seconds, seconds=None)
    return state(connection)


def off(connection: psycopg.Connection, *, who: str, force: bool = False) -> Frozen:
    """Lift a freeze; what was lifted. A cut-over's only with ``force``: its token is worth nothing then.

    Raises TargetError.
    """
    with _transaction(connection, "thaw", who) as cur:
        found = read(cur, "for no key update")
        if found.leased and not force:
            raise _Refused(
                f"{found.described()} holds: let it end, or finish it by its own command (ledger-assets cutover ENV); "
                "--force opens writing at once, and that cut-over stops"
            )
        if found.frozen:
            cur.execute(_OPEN, (found.token, True))
            detail = {"kind": found.kind, "token": found.token, "cutover": found.cutover, "forced": force}
            events.record(connection, "thaw", "done", who=who, detail=detail)
    return found


def take_lease(
    connection: psycopg.Connection,
    *,
    reason: str,
    who: str,
    cutover: str,
    planned_end: datetime | None,
    seconds: float = LEASE_SECONDS,
    wait_seconds: float = WAIT_SECONDS,
) -> int:
    """Freeze for ``cutover`` and wait for the writes in flight; the token. The lease lasts ``seconds`` from the return on.

    Takes over a freeze of the same cut-over, held or not, whose older token is worth nothing then. Raises TargetError
    when another freeze holds, and when the writes do not end in ``wait_seconds``; writing is open again then, unless the
    freeze was held already.
    """
    with _transaction(connection, "freeze", who, cutover) as cur:
        found = read(cur, "for update")
        if found.live and found.cutover != cutover:
            raise _Refused(
                f"{found.described()} holds: end it first (ledger-assets maintenance ENV off), or finish that cut-over"
            )
        _freeze(
            cur, reason=reason, who=who, until=planned_end, cutover=cutover, seconds=seconds, keep=found.live
        )
        token = found.token + 1
        detail = {
            "kind": "lease", "token": token, "cutover": cutover, "until": planned_end, "taken_over": found.live,
        }  # fmt: skip
        events.record(connection, "freeze", "begun", who=who, run_id=cutover, detail=detail)
    _wait(connection, token, who, detail, wait_seconds, seconds=seconds)
    return token


def thaw(connection: psycopg.Connection, token: int, *, who: str) -> bool:
    """End the freeze of ``token``; False when it was over already, by itself or by somebody else.

    Raises TargetError for one that is held: only a switch or a restored checkpoint releases it.
    """
    with _transaction(connection, "thaw", who) as cur:
        return thaw_within(cur, token, who=who)


def thaw_within(cur: Cursor, token: int, *, who: str) -> bool:
    """The same inside the caller's transaction, committed together with what ends with the freeze."""
    found = read(cur, "for update")
    if found.token != token or not found.frozen:
        return False
    if found.held:
        raise _Refused(
            f"{found.described()} is held since its load was committed: switch, or restore the checkpoint, first"
        )
    cur.execute(_OPEN, (token, False))
    detail = {"kind": found.kind, "token": token, "cutover": found.cutover, "forced": False}
    events.record(cur.connection, "thaw", "done", who=who, run_id=found.cutover, detail=detail)
    return found.live


@contextmanager
def _transaction(
    connection: psycopg.Connection, what: str, who: str, run_id: str | None = None
) -> Iterator[Cursor]:
    """One transaction; a refusal is recorded after it."""
    if connection.info.transaction_status != pq.TransactionStatus.IDLE:
        raise TargetError(
            f"{what}: the connection is inside another transaction; give it a connection of its own"
        )
    try:
        with (
            told(what, undone="nothing was changed (a load, switch or restore may be running)"),
            connection.transaction(),
            connection.cursor(row_factory=tuple_row) as cur,
        ):
            cur.execute("set transaction isolation level read committed")
            cur.execute("set local lock_timeout = '10s'")
            yield cur
    except _Refused:
        events.record(connection, what, "refused", who=who, run_id=run_id)
        raise


def _freeze(
    cur: Cursor,
    *,
    reason: str,
    who: str,
    until: datetime | None,
    cutover: str | None,
    seconds: float | None,
    keep: bool,
) -> None:
    """``keep``: the same freeze under a new token: since when, and whether it is held, stay."""
    cur.execute(
        "update migration.maintenance set frozen = true, reason = %(reason)s, who = %(who)s, until = %(until)s, "
        "since = case when %(keep)s then since else clock_timestamp() end, held = held and %(keep)s, token = token + 1, "
        "cutover = %(cutover)s, lease_until = clock_timestamp() + make_interval(secs => %(seconds)s)",
        {"reason": reason, "who": who, "until": until, "keep": keep, "cutover": cutover, "seconds": seconds},
    )


def _wait(
    connection: psycopg.Connection,
    token: int,
    who: str,
    detail: dict[str, object],
    wait_seconds: float,
    seconds: float | None,
) -> None:
    """Wait for the writes in flight. On failure writing is opened again, unless it was held, and the failure recorded."""

    def renewed() -> None:
        if seconds is not None:
            renew(connection, token, seconds)

    run_id = str(detail["cutover"]) if "cutover" in detail else None
    try:
        with plain_errors("freeze", undone="the writes in flight were not waited for"):
            tables = wait_for_writers(connection, renewed, seconds=wait_seconds)
            renewed()
    except LedgerError as error:
        with _transaction(connection, "thaw", who) as cur:
            opened = cur.execute(_OPEN, (token, False)).rowcount
        events.record(connection, "freeze", "failed", who=who, run_id=run_id, detail=detail)
        now = "writing is open again" if opened else "writing stays frozen, as it was"
        raise TargetError(f"{error}; {now}") from None
    events.record(connection, "freeze", "done", who=who, run_id=run_id, detail={**detail, "tables": tables})


def renew(connection: psycopg.Connection, token: int, seconds: float) -> bool:
    """Renew a lease that has not run out; False when it is no longer ours."""
    with connection.transaction():
        row = connection.execute(
            "update migration.maintenance m set lease_until = clock_timestamp() + make_interval(secs => %s) "
            "where m.token = %s and m.lease_until is not null and private.is_frozen(m) returning 1",
            (seconds, token),
        ).fetchone()
    return row is not None
