"""Retention over random histories, each invariant by itself, and six years day by day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ledger_assets.backup.retention import (
    CHECKPOINT_HOLD,
    CORRUPT_HOLD,
    EMERGENCY_HOLD,
    LEAST_SHARE,
    UNVERIFIED_HOLD,
    Decision,
    Kept,
    decide,
)
from ledger_assets.backup.settings import Retention

ZONE = "Australia/Brisbane"
NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
ALL_AT_ONCE = Retention(most_share=1.0)
DAY = timedelta(days=1)


def full(days: float, **more: object) -> Kept:
    """A verified full snapshot of so many days ago."""
    one = Kept(
        f"backup-{int(days * 86400)}-full", "full", NOW - days * DAY, verified=True, rows=100, bytes=1000
    )
    return replace(one, **more)  # type: ignore[arg-type]  # values of many types


@st.composite
def histories(draw: st.DrawFn, *, healthy: bool = False) -> list[Kept]:
    """Any list of snapshots; ``healthy``: the newest is verified and nothing shrank, so that something may go."""
    found = []
    for number in range(draw(st.integers(0, 40))):
        one = Kept(
            id=f"backup-{number}-x",
            kind=draw(st.sampled_from(["full", "full", "full", "checkpoint", "emergency", "baseline"])),
            taken_at=NOW - timedelta(hours=draw(st.integers(1, 24 * 60) | st.integers(1, 24 * 900))),
            verified=draw(st.booleans() | st.just(True)),
            changed=draw(st.booleans()),
            held=draw(st.sampled_from([False, False, False, True])),
            hold_until=draw(st.none() | st.just(NOW - DAY) | st.just(NOW + DAY)),
            released=draw(st.booleans()),
            corrupt=draw(st.sampled_from([False, False, False, True])),
            failed=draw(st.sampled_from([False, False, False, True])),
            rows=100 if healthy else draw(st.integers(0, 200)),
            bytes=1000 if healthy else draw(st.integers(0, 2000)),
        )
        found.append(one)
    if healthy:
        found.append(full(0, id="backup-new-full"))
    return found


rules = st.builds(
    Retention,
    daily=st.integers(0, 8),
    weekly=st.integers(0, 5),
    monthly=st.integers(0, 13),
    yearly=st.integers(0, 5),
    recent=st.integers(0, 25),
    most_share=st.sampled_from([0.0, 0.1, 0.34, 1.0]),
)
many = settings(max_examples=120, deadline=None)
both = st.booleans().flatmap(lambda healthy: histories(healthy=healthy))


def going(snapshots: list[Kept], decision: Decision) -> list[Kept]:
    return [one for one in snapshots if one.id in decision.expire]


@many
@given(both, rules)
def test_every_snapshot_is_kept_with_a_reason_or_goes(snapshots: list[Kept], rules: Retention) -> None:
    decision = decide(snapshots, rules, NOW, ZONE)
    assert sorted([*decision.keep, *decision.expire]) == sorted(one.id for one in snapshots)
    assert all(decision.keep.values())


@many
@given(both, rules)
def test_the_newest_verified_stays_and_what_goes_has_a_newer_verified_one_that_stays(
    snapshots: list[Kept], rules: Retention
) -> None:
    decision = decide(snapshots, rules, NOW, ZONE)
    good = [one for one in snapshots if one.verified and not one.corrupt and not one.failed]
    if good:
        assert max(good, key=lambda one: (one.taken_at, one.id)).id in decision.keep
    for gone in going(snapshots, decision):
        newer = [
            one
            for one in good
            if one.id in decision.keep and (one.taken_at, one.id) > (gone.taken_at, gone.id)
        ]
        assert any(one.kind in {"full", "checkpoint"} for one in newer)


@many
@given(both, rules)
def test_nothing_goes_that_is_held_or_younger_than_its_hold(snapshots: list[Kept], rules: Retention) -> None:
    for gone in going(snapshots, decide(snapshots, rules, NOW, ZONE)):
        age = NOW - gone.taken_at
        assert gone.hold_until is None or gone.hold_until <= NOW
        assert not gone.held or gone.hold_until is not None
        assert gone.kind != "checkpoint" or age >= CHECKPOINT_HOLD
        assert gone.kind != "emergency" or age >= EMERGENCY_HOLD
        assert gone.kind != "baseline" or gone.released
        assert not gone.corrupt or age >= CORRUPT_HOLD
        assert gone.verified or age >= UNVERIFIED_HOLD


@many
@given(both, rules)
def test_nothing_goes_while_the_newest_is_not_good(snapshots: list[Kept], rules: Retention) -> None:
    assume(snapshots)
    newest = max(snapshots, key=lambda one: (one.taken_at, one.id))
    decision = decide(snapshots, rules, NOW, ZONE)
    if not newest.verified or newest.corrupt or newest.failed:
        assert decision.refused is not None
        assert newest.id in decision.refused
    assert not (decision.refused and decision.expire)


@many
@given(histories(healthy=True), st.sampled_from(["rows", "bytes"]), st.integers(1, 69))
def test_nothing_goes_when_the_newest_shrank(snapshots: list[Kept], what: str, percent: int) -> None:
    assume(
        any(
            one.verified and not one.corrupt and not one.failed and one.kind != "baseline"
            for one in snapshots[:-1]
        )
    )
    snapshots[-1] = replace(snapshots[-1], **{what: getattr(snapshots[-1], what) * percent // 100})
    decision = decide(snapshots, ALL_AT_ONCE, NOW, ZONE)
    assert decision.expire == ()
    assert what in str(decision.refused)


@many
@given(histories(healthy=True), rules)
def test_no_run_removes_more_than_the_share_and_every_run_at_least_one_that_may_go(
    snapshots: list[Kept], rules: Retention
) -> None:
    decision = decide(snapshots, rules, NOW, ZONE)
    may_go = decide(snapshots, replace(rules, most_share=1.0), NOW, ZONE).expire
    assert decision.expire == may_go[: len(decision.expire)]
    assert len(decision.expire) <= max(1, rules.most_share * len(snapshots))
    assert bool(decision.expire) == bool(may_go)


@many
@given(histories(healthy=True), rules)
def test_runs_that_remove_a_share_end_where_one_that_removes_all_ends(
    snapshots: list[Kept], rules: Retention
) -> None:
    expected = set(decide(snapshots, replace(rules, most_share=1.0), NOW, ZONE).keep)
    left = list(snapshots)
    while (decision := decide(left, rules, NOW, ZONE)).expire:
        left = [one for one in left if one.id in decision.keep]
    assert {one.id for one in left} == expected


@many
@given(histories(healthy=True), histories(), rules)
def test_adding_older_snapshots_takes_no_place_from_a_newer_one(
    snapshots: list[Kept], others: list[Kept], rules: Retention
) -> None:
    first = min(one.taken_at for one in snapshots)
    older = [
        replace(one, id=f"old-{one.id}", taken_at=first - (NOW - one.taken_at), rows=100, bytes=1000)
        for one in others
    ]
    rules = replace(rules, most_share=1.0)
    before = decide(snapshots, rules, NOW, ZONE)
    after = decide([*snapshots, *older], rules, NOW, ZONE)
    assert {name: after.keep.get(name) for name in before.keep} == before.keep


@many
@given(both, rules, st.randoms())
def test_the_order_of_the_list_does_not_matter(
    snapshots: list[Kept], rules: Retention, random: object
) -> None:
    shuffled = list(snapshots)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random
    assert decide(shuffled, rules, NOW, ZONE) == decide(snapshots, rules, NOW, ZONE)


@pytest.mark.parametrize("kind", ["full", "checkpoint"])
def test_six_years_of_days_end_with_exactly_the_tiers(kind: str) -> None:
    """Daily at 02:00 with retention after it, a checkpoint in place of a full one where the parameter says so."""
    zone, rules = ZoneInfo(ZONE), Retention()
    kept: list[Kept] = []
    taken = []
    for day in range(6 * 365 + 2):
        at = datetime(2020, 11, 22, 2, tzinfo=zone) + day * DAY
        name = f"{at:%Y-%m-%d}"
        taken.append(at)
        kept.append(
            Kept(name, kind if day % 10 == 0 else "full", at, verified=True, rows=100 + day, bytes=1000 + day)
        )
        decision = decide(kept, rules, at + timedelta(hours=3), ZONE)
        assert decision.refused is None
        kept = [one for one in kept if one.id in decision.keep]
    expected = {at for at in taken if at > taken[-1] - 7 * DAY}
    sundays = [at for at in taken if at.isoweekday() == 7]
    expected |= set(sundays[-4:]) if taken[-1].isoweekday() == 7 else {*sundays[-3:], taken[-1]}
    ends = [at for at in taken if (at + DAY).month != at.month]
    expected |= {*ends[-11:], taken[-1]}
    expected |= {at for at in taken if (at.month, at.day) == (12, 31) and at.year >= 2022} | {taken[-1]}
    if kind == "checkpoint":
        last = taken[-1] + timedelta(hours=3)
        expected |= {at for day, at in enumerate(taken) if day % 10 == 0 and last - at < CHECKPOINT_HOLD}
    assert {one.id for one in kept} == {f"{at:%Y-%m-%d}" for at in expected}


def test_hourly_changes_leave_the_recent_ones_and_the_newest_of_each_day() -> None:
    snapshots = [full(hour / 24, changed=True) for hour in range(24 * 10)]
    decision = decide(snapshots, Retention(weekly=0, monthly=0, yearly=0, most_share=1.0), NOW, ZONE)
    ages = sorted((NOW - one.taken_at) / timedelta(hours=1) for one in snapshots if one.id in decision.keep)
    # 05:00 UTC is 15:00 in Brisbane: the newest of the day before is of 16 hours ago.
    assert ages == [*range(24), *(16 + 24 * day for day in range(1, 6))]


def test_what_was_taken_by_hand_does_not_go_the_same_night() -> None:
    """A later one of the same day stands for the day in every tier."""
    by_hand, later, long_ago = full(0.5), full(0.1), full(1.5)
    changed = full(0.4, changed=True)
    decision = decide([long_ago, by_hand, changed, later], Retention(0, 0, 0, 0, 0, 1.0), NOW, ZONE)
    assert decision.keep[by_hand.id] == ("of the last day",)
    assert decision.expire == (long_ago.id, changed.id)
    assert decide([by_hand, later], Retention(0, 0, 0, 0, 0, 1.0), NOW + DAY, ZONE).expire == (by_hand.id,)


def test_a_day_is_a_day_of_the_named_zone() -> None:
    late, early = full(0, taken_at=NOW.replace(hour=13, minute=59)), full(1, taken_at=NOW.replace(hour=14))
    newest = full(2, taken_at=NOW.replace(hour=15))
    keeps = Retention(daily=2, weekly=0, monthly=0, yearly=0, most_share=1.0)
    now = NOW.replace(hour=16) + DAY
    assert decide([late, early, newest], keeps, now, "Australia/Brisbane").expire == (early.id,)
    assert decide([late, early, newest], keeps, now, "UTC").expire == (late.id, early.id)


def test_the_first_of_january_may_be_of_last_years_week() -> None:
    at = datetime(2027, 1, 1, 5, tzinfo=UTC)
    snapshots = [full(0, id=f"{days}", taken_at=at - days * DAY) for days in range(3)]
    decision = decide(
        snapshots, Retention(daily=0, monthly=0, yearly=0, most_share=1.0), at + timedelta(hours=1), ZONE
    )
    assert decision.keep["0"][:2] == ("the newest verified", "weekly 2026-W53")
    assert decision.expire == ("2", "1")


def test_an_emergency_or_baseline_snapshot_never_stands_for_its_day() -> None:
    """It is of a database that is about to be repaired, or of what was there before."""
    day = [full(40.2), full(40.1, id="e", kind="emergency"), full(40, id="b", kind="baseline", released=True)]
    decision = decide([*day, full(0)], ALL_AT_ONCE, NOW, ZONE)
    assert decision.expire == ("e", "b")


@pytest.mark.parametrize(
    ("newest", "said"),
    [
        ({"verified": False}, "not verified"),
        ({"corrupt": True}, "corrupt"),
        ({"failed": True}, "failed"),
        ({"rows": 69}, "69 rows"),
        ({"bytes": 699}, "699 bytes"),
        ({"taken_at": NOW + DAY}, "clock"),
        ({"kind": "emergency", "rows": 0}, "0 rows"),
    ],
)
def test_what_stops_all_removal(newest: dict[str, object], said: str) -> None:
    rules = Retention(daily=2, weekly=0, monthly=0, yearly=0, most_share=1.0)
    old = [full(1), full(400), full(401), full(402, corrupt=True)]
    assert decide([full(0), *old], rules, NOW, ZONE).expire == (full(402).id, full(401).id, full(400).id)
    decision = decide([full(0, **newest), *old], rules, NOW, ZONE)
    assert decision.expire == ()
    assert said in str(decision.refused)


def test_a_small_loss_is_no_reason_to_stop() -> None:
    assert decide([full(0, rows=int(100 * LEAST_SHARE)), full(1)], ALL_AT_ONCE, NOW, ZONE).refused is None


def test_a_loss_is_not_forgotten_the_day_after_and_not_held_against_backups_for_ever() -> None:
    after_loss = [full(days, rows=10) for days in range(3)]
    assert decide([*after_loss, full(3)], ALL_AT_ONCE, NOW, ZONE).refused is not None
    assert decide([*after_loss, full(8)], ALL_AT_ONCE, NOW, ZONE).refused is None


def test_an_empty_list_needs_nothing() -> None:
    assert decide([], Retention(), NOW, ZONE) == Decision({}, (), None)


def test_a_baseline_is_of_another_content_and_no_measure_of_a_loss() -> None:
    assert decide([full(0), full(1, kind="baseline", rows=1000)], ALL_AT_ONCE, NOW, ZONE).refused is None


def test_a_snapshot_found_corrupt_fills_no_tier_though_it_was_verified_once() -> None:
    """Its tier's place goes to the one before it, and it vouches for none."""
    rules = Retention(daily=2, weekly=0, monthly=0, yearly=0, most_share=1.0)
    decision = decide([full(0), full(40, corrupt=True), full(41), full(42)], rules, NOW, ZONE)
    assert decision.expire == (full(42).id, full(40).id)
