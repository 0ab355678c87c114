"""What is said of a community stands on three validated stories whose people all consent to analysis."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.schema.world import SERVICE, World

ONE = "(select storyteller_id from authorship limit 1)"
WITHDRAWAL = """
insert into consents (storyteller_id, story_id, purpose, state, evidence_kind)
select storyteller_id, story_id, 'ai_analysis', 'withdrawn', 'app' from authorship limit 1
"""


def told(world: World, community: UUID, number: int = 3, validated: int | None = None) -> list[UUID]:
    """Stories of the community, each of another person, some of them with a validated analysis."""
    stories = []
    for n in range(number):
        story = world.story(world.storyteller(f"Person {n}"), community_id=community)
        at = "2026-01-01" if n < (number if validated is None else validated) else None
        world.row("story_analysis", story_id=story, kind="themes", result={"a": n}, validated_at=at)
        stories.append(story)
    return stories


def say(world: World, community: UUID, stories: list[UUID], **columns: Any) -> UUID:
    """An insight written as the service role writes it, in one transaction."""
    with world.session(SERVICE) as conn:
        row = conn.execute(
            "insert into public.community_insights (community_id, kind, result, is_public) "
            "values (%s, 'themes', '{}', true) returning id",
            (community,),
        ).fetchone()
        assert row is not None
        for story in stories:
            conn.execute(
                "insert into public.community_insight_stories (insight_id, story_id) values (%s, %s)",
                (row["id"], story),
            )
    return UUID(str(row["id"]))


def standing(world: World) -> int:
    return int(world.ask("anon", None, "select count(*) from public.community_insights"))


def test_three_validated_stories_are_enough(world: World) -> None:
    community = world.community()
    say(world, community, told(world, community))
    assert standing(world) == 1


@pytest.mark.parametrize(("number", "validated"), [(0, 0), (2, 2), (3, 2)])
def test_fewer_are_refused(world: World, number: int, validated: int) -> None:
    community = world.community()
    with pytest.raises(psycopg.errors.CheckViolation, match="at least three validated stories"):
        say(world, community, told(world, community, number, validated))


def test_stories_of_another_community_do_not_count(world: World) -> None:
    community, other = world.community(), world.community("other")
    with pytest.raises(psycopg.errors.CheckViolation, match="of its community"):
        say(world, community, told(world, other))


def test_its_stories_cannot_be_taken_from_under_it(world: World) -> None:
    community = world.community()
    stories = told(world, community)
    say(world, community, stories)
    for statement in (
        "delete from public.community_insight_stories where story_id = %s",
        "update public.community_insight_stories set story_id = gen_random_uuid() where story_id = %s",
    ):
        with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.ForeignKeyViolation)):
            world.do(statement, stories[0])
    world.do("delete from authorship where story_id = %s", stories[0])
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        world.do("delete from public.stories where id = %s", stories[0])


@pytest.mark.parametrize(
    "change",
    [
        WITHDRAWAL,
        "update consents set expires_at = now() where purpose = 'ai_analysis'",
        "delete from consents where purpose = 'ai_analysis'",
        f"update consents set state = 'withdrawn' where purpose = 'public_sharing' and storyteller_id = {ONE}",
        "update story_analysis set validated_at = null where story_id = (select story_id from authorship limit 1)",
        "update stories set community_id = null where id = (select story_id from authorship limit 1)",
    ],
)
def test_it_falls_with_one_of_its_stories(world: World, change: str) -> None:
    community = world.community()
    say(world, community, told(world, community, 4))
    world.do(change)
    assert standing(world) == 0
    assert world.ask("anon", None, "select public.community_view(%s) -> 'insights'", community) == []


def test_validating_is_for_the_storyteller_and_the_elders(world: World) -> None:
    community, teller, elder, member = world.community(), *(world.account() for _ in range(3))
    world.member(community, elder, "elder")
    world.member(community, member, "member")
    story = world.story(world.storyteller(account=teller), community_id=community)
    analysis = world.row("story_analysis", story_id=story, kind="themes", result={})
    query = "select public.validate_analysis(%s, %s)"
    for account in (teller, elder):
        assert world.ask("authenticated", account, query, analysis, True) is True
        assert world.one("select validated_by from story_analysis") == account
        assert world.ask("authenticated", account, query, analysis, False) is False
        assert world.one("select num_nonnulls(validated_at, validated_by) from story_analysis") == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="not yours to validate"):
        world.ask("authenticated", member, query, analysis, True)
    world.do("update consents set state = 'withdrawn' where purpose = 'ai_analysis'")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="not yours to validate"):
        world.ask("authenticated", elder, query, analysis, True)
