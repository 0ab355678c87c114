"""The app's queries asked as the app's roles: bounded, read-only, under every policy, and told by figures alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from ledger_assets import events, load_tests
from ledger_assets.environment import Environment, Settings, read_settings
from ledger_assets.load.connect import connect
from ledger_assets.loadtest import run as engine
from ledger_assets.loadtest.model import Query, Result, Timing, percentile, timing
from ledger_assets.loadtest.queries import NOBODY, queries, subjects
from tests.schema.world import World

WORLD = Path(__file__).resolve().parents[2] / "benchmarks" / "app_world.sql"
Open = Callable[[], psycopg.Connection]


@pytest.fixture
def opening(database_url: str) -> Open:
    return lambda: connect(database_url, application_name="test:loadtest")


@pytest.fixture
def peopled(world: World) -> World:
    """A world of 200 stories with everything that the app asks for."""
    sizes = {"stories": 200, "storytellers": 20, "views": 400}
    text = sql.SQL(WORLD.read_text("utf-8"))
    with world.owner.transaction():
        world.owner.execute(text.format(**{name: sql.Literal(size) for name, size in sizes.items()}))
        world.owner.execute("select private.refresh_all()")
    return world


def test_every_query_of_the_app_is_answered_as_both_roles(
    peopled: World, opening: Open, conn: psycopg.Connection
) -> None:
    asked = queries(subjects(conn))
    timings, _ = engine.run(opening, asked, seconds=60, sessions=3, calls=4 * len(asked))
    assert [one.errors for one in timings] == [{}] * len(asked)
    assert all(one.calls == 4 and 0 < one.p50 <= one.p95 <= one.p99 for one in timings)
    names = {(one.name, one.role) for one in timings}
    assert {("story detail", "anon"), ("own dashboard", "authenticated")} <= names
    assert ("own dashboard", "anon") not in names


def test_it_asks_for_a_real_account_and_for_what_is_there(peopled: World, conn: psycopg.Connection) -> None:
    found = subjects(conn)
    assert found.account == peopled.one(
        "select md5('user1')::uuid::text"
    )  # the one who has claimed a storyteller
    assert found.community
    assert found.organisation
    assert found.theme
    assert (found.published, found.all_stories, len(found.stories)) == (195, 200, 50)
    detail = next(one for one in queries(found) if one.name == "story detail")
    assert len({one["story"] for one in detail.parameters}) == 50


@pytest.mark.parametrize("calls", [1, 7, 100])
def test_it_ends_after_exactly_so_many_calls(opening: Open, conn: psycopg.Connection, calls: int) -> None:
    asked = queries(subjects(conn))
    timings, _ = engine.run(opening, asked, seconds=600, sessions=4, calls=calls)
    assert sum(one.calls for one in timings) == calls
    spread = [one.calls for one in timings]
    assert max(spread) - min(spread) <= 1


def test_it_ends_when_its_time_is_over(opening: Open) -> None:
    ticks = iter(range(1000))
    quick = Query("quick", "anon", "select 1")
    timings, took = engine.run(opening, [quick], seconds=10, sessions=1, clock=lambda: float(next(ticks)))
    assert timings[0].calls == 9
    assert took == 11


def test_nothing_is_written_and_whoever_tries_is_counted_as_refused(peopled: World, opening: Open) -> None:
    views = peopled.one("select count(*) from public.story_views")
    story = str(peopled.one("select id from public.stories where published_at is not null limit 1"))
    writing = Query("a view", "anon", "select public.record_view(%(s)s)", ({"s": story},))
    timings, _ = engine.run(opening, [writing], seconds=60, sessions=2, calls=6)
    assert timings[0].errors == {"25006": 6}
    assert peopled.one("select count(*) from public.story_views") == views


def test_every_policy_is_on_and_a_session_is_whose_it_says(peopled: World, opening: Open) -> None:
    counts: list[int] = []

    def counted(connection: psycopg.Connection, query: Query) -> int:
        with connection.transaction(force_rollback=True):
            engine.as_role(connection, query.role, query.account)
            row = connection.execute(query.statement.encode()).fetchone()
        assert row is not None
        return int(row[0])

    with opening() as connection:
        for role, account in (("anon", None), ("authenticated", NOBODY)):
            query = Query("all", role, "select count(*) from public.stories", account=account)  # type: ignore[arg-type]  # a role
            counts.append(counted(connection, query))
        own = Query("own", "authenticated", "select count(*) from public.consents", account=str(
            peopled.one("select md5('user1')::uuid")))  # fmt: skip
        consents = counted(connection, own)
        row = connection.execute(
            "select current_user, current_setting('request.jwt.claims', true)"
        ).fetchone()
    assert row == ("postgres", "")
    opened = peopled.one("select count(*) from public.stories where eff_limits = 0 and eff_until > now()")
    assert counts == [opened, opened]
    assert 0 < consents < peopled.one("select count(*) from public.consents")


def test_who_asks_too_long_is_ended_as_the_api_ends_it(
    opening: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert engine.LIMITS == {"anon": "3s", "authenticated": "8s"}
    monkeypatch.setitem(engine.LIMITS, "anon", "20ms")
    slow = Query("slow", "anon", "select count(*) from generate_series(1, 50000000)")
    quick = Query("quick", "anon", "select 1")
    timings, _ = engine.run(opening, [slow, quick], seconds=60, sessions=1, calls=4)
    assert [(one.calls, one.errors) for one in timings] == [(0, {"57014": 2}), (2, {})]


def test_a_session_that_is_ended_is_counted_and_the_others_go_on(
    opening: Open, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []

    def call(connection: psycopg.Connection, query: Query, asked: int) -> float | str:
        if not ended:
            ended.append(connection.info.backend_pid)
            world.do("select pg_terminate_backend(%s)", connection.info.backend_pid)
        return real(connection, query, asked)

    real = engine._call
    monkeypatch.setattr(engine, "_call", call)
    timings, _ = engine.run(opening, [Query("quick", "anon", "select 1")], seconds=60, sessions=2, calls=20)
    assert timings[0].errors == {"57P01": 1}
    assert timings[0].calls == 19


@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_a_time_that_was_measured_and_enough_are_not_above_it(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6
    assert sum(value < found for value in values) < share * len(values)


def test_slow_failing_and_unasked_queries_are_problems() -> None:
    query = Query("q", "anon", "select 1")
    fine = timing(query, [1.0, 2.0], Counter())
    assert Result("staging", 1, 1.0, (fine,), (), ()).passed
    for wrong in (
        timing(query, [900.0], Counter()),
        timing(query, [1.0], Counter({"57014": 1})),
        timing(query, [], Counter()),
    ):
        assert not Result("staging", 1, 1.0, (fine, wrong), (), ()).passed


def test_the_result_holds_figures_and_names_alone() -> None:
    told = Result(
        "staging", 1, 2.0, (Timing("q", "anon", 4, 1.0, 2.0, 3.0, {"57014": 1}),), ("n",), ("t (c)",)
    )
    document = told.document()
    assert (document["calls"], document["failed"], told.slowest) == (5, 1, 2.0)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    environ = {
        "LEDGER_HOME": str(tmp_path / "home"), "STAGING_DATABASE_URL": database_url, "AIRTABLE_API_KEY": "patx.y",
        "AIRTABLE_BASE_ID": "appAAAAAAAAAAAAAA",
    }  # fmt: skip
    return read_settings(Environment.STAGING, environ)


def test_it_is_on_record_with_its_figures_and_names_the_index_that_is_missing(
    peopled: World, settings: Settings, conn: psycopg.Connection
) -> None:
    peopled.do("drop index public.quotes_story_id_idx")
    found = load_tests.run(settings, seconds=60, sessions=2, calls=60)
    assert found.passed, found.problems
    assert [one for one in found.unindexed if one.startswith("quotes (story_id)")]
    (told,) = events.read(conn, actions=["loadtest"])
    assert told.outcome == "done"
    assert (told.detail["calls"], told.detail["published"], told.detail["missing_indexes"]) == (60, 195, 1)


def test_an_empty_database_says_what_it_lacks(settings: Settings) -> None:
    found = load_tests.run(settings, seconds=60, sessions=1, calls=30)
    assert found.passed
    said = " ".join(found.notes)
    assert "there is no account" in said
    assert "of 0 stories 0 are published" in said
    assert "community, organisation, theme" in said
