"""In any world, every reader sees exactly what the rule in words lets them see, wherever they look."""

from __future__ import annotations

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.consent.conftest import PROFILE
from tests.consent.hand import Hand
from tests.consent.oracle import ANON, expected
from tests.consent.seen import differences, seen
from tests.consent.strategies import worlds
from tests.consent.world import World, open_world, uid


def test_the_open_world_is_seen_by_everybody(furnished: psycopg.Connection) -> None:
    """Were everything always hidden, every other test here would pass."""
    hand = Hand(furnished)
    try:
        hand.all_of(open_world())
        assert differences(furnished, hand.world) == []
        assert seen(furnished, ANON)["page"] == {1, 2, 3} == expected(hand.world, ANON)["page"]
    finally:
        furnished.rollback()


@settings(PROFILE)
@given(world=worlds(), order=st.permutations(range(8)))
def test_every_reader_sees_what_the_oracle_says(
    furnished: psycopg.Connection, world: World, order: list[int]
) -> None:
    hand = Hand(furnished)
    try:
        hand.all_of(world, order)
        assert differences(furnished, hand.world) == []
    finally:
        furnished.rollback()


def test_quotes_and_pictures_that_have_gone_from_the_base_are_shown_nowhere(
    furnished: psycopg.Connection,
) -> None:
    hand = Hand(furnished)
    try:
        hand.all_of(open_world())
        assert seen(furnished, ANON)["images"] == {1, 2, 3}
        furnished.execute("update public.quotes set source_deleted_at = now()")
        furnished.execute("update public.media_assets set source_deleted_at = now()")
        answer = seen(furnished, ANON)
        assert [answer[kind] for kind in ("quotes", "images", "detail_quotes", "card_quotes")] == [set()] * 4
        furnished.execute("set local role anon")
        row = furnished.execute(
            "select public.story_detail(%s) -> 'images', "
            "jsonb_path_query_array(public.stories_page(), '$.stories[*].image')",
            (uid("story", 1),),
        ).fetchone()
        assert row == ([], [None] * 3)
    finally:
        furnished.rollback()
