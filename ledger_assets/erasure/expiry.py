"""When each snapshot will expire if nothing out of the ordinary happens: a good one every day, retention after it.

What belongs here: asking retention day by day. What does not: retention's rules (``backup.retention``). Pure.

Invariant: a snapshot of which no end is found (held until it is released, a baseline, a damaged one) has none: whoever asks
how long a person is still somewhere must not be told a day that may not come.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ledger_assets.backup.retention import Kept, decide
from ledger_assets.backup.settings import Retention

HORIZON = timedelta(days=366 * 12)


def expiries(
    snapshots: Sequence[Kept], rules: Retention, now: datetime, timezone: str
) -> dict[str, datetime | None]:
    """The day that each of ``snapshots`` expires on, None where no end is known."""
    wanted = {one.id for one in snapshots}
    found: dict[str, datetime | None] = dict.fromkeys(wanted)
    kept = list(snapshots)
    rows = max((one.rows for one in snapshots), default=0)
    size = max((one.bytes for one in snapshots), default=0)
    at = now
    while wanted and at - now < HORIZON and not all(_for_ever(one) for one in kept if one.id in wanted):
        at += timedelta(days=1)
        day = Kept(id=f"day-{at:%Y%m%d}", kind="full", taken_at=at, verified=True, rows=rows, bytes=size)
        kept.append(day)
        gone = set(decide(kept, rules, at, timezone).expire)
        kept = [one for one in kept if one.id not in gone]
        for one in gone & wanted:
            found[one] = at
        wanted -= gone
    return found


def _for_ever(one: Kept) -> bool:
    """Until a person says otherwise."""
    return (one.held and one.hold_until is None) or (one.kind == "baseline" and not one.released)
