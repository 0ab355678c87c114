"""Whatever was damaged: exact is exact, lost brings all of it, and the way back is exact too."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

import psycopg
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ledger_assets.backup.merge import EXACT, LOST, undo
from ledger_assets.backup.merge.rules import HISTORIES
from tests.backup.merge.pair import Pair
from tests.schema.full import CHANGES

Damage = Callable[[Pair], None]
TABLES = sorted(CHANGES)


def some(table: str, first: int, number: int) -> str:
    return f"(select id from public.{table} order by id offset {first} limit {number})"


def deleted(table: str, first: int, number: int) -> Damage:
    return lambda pair: pair.damage(f"delete from public.{table} where id in {some(table, first, number)}")


def changed(table: str, first: int, number: int) -> Damage:
    return lambda pair: pair.damage(
        f"update public.{table} set {CHANGES[table]} where id in {some(table, first, number)}"
    )


def truncated(table: str) -> Damage:
    return lambda pair: pair.damage(f"truncate public.{table} cascade")


def moved(number: int) -> Damage:
    """Rows that now refer to newer ones."""

    def move(pair: Pair) -> None:
        community = pair.world.community(f"newer-{number}")
        organisation = pair.world.organisation(f"Newer {number}")
        person = pair.world.storyteller(f"Newer {number}")
        pair.damage(
            "update public.stories set community_id = %s where id in " + some("stories", number, 2), community
        )
        pair.damage(
            "update public.storytellers set organisation_id = %s where id in "
            + some("storytellers", number, 2),
            organisation,
        )
        pair.damage(
            "update public.quotes set storyteller_id = %s where id in " + some("quotes", number, 2), person
        )
        pair.damage("update public.value_events set community_id = %s", community)

    return move


def added(number: int) -> Damage:
    """A newer person with a story, spoken in an interview, versioned and commented on."""

    def add(pair: Pair) -> None:
        world = pair.world
        account = world.account(f"Newer {number}")
        person = world.storyteller(f"Newer {number}", account=account)
        story = world.story(person, title=f"Newer {number}", copy="first")
        world.do("update public.stories set copy = 'second' where id = %s", story)
        world.interview(story, person, transcript="newer words")
        world.row("story_comments", story_id=story, profile_id=account, body="newer")
        world.do("insert into public.story_views (story_id, viewer_id) values (%s, %s)", story, account)

    return add


def raw_lost(number: int) -> Damage:
    return lambda pair: pair.damage(
        f"delete from airtable.records where record_id like '%{number}'".replace("%", "%%")
    )


places = (st.sampled_from(TABLES), st.integers(0, 2), st.integers(1, 3))
damages = st.lists(
    st.one_of(
        st.builds(deleted, *places),
        st.builds(changed, *places),
        st.builds(truncated, st.sampled_from(TABLES)),
        st.builds(moved, st.integers(0, 2)),
        st.builds(added, st.integers(0, 2)),
        st.builds(raw_lost, st.integers(1, 5)),
    ),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=int(os.environ.get("MERGE_EXAMPLES", "8")),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
    ],
)
@given(damages=damages)
def test_random_damage_is_mended(pair: Pair, damages: list[Damage]) -> None:
    snapshot = pair.contents(pair.scratch)
    for damage in damages:
        with suppress(psycopg.errors.IntegrityError):  # what the schema itself refuses is no damage
            damage(pair)
    damaged = pair.contents()

    lost = _try_lost(pair, snapshot, damaged)
    if lost is not None:
        undo(pair.live, lost, who="a tester")
        assert pair.contents() == damaged

    exact = pair.apply(EXACT).undo_id
    after = pair.contents()
    for name, rows in snapshot.items():
        if name in HISTORIES:
            assert set(rows) <= set(after[name]), name
        elif name == "public.consents":
            withdrawn = {row for row in damaged[name] if ",withdrawn," in row}
            assert set(after[name]) - withdrawn == set(rows) - {
                row for row in rows if row[:37] in {other[:37] for other in withdrawn}
            }
        elif name != "public.stories" or damaged["public.consents"] == snapshot["public.consents"]:
            assert after[name] == rows, name
    undo(pair.live, exact, who="a tester")
    assert pair.contents() == damaged
    pair.apply(EXACT)


def _try_lost(pair: Pair, snapshot: dict[str, list[str]], damaged: dict[str, list[str]]) -> int | None:
    lost = pair.apply(LOST).undo_id
    after = pair.contents()
    for name, rows in damaged.items():
        if name != "public.stories":  # whose visibility follows
            assert set(rows) <= set(after[name]), name
        keys = {row.split(",")[0] for row in after[name]}
        if not name.startswith("airtable."):
            assert {row.split(",")[0] for row in snapshot[name]} <= keys, name
    return lost
