"""What the schema asks of several rows together: insights on three stories, shares that add up to their event."""

from __future__ import annotations

import pytest

from ledger_assets.backup.merge import EXACT, LOST, Mode, preview, undo
from ledger_assets.errors import TargetError
from tests.backup.merge.pair import Pair

SHARES, EVENTS = "public.value_distributions", "public.value_events"
INSIGHTS, STORIES_OF = "public.community_insights", "public.community_insight_stories"


@pytest.mark.parametrize("mode", [LOST, EXACT, Mode.of_table("community_insight_stories")], ids=str)
def test_an_insight_whose_story_moved_away_comes_back_as_it_would_stand(pair: Pair, mode: Mode) -> None:
    community = pair.world.community("newer")
    pair.damage("update public.stories set community_id = %s", community)
    if mode.kind == "table":
        pair.damage("delete from public.community_insight_stories")
    else:
        pair.damage("truncate public.community_insights cascade")
    damaged = pair.contents()

    undo_id = pair.apply(mode).undo_id
    after, snapshot = pair.contents(), pair.contents(pair.scratch)
    assert (after[INSIGHTS], after[STORIES_OF]) == (snapshot[INSIGHTS], snapshot[STORIES_OF])
    assert snapshot[STORIES_OF]

    undo(pair.live, undo_id, who="a tester")
    assert pair.contents() == damaged


def test_lost_shares_of_an_event_whose_amount_changed_stay_out_and_are_named(pair: Pair) -> None:
    pair.damage("delete from public.value_distributions")
    pair.damage("update public.value_events set amount = 11")
    pair.damage("delete from public.quote_interviews")
    plan = preview(pair.scratch, pair.live, LOST)
    with pair.scratch.transaction():
        (share,) = (str(r[0]) for r in pair.scratch.execute(f"select id from {SHARES}"))
    assert plan.shares_left_out == (share,)
    assert any(share in line and "no longer add up" in line for line in plan.lines())

    pair.apply(LOST)
    assert pair.contents()[SHARES] == []
    links = "public.quote_interviews"
    assert pair.contents()[links] == pair.contents(pair.scratch)[links] != []
    pair.apply(EXACT)
    assert pair.contents()[SHARES] == pair.contents(pair.scratch)[SHARES] != []


def test_lost_shares_come_back_where_the_event_is_as_it_was_or_was_lost_with_them(pair: Pair) -> None:
    for damage in ("delete from public.value_distributions", "truncate public.value_events cascade"):
        pair.damage(damage)
        pair.apply(LOST)
        assert pair.contents()[SHARES] == pair.contents(pair.scratch)[SHARES] != []


def test_one_table_whose_shares_would_not_add_up_is_refused_by_the_event(pair: Pair) -> None:
    event = pair.world.one("select id from public.value_events")
    with pair.world.owner.transaction():
        pair.world.owner.execute("update public.value_events set amount = 11")
        pair.world.owner.execute("update public.value_distributions set amount = 11")
    before = pair.contents()
    for table in ("value_distributions", "value_events"):
        with pytest.raises(TargetError, match=f"{event}.*would not add up"):
            pair.apply(Mode.of_table(table))
    assert pair.contents() == before
