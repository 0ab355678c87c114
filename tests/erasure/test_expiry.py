"""When snapshots expire: what is told is what retention then does, day by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_assets.backup.retention import Kept, decide
from ledger_assets.backup.settings import Retention
from ledger_assets.erasure.expiry import expiries

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
RULES = Retention(daily=3, weekly=2, monthly=2, yearly=0)
ZONE = "Australia/Brisbane"

snapshots = st.lists(
    st.builds(
        Kept,
        id=st.uuids().map(str),
        kind=st.sampled_from(("full", "checkpoint", "emergency", "baseline")),
        taken_at=st.integers(0, 60).map(lambda n: NOW - timedelta(days=n)),
        verified=st.booleans(),
        held=st.booleans(),
        released=st.booleans(),
        corrupt=st.booleans(),
        rows=st.just(10),
        bytes=st.just(10),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)


@given(snapshots)
@settings(max_examples=30)
def test_each_is_there_until_its_day_and_gone_then(kept: list[Kept]) -> None:
    ends = expiries(kept, RULES, NOW, ZONE)
    assert ends.keys() == {one.id for one in kept}
    last = max((end for end in ends.values() if end is not None), default=NOW)
    there, at = list(kept), NOW
    while at < last:
        at += timedelta(days=1)
        there.append(Kept(f"day-{at:%Y%m%d}", "full", at, verified=True, rows=10, bytes=10))
        gone = set(decide(there, RULES, at, ZONE).expire)
        there = [one for one in there if one.id not in gone]
        assert {one.id for one in there} >= {name for name, end in ends.items() if end is None or end > at}
        assert not {one.id for one in there} & {
            name for name, end in ends.items() if end is not None and end <= at
        }


def test_what_is_kept_until_a_person_says_otherwise_has_no_end() -> None:
    old = NOW - timedelta(days=40)
    kept = [
        Kept("held", "full", old, verified=True, held=True),
        Kept("before", "baseline", old, verified=True),
        Kept("until", "full", old, verified=True, held=True, hold_until=NOW + timedelta(days=9)),
        Kept("plain", "full", old, verified=True),
        Kept("newest", "full", NOW, verified=True),
    ]
    ends = expiries(kept, RULES, NOW, ZONE)
    assert (ends["held"], ends["before"]) == (None, None)
    until, plain = ends["until"], ends["plain"]
    assert until is not None
    assert plain is not None
    assert plain < until
    assert until >= NOW + timedelta(days=9)
