"""The lists of the app: the stories page with its filters, and the storytellers' cards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.schema.world import SERVICE, World


def page(world: World, role: str = "anon", account: UUID | None = None, **arguments: Any) -> dict[str, Any]:
    named = ", ".join(f"{name} => %s" for name in arguments)
    answer: dict[str, Any] = world.ask(
        role, account, f"select public.stories_page({named})", *arguments.values()
    )
    return answer


def titles(answer: dict[str, Any]) -> list[str]:
    return [story["title"] for story in answer["stories"]]


def cards(world: World, **arguments: Any) -> list[dict[str, Any]]:
    named = ", ".join(f"{name} => %s" for name in arguments)
    answer: list[dict[str, Any]] = world.ask(
        "anon", None, f"select public.storyteller_cards({named})", *arguments.values()
    )
    return answer


def test_pages_hold_every_story_once_newest_first_with_the_exact_total(world: World) -> None:
    person = world.storyteller()
    for number in range(23):
        # Several on one day: their order must be the same on every page.
        world.story(person, title=f"Story {number}", published_at=f"2026-01-{1 + number // 5:02d}")
    world.story(person, title="Private", privacy="private")
    world.story(person, title="Draft", published=False)
    pages = [page(world, page=number, size=10) for number in (1, 2, 3, 4)]
    assert [(p["total"], len(p["stories"])) for p in pages] == [(23, 10), (23, 10), (23, 3), (23, 0)]
    seen = [story for p in pages for story in p["stories"]]
    assert len({story["id"] for story in seen}) == 23
    moments = [story["published_at"] for story in seen]
    assert moments == sorted(moments, reverse=True)
    assert len(page(world)["stories"]) == 20


def test_a_page_is_the_same_for_who_sees_more(world: World) -> None:
    community, organisation, member = world.community(), world.organisation(), world.account()
    world.member(community, member)
    world.row("organisation_members", organisation_id=organisation, profile_id=member)
    person = world.storyteller()
    for privacy in ("public", "community", "organisation", "private"):
        world.story(
            person, title=privacy, privacy=privacy, community_id=community, organisation_id=organisation
        )
    assert titles(page(world)) == ["public"]
    assert set(titles(page(world, "authenticated", world.account()))) == {"public"}
    answer = page(world, "authenticated", member)
    assert (answer["total"], set(titles(answer))) == (3, {"public", "community", "organisation"})


def test_search_filters_and_their_combination(world: World) -> None:
    community, organisation = world.community(), world.organisation()
    person = world.storyteller()
    found = world.story(person, title="Fishing", copy="along muddy rivers", community_id=community)
    world.story(person, title="The river", organisation_id=organisation)
    analysed = world.story(world.storyteller("No analysis", consents=("public_sharing",)), title="Dancing")
    world.story(person, title="Hidden river", privacy="private", community_id=community)
    theme = world.row("themes", name="Country")
    for story, speaker in ((found, person), (analysed, None)):
        interview = world.interview(story, *([speaker] if speaker else []))
        world.row("interview_themes", interview_id=interview, theme_id=theme, position=1)
    assert set(titles(page(world, search="river"))) == {"Fishing", "The river"}
    assert titles(page(world, search='"muddy rivers"')) == ["Fishing"]
    assert titles(page(world, search="river -fishing")) == ["The river"]
    assert page(world, search="platypus") == {"total": 0, "page": 1, "size": 20, "stories": []}
    assert page(world, search="  ")["total"] == 3
    assert titles(page(world, community=community)) == ["Fishing"]
    assert titles(page(world, organisation=organisation)) == ["The river"]
    # A theme is what a machine found: only with consent to analysis.
    assert titles(page(world, theme=theme)) == ["Fishing"]
    assert page(world, search="river", community=community, theme=theme)["total"] == 1
    assert page(world, search="river", community=community, organisation=organisation)["total"] == 0
    assert page(world, search="'; select 1 --")["total"] == 0


@pytest.mark.parametrize(
    "arguments", [{"page": 0}, {"size": 0}, {"size": 101}, {"page": None}, {"size": None}]
)
def test_a_page_that_is_none_is_refused(world: World, arguments: dict[str, Any]) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="page begins at 1"):
        page(world, **arguments)


@pytest.mark.parametrize("size", [0, 101, None])
def test_so_is_a_number_of_cards(world: World, size: int | None) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="between 1 and 100"):
        cards(world, size=size)


def test_a_listed_story_names_authors_community_and_image_as_they_may_be_shown(world: World) -> None:
    community = world.community()
    shown = world.storyteller("Nora Full Name", preferred_name="Nora", show_name=True)
    hidden = world.storyteller("Hidden Name")
    story = world.story(shown, hidden, title="Ours", community_id=community)
    for position, gone in ((1, "2026-01-01"), (2, None), (3, None)):
        world.row("media_assets", role="story_image", story_id=story, position=position, attachment_id="a",
                  object_key=f"image{position}", source_deleted_at=gone)  # fmt: skip
    (listed,) = page(world)["stories"]
    assert listed["authors"] == [
        {"id": str(shown), "name": "Nora", "photo": None},
        {"id": str(hidden), "name": None, "photo": None},
    ]
    assert listed["community"] == {"name": "Riverside", "slug": "riverside"}
    assert listed["image"] == "image2"
    assert "Hidden Name" not in str(world.ask("anon", None, "select public.story_detail(%s)", story))


def test_a_card_shows_what_its_person_chose(world: World) -> None:
    organisation = world.organisation("The Archive")
    location = world.row("locations", name="Riverside", kind="town", country="AU")
    person = world.storyteller("Nora", bio="born here", organisation_id=organisation, location_id=location)
    world.row(
        "media_assets",
        role="profile_image",
        storyteller_id=person,
        position=1,
        attachment_id="a",
        object_key="photo",
    )
    world.story(person)
    world.storyteller("Nobody's teller", show_name=True)
    fields = {
        "name": "Nora", "photo": "photo", "bio": "born here", "organisation": "The Archive", "location": "Riverside",
    }  # fmt: skip
    for chosen, value in fields.items():
        others = ", ".join(f"show_{field} = {field == chosen}" for field in fields)
        world.do(f"update storytellers set {others} where id = %s", person)
        (card,) = cards(world)
        assert {field: card[field] for field in fields} == {**dict.fromkeys(fields), chosen: value}


def test_cards_have_three_themes_a_featured_quote_filters_and_an_order(world: World) -> None:
    organisation = world.organisation()
    project = world.row("projects", name="Project")
    people = sorted(
        world.storyteller(f"Person {n}", organisation_id=organisation, show_organisation=n > 0)
        for n in range(5)
    )
    for person in people:
        story = world.story(person)
        interview = world.interview(story, person)
        for n in range(4):
            theme = world.row("themes", name=f"Theme {n}")
            world.row("interview_themes", interview_id=interview, theme_id=theme, position=n + 1)
        for n, featured in enumerate((False, True)):
            world.row("quotes", quote=f"Quote {n}", storyteller_id=person, story_id=story, featured=featured)
    world.do("update storytellers set project_id = %s where id = %s", project, people[2])
    assert [card["id"] for card in cards(world)] == [str(person) for person in people[:3]]
    assert [card["id"] for card in cards(world, after=people[2])] == [str(person) for person in people[3:]]
    assert [card["id"] for card in cards(world, project=project)] == [str(people[2])]
    # One of the five does not show where they belong: being found by it would tell.
    assert len(cards(world, organisation=organisation, size=100)) == 4
    (card,) = cards(world, project=project)
    assert (card["themes"], card["quote"]) == (["Theme 0", "Theme 1", "Theme 2"], "Quote 1")
    world.do("update consents set state = 'withdrawn' where purpose = 'ai_analysis'")
    assert cards(world, project=project)[0]["themes"] == []


def test_a_person_without_a_story_to_see_has_no_card(world: World) -> None:
    world.story(world.storyteller(privacy="private"))
    assert cards(world) == []
    assert world.ask(SERVICE, None, "select public.storyteller_cards()") == []
