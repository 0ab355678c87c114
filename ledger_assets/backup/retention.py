"""Which snapshots are kept, which may go: a pure function of the list, the rules and the time.

What belongs here: the tiers, the holds, and what stops all removal. What does not: reading or removing anything.

Invariants: the newest verified snapshot is never removed, nothing is removed without a newer verified one, a held one
never, nothing while backups fail or shrink, and never more than a share at once. Adding an older snapshot never takes
a place from a newer one; removing what may go changes no other answer, so that a run that was cut short may run again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ledger_assets.backup.settings import Retention

CHECKPOINT_HOLD = timedelta(days=30)
"""A bad migration is noticed by people who read their stories, not by a check: that takes weeks."""
EMERGENCY_HOLD = timedelta(days=30)
"""What a restore replaced: the way back from the wrong restore is noticed as slowly."""
CORRUPT_HOLD = timedelta(days=30)
"""Evidence of how the store damaged it, for as long as somebody may ask."""
UNVERIFIED_HOLD = timedelta(days=2)
"""Two nights' verifications have then had their chance."""
YOUNG = timedelta(days=1)
"""What somebody took by hand before something risky must not go the same night because a later one stands for its day."""
LEAST_SHARE = 0.7
"""A snapshot with less than this share of the rows or bytes stops all removal: something may have been lost."""
SHRINK_WINDOW = timedelta(days=7)
"""The newest is compared with every verified one of so long, too: a loss on Friday is not forgotten on Saturday."""
CLOCK_SKEW = timedelta(hours=1)

WHOLE = ("full", "checkpoint")
"""Kinds that fill tiers. An emergency one is of a database about to be repaired, a baseline of what was there before us:
neither may stand for its day."""


@dataclass(frozen=True)
class Kept:
    """What retention needs to know of one snapshot."""

    id: str
    kind: str
    """``full``, ``checkpoint``, ``emergency`` or ``baseline``."""
    taken_at: datetime
    verified: bool = False
    changed: bool = False
    """Taken because the database changed."""
    held: bool = False
    hold_until: datetime | None = None
    """End of the hold; None with ``held``: until somebody releases it."""
    released: bool = False
    """Of a baseline: somebody said that it may go."""
    corrupt: bool = False
    failed: bool = False
    rows: int = 0
    bytes: int = 0

    @property
    def good(self) -> bool:
        """Whether a database can be restored from it, as far as is known."""
        return self.verified and not self.corrupt and not self.failed


@dataclass(frozen=True)
class Decision:
    """``keep`` (with the reasons) and ``expire`` (oldest first) are all there were; ``refused``: why none may go."""

    keep: dict[str, tuple[str, ...]]
    expire: tuple[str, ...]
    refused: str | None


def decide(snapshots: Sequence[Kept], rules: Retention, now: datetime, timezone: str) -> Decision:
    """What may go now. The rest of what may go, beyond ``rules.most_share``, goes in the next run."""
    newest_first = sorted(snapshots, key=_age_order, reverse=True)
    reasons = _reasons(newest_first, rules, now, ZoneInfo(timezone))
    refused = _refusal(newest_first, now)
    may_go = [one.id for one in reversed(newest_first) if not reasons[one.id]]
    limit = max(1, int(rules.most_share * len(newest_first)))
    expire = () if refused else tuple(may_go[:limit])
    later = f"retention is stopped: {refused}" if refused else "too many at once: the next run"
    going = frozenset(expire)
    return Decision(
        keep={one.id: tuple(reasons[one.id]) or (later,) for one in newest_first if one.id not in going},
        expire=expire,
        refused=refused,
    )


def _age_order(one: Kept) -> tuple[datetime, str]:
    return one.taken_at, one.id


