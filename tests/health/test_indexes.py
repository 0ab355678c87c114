"""Indexes that somebody dropped."""

from __future__ import annotations

import psycopg
import pytest

from ledger_assets.health import indexes
from ledger_assets.health.indexes import unindexed
from tests.health.hands import Make
from tests.schema.world import World


def test_every_foreign_key_of_the_migrations_has_its_index(context: Make) -> None:
    found = indexes.indexes(context())
    assert (found.state, found.value) == ("ok", "every foreign key has one")


def test_a_dropped_index_is_named_and_bad_once_the_table_is_large(world: World, context: Make) -> None:
    world.do("drop index public.quotes_story_id_idx")
    small = indexes.indexes(context())
    assert small.state == "warn"
    assert "quotes (story_id)" in small.value
    world.do(
        "insert into public.quotes (id, quote) select gen_random_uuid(), 'n' from generate_series(1, 10000)"
    )
    world.do("analyze public.quotes")
    large = indexes.indexes(context())
    assert large.state == "bad"
    assert "quotes (story_id), 10,000 rows" in large.value


@pytest.mark.parametrize(
    ("made", "serves"),
    [
        ("public.quotes (story_id, featured)", True),
        ("public.quotes (story_id) where story_id is not null", True),
        ("public.quotes (featured, story_id)", False),
        ("public.quotes (story_id) where featured", False),
    ],
)
def test_an_index_serves_only_where_the_key_comes_first_and_no_row_is_left_out(
    world: World, conn: psycopg.Connection, made: str, serves: bool
) -> None:
    world.do("drop index public.quotes_story_id_idx")
    world.do(f"create index another_idx on {made}")
    assert ([one.constraint for one in unindexed(conn)] == []) is serves


def test_a_large_table_that_is_read_from_end_to_end_again_and_again_is_named(
    world: World, conn: psycopg.Connection, context: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "OFTEN", 20)
    world.do(
        "insert into public.themes (id, name) select gen_random_uuid(), 'n' from generate_series(1, 10000)"
    )
    world.do("analyze public.themes")
    assert indexes.scans(context()).state == "ok"
    for _ in range(25):
        world.one("select count(*) from public.themes where description = 'x'")
    world.do("select pg_stat_force_next_flush()")
    conn.rollback()  # within one transaction the statistics stay those of its first look
    found = indexes.scans(context())
    assert found.state == "warn"
    assert "public.themes" in found.value
