"""Which snapshots still hold somebody who was erased, and when the last of them expires.

What belongs here: saying it. What does not: the snapshots themselves, or their retention (``backup``). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger_assets.erasure.model import Erasure

SHOWN = 20


@dataclass(frozen=True)
class Holding:
    """A snapshot that is kept. ``expires_at``: None when nobody knows (held)."""

    id: str
    taken_at: datetime
    expires_at: datetime | None = None


def report(erasures: Iterable[Erasure], snapshots: Sequence[Holding]) -> list[str]:
    """One line for each erasure, oldest first."""
    return [_line(one, still(one, snapshots)) for one in erasures]


def still(erasure: Erasure, snapshots: Iterable[Holding]) -> list[Holding]:
    """The snapshots that were taken before the erasure, oldest first: no other holds what it took."""
    return sorted(
        (one for one in snapshots if one.taken_at <= erasure.at), key=lambda one: (one.taken_at, one.id)
    )


def _line(erasure: Erasure, holding: Sequence[Holding]) -> str:
    what = f"erasure {erasure.request_id} ({erasure.scope}, {erasure.at:%Y-%m-%d})"
    if not holding:
        return f"{what}: in no snapshot any more"
    named = ", ".join(one.id for one in holding[:SHOWN]) + (", ..." if len(holding) > SHOWN else "")
    expiries = [one.expires_at for one in holding if one.expires_at is not None]
    if len(expiries) < len(holding):
        open_ended = [one.id for one in holding if one.expires_at is None]
        end = f"no end is known for {', '.join(open_ended[:SHOWN])} (held)"
    else:
        end = f"the last of them expires on {max(expiries):%Y-%m-%d}"
    return f"{what}: still in {len(holding)} snapshots ({named}); {end}; every restore takes it out"
