"""What the app counts and adds up: nothing twice, and nothing of what the asker may not see."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.schema.world import SERVICE, World


def busy_story(world: World, person: UUID, **columns: Any) -> UUID:
    """3 reactions, 4 comments, 5 views, 2 analyses (1 validated), 2 value events of 10 and 20."""
    story = world.story(person, **columns)
    reader = world.account("Reader")
    for kind in ("heart", "thanks", "strength"):
        world.row("story_reactions", story_id=story, profile_id=reader, kind=kind)
    for number in range(4):
        world.row("story_comments", story_id=story, profile_id=reader, body=f"Comment {number}")
    world.do("insert into story_views (story_id) select %s from generate_series(1, 5)", story)
    world.row("story_analysis", story_id=story, kind="themes", result={}, validated_at="2026-01-01")
    world.row("story_analysis", story_id=story, kind="impact", result={})
    for amount in (10, 20):
        event = world.row("value_events", kind="donation", amount=amount, story_id=story)
        half = [{"recipient": "storyteller", "storyteller_id": str(person), "percent": 60},
                {"recipient": "platform", "percent": 40}]  # fmt: skip
        world.ask(SERVICE, None, "select public.split_value(%s, %s)", event, Jsonb(half))
    return story


def test_the_dashboards_counts_are_not_multiplied(world: World) -> None:
    account = world.account()
    person = world.storyteller(account=account)
    busy = busy_story(world, person, title="Busy", created_at="2026-02-01")
    world.story(person, title="Quiet", published=False, created_at="2026-01-01")
    world.story(world.storyteller("Other"), title="Somebody else's")
    board = world.ask("authenticated", account, "select public.my_dashboard()")
    assert {name: value for name, value in board.items() if name != "list"} == {
        "stories": 2, "published": 1, "open": 1, "analysed": 1, "validated": 1, "own_share": 18,
    }  # fmt: skip
    first, second = board["list"]
    assert (first["id"], second["title"]) == (str(busy), "Quiet")
    counts = ("reactions", "comments", "views", "analysed", "validated", "value")
    assert [first[name] for name in counts] == [3, 4, 5, 2, 1, 30]
    assert [second[name] for name in counts] == [0] * 6


def test_a_share_that_failed_is_not_the_persons(world: World) -> None:
    account = world.account()
    busy_story(world, world.storyteller(account=account))
    world.do(
        "update value_distributions set status = 'failed' where amount = 6 and recipient = 'storyteller'"
    )
    assert world.ask("authenticated", account, "select public.my_dashboard() -> 'own_share'") == 12


def test_the_dashboard_of_who_has_told_nothing_is_empty(world: World) -> None:
    busy_story(world, world.storyteller())
    board = world.ask("authenticated", world.account(), "select public.my_dashboard()")
    assert (board["stories"], board["own_share"], board["list"]) == (0, 0, [])


def test_story_detail_has_its_responses_and_counts_its_views(world: World) -> None:
    person = world.storyteller("Nora", show_name=True)
    story = busy_story(world, person, title="Busy", copy="words")
    world.row("quotes", quote="hers", storyteller_id=person, story_id=story)
    world.row("quotes", quote="a stranger's", storyteller_id=world.storyteller("Other"), story_id=story)
    world.row("quotes", quote="gone", storyteller_id=person, story_id=story, source_deleted_at="2026-01-01")
    assert world.ask("anon", None, "select public.record_view(%s)", story) is True
    detail = world.ask("anon", None, "select public.story_detail(%s)", story)
    assert (detail["title"], detail["copy"], detail["views"]) == ("Busy", "words", 6)
    assert detail["reactions"] == {"heart": 1, "thanks": 1, "strength": 1}
    assert [comment["body"] for comment in detail["comments"]] == [f"Comment {n}" for n in range(4)]
    assert {comment["by"] for comment in detail["comments"]} == {"Reader"}
    assert [quote["quote"] for quote in detail["quotes"]] == ["hers"]
    assert [author["name"] for author in detail["authors"]] == ["Nora"]


def test_a_closed_story_has_no_detail_and_no_counter_but_for_who_told_it(world: World) -> None:
    account = world.account()
    story = world.story(world.storyteller(account=account), privacy="private", title="Mine")
    for role, who in (("anon", None), ("authenticated", world.account()), (SERVICE, None)):
        assert world.ask(role, who, "select public.story_detail(%s)", story) is None
        assert world.ask(role, who, "select public.record_view(%s)", story) is False
    assert world.ask("authenticated", account, "select public.story_detail(%s) ->> 'title'", story) == "Mine"
    assert world.one("select count(*) from story_views") == 0
    assert world.ask("anon", None, "select public.story_detail(%s)", uuid.uuid4()) is None


def test_a_view_names_the_viewer_who_has_a_profile(world: World) -> None:
    story, account = world.story(world.storyteller()), world.account()
    world.ask("authenticated", account, "select public.record_view(%s)", story)
    world.ask("authenticated", uuid.uuid4(), "select public.record_view(%s)", story)
    assert world.all("select viewer_id from story_views order by id") == [(account,), (None,)]


def test_the_community_view_tells_members_more_than_others(world: World) -> None:
    community, member = world.community(), world.account()
    world.member(community, member)
    people = [world.storyteller(f"Person {n}") for n in range(2)]
    for number, privacy in enumerate(("public", "public", "community", "private")):
        story = busy_story(world, people[number % 2], community_id=community, privacy=privacy,
                           published_at=f"2026-01-0{number + 1}")  # fmt: skip
        interview = world.interview(story, people[number % 2])
        theme = world.row("themes", name=privacy)
        world.row("interview_themes", interview_id=interview, theme_id=theme, position=1)
    world.row("value_events", kind="donation", amount=100, community_id=community)
    query = "select public.community_view(%s)"
    for role, account in (("anon", None), ("authenticated", world.account()), ("authenticated", member)):
        view = world.ask(role, account, query, community)
        inside = account == member
        assert view["stories"] == 2 + inside
        assert view["public"] == 2
        assert (view["storytellers"], view["analysed"]) == (2, 2 + inside)
        assert view["recent_themes"] == (["community", "public"] if inside else ["public"])
        assert view["last_activity"][:10] == ("2026-01-03" if inside else "2026-01-02")
        assert view["value"] == (100 if inside else None)
    assert world.ask("anon", None, query, uuid.uuid4()) is None


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_the_value_report_adds_up_for_administrators(world: World, role: str) -> None:
    organisation, account = world.organisation(), world.account()
    world.row("organisation_members", organisation_id=organisation, profile_id=account, role=role)
    person = world.storyteller()
    for kind, amount, day in (
        ("grant_funded", 100, "2026-01-01"),
        ("grant_funded", 50, "2026-02-01"),
        ("donation", 25, "2026-03-01"),
    ):
        event = world.row(
            "value_events", kind=kind, amount=amount, occurred_on=day, organisation_id=organisation
        )
        shares = [{"recipient": "storyteller", "storyteller_id": str(person), "percent": 40},
                  {"recipient": "organisation", "organisation_id": str(organisation), "percent": 40},
                  {"recipient": "platform", "percent": 20}]  # fmt: skip
        if amount != 25:
            world.ask(SERVICE, None, "select public.split_value(%s, %s)", event, Jsonb(shares))
    world.row("value_events", kind="donation", amount=999, organisation_id=world.organisation("Other"))
    report = world.ask("authenticated", account, "select public.value_report(%s)", organisation)
    assert report == {
        "events": 3, "total": 175, "shared": 150, "grants": 2, "granted": 150,
        "by_recipient": {"storyteller": 60, "organisation": 60, "platform": 30},
        "by_kind": {"grant_funded": 150, "donation": 25},
    }  # fmt: skip
    report = world.ask("authenticated", account, "select public.value_report(%s, '2026-02-01')", organisation)
    assert (report["events"], report["total"], report["shared"]) == (2, 75, 50)
    assert world.ask(SERVICE, None, "select public.value_report(%s)", organisation)["total"] == 175


def test_the_value_report_tells_nobody_else_a_sum(world: World) -> None:
    organisation, viewer = world.organisation(), world.account()
    world.row("organisation_members", organisation_id=organisation, profile_id=viewer, role="viewer")
    world.row("value_events", kind="donation", amount=10, organisation_id=organisation)
    for account in (viewer, world.account()):
        report = world.ask("authenticated", account, "select public.value_report(%s)", organisation)
        assert (report["events"], report["total"]) == (0, 0)