def _reasons(
    newest_first: list[Kept], rules: Retention, now: datetime, zone: ZoneInfo
) -> dict[str, list[str]]:
    """Why each is kept; nothing when it may go."""
    reasons: dict[str, list[str]] = {one.id: [] for one in newest_first}
    good = [one for one in newest_first if one.good]
    whole = [one for one in good if one.kind in WHOLE]
    for one in {group[0].id: group[0] for group in (good, whole) if group}.values():
        reasons[one.id].append("the newest verified")
    for name, count, period in _tiers(rules, zone):
        for label, one in list(_newest_of_each(whole, period).items())[:count]:
            reasons[one.id].append(f"{name} {label}")
    for one in [one for one in whole if one.changed][: rules.recent]:
        reasons[one.id].append("recent")
    newest_whole = _age_order(whole[0]) if whole else None
    for one in newest_first:
        if newest_whole is None or _age_order(one) >= newest_whole:
            reasons[one.id].append("no newer verified snapshot")
        reasons[one.id].extend(_holds(one, now))
    return reasons


def _tiers(rules: Retention, zone: ZoneInfo) -> list[tuple[str, int, Callable[[Kept], str]]]:
    def by(pattern: str) -> Callable[[Kept], str]:
        return lambda one: one.taken_at.astimezone(zone).strftime(pattern)

    return [
        ("daily", rules.daily, by("%Y-%m-%d")),
        ("weekly", rules.weekly, by("%G-W%V")),
        ("monthly", rules.monthly, by("%Y-%m")),
        ("yearly", rules.yearly, by("%Y")),
    ]


def _newest_of_each(newest_first: list[Kept], period: Callable[[Kept], str]) -> dict[str, Kept]:
    """The newest of each period that has one, newest period first."""
    found: dict[str, Kept] = {}
    for one in newest_first:
        found.setdefault(period(one), one)
    return found


def _holds(one: Kept, now: datetime) -> list[str]:
    age = now - one.taken_at
    held = now < one.hold_until if one.hold_until else one.held
    baseline = one.kind == "baseline" and not one.released
    rules = {
        f"held until {one.hold_until:%Y-%m-%d}" if one.hold_until else "held": held,
        "baseline": baseline,
        f"checkpoint of the last {CHECKPOINT_HOLD.days} days": one.kind == "checkpoint"
        and age < CHECKPOINT_HOLD,
        f"emergency of the last {EMERGENCY_HOLD.days} days": one.kind == "emergency" and age < EMERGENCY_HOLD,
        "of the last day": one.good and not one.changed and age < YOUNG,
        "corrupt, kept as evidence": one.corrupt and age < CORRUPT_HOLD,
        "not verified yet": not one.good and not one.corrupt and age < UNVERIFIED_HOLD,
    }
    return [reason for reason, holds in rules.items() if holds]


def _refusal(newest_first: list[Kept], now: datetime) -> str | None:
    """Why nothing at all may go: whatever is wrong with backups, old snapshots may be all there is."""
    if not newest_first:
        return None
    newest = newest_first[0]
    if newest.taken_at > now + CLOCK_SKEW:
        return f"the newest snapshot {newest.id} is of the future: check this machine's clock"
    if newest.corrupt or newest.failed or not newest.verified:
        state = "corrupt" if newest.corrupt else "failed" if newest.failed else "not verified"
        return f"the newest snapshot {newest.id} is {state}: take and verify one that is good"
    return _shrinking([one for one in newest_first if one.good and one.kind != "baseline"])


def _shrinking(good: list[Kept]) -> str | None:
    if len(good) < 2:
        return None
    newest = good[0]
    counts: dict[str, int] = defaultdict(int)
    for place, one in enumerate(good[1:]):
        if place and newest.taken_at - one.taken_at > SHRINK_WINDOW:
            break
        counts["rows"], counts["bytes"] = max(counts["rows"], one.rows), max(counts["bytes"], one.bytes)
    for what, now_has in (("rows", newest.rows), ("bytes", newest.bytes)):
        if now_has < LEAST_SHARE * counts[what]:
            return (
                f"the newest snapshot {newest.id} has {now_has} {what}, an earlier one of the last "
                f"{SHRINK_WINDOW.days} days {counts[what]}: find out what was lost"
            )
    return None
