"""A signed-in storyteller adds stories of their own; nobody else does."""

from __future__ import annotations

import psycopg
import pytest

from tests.schema.world import SERVICE, World

INSERT = "insert into public.stories (title, copy, created_by) values ('Mine', 'words', %s)"


def test_a_storyteller_adds_a_story_and_is_its_author(world: World) -> None:
    account = world.account()
    person = world.storyteller(account=account)
    with world.session("authenticated", account) as conn:
        conn.execute(INSERT, (account,))
    assert world.all("select storyteller_id, position from authorship") == [(person, 1)]
    assert world.all("select status, privacy, eff_limits from stories") == [("draft", "private", 4)]


def test_the_api_answers_with_the_new_story(world: World) -> None:
    """PostgREST asks for the row it has written (Prefer: return=representation)."""
    account = world.account()
    world.storyteller(account=account)
    with world.session("authenticated", account) as conn:
        (row,) = conn.execute(f"{INSERT} returning id, title".encode(), (account,)).fetchall()
    with world.session("authenticated", account) as conn:
        assert conn.execute("select id, title from public.stories").fetchall() == [row]


def test_a_member_without_a_storyteller_is_told_why_not(world: World) -> None:
    account = world.account()
    world.member(world.community(), account)
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="has not claimed a storyteller"),
        world.session("authenticated", account) as conn,
    ):
        conn.execute(INSERT, (account,))


def test_nobody_adds_a_story_in_anothers_name(world: World) -> None:
    account, other = world.account(), world.account()
    world.storyteller(account=account)
    world.storyteller(account=other)
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
        world.session("authenticated", account) as conn,
    ):
        conn.execute(INSERT, (other,))


def test_nobody_adds_a_story_that_is_published_or_already_open(world: World) -> None:
    account = world.account()
    world.storyteller(account=account)
    for column, value in (("status", "published"), ("eff_limits", 0), ("published_at", "2026-01-01")):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"),
            world.session("authenticated", account) as conn,
        ):
            conn.execute(
                f"insert into public.stories (title, created_by, {column}) values ('Mine', %s, %s)".encode(),
                (account, value),
            )


def test_a_storyteller_changes_the_words_of_an_own_story_only(world: World) -> None:
    account = world.account()
    mine = world.story(world.storyteller(account=account), published=False)
    other = world.story(world.storyteller("Somebody else"), published=True)
    with world.session("authenticated", account) as conn:
        assert conn.execute("update public.stories set copy = 'new' where id = %s", (mine,)).rowcount == 1
        assert conn.execute("update public.stories set copy = 'new' where id = %s", (other,)).rowcount == 0


def test_a_community_whose_stories_are_here_cannot_be_deleted(world: World) -> None:
    """Its protocols would go with it, and what a strict one had limited could open."""
    community = world.row("communities", name="Ours", slug="ours")
    world.row("cultural_protocols", community_id=community, name="Members only", privacy="community")
    world.story(world.storyteller(), community_id=community)
    with (
        pytest.raises(psycopg.IntegrityError, match="stories_community_id_fkey"),
        world.session(SERVICE) as conn,
    ):
        conn.execute("delete from public.communities")
