"""Accounts that are deleted, by the role that the platform deletes them with."""

from __future__ import annotations

from uuid import UUID

from tests.schema.full import fill
from tests.schema.telling import interview_of, person_of, request, story_of, whole_person
from tests.schema.world import AUTH_ADMIN, World, places_of

WORD, OTHER, NAME = "zyzzyva", "quokka", "wombat"


def delete(world: World, account: UUID) -> None:
    with world.session(AUTH_ADMIN) as conn:
        assert conn.execute("delete from auth.users where id = %s", (account,)).rowcount == 1


def test_without_a_request_the_stories_stay_with_the_storyteller(world: World) -> None:
    account = world.account(NAME)
    person, story = whole_person(world, WORD, account)
    before = places_of(world, WORD)
    delete(world, account)
    assert places_of(world, WORD) == before
    assert world.all("select id, profile_id from storytellers") == [(person, None)]
    assert world.all("select storyteller_id from authorship where story_id = %s", story) == [(person,)]
    assert world.one("select eff_limits from stories where id = %s", story) == 0


def test_the_accounts_own_words_go_with_it(world: World) -> None:
    account, other = world.account(NAME), world.account("Other")
    world.do("update profiles set bio = %s where id = %s", NAME, account)
    story = world.story(world.storyteller(account=account))
    for profile, body in ((account, NAME), (other, OTHER)):
        world.row("story_comments", story_id=story, profile_id=profile, body=body)
    gone = world.row("story_comments", story_id=story, profile_id=account, body=f"{NAME}, deleted before")
    world.do("delete from story_comments where id = %s", gone)
    request(world, "account", requested_by=account, reason=f"{NAME} leaves")
    delete(world, account)
    assert places_of(world, NAME) == []
    assert world.all("select body from story_comments") == [(OTHER,)]
    assert world.all("select state from erasure_requests") == [("done",)]
    lines = world.all(
        "select action, session from audit.log where table_name = 'profiles' and row_id = %s", str(account)
    )
    assert lines == [("insert", "postgres"), ("update", "postgres"), ("delete", AUTH_ADMIN)]


def test_with_a_storytellers_request_no_word_is_left(world: World) -> None:
    account = world.account(NAME)
    person, _ = whole_person(world, WORD, account)
    whole_person(world, OTHER)
    places = places_of(world, OTHER)
    request(world, "storyteller", storyteller_id=person, requested_by=account, reason=WORD)
    delete(world, account)
    assert places_of(world, WORD) == places_of(world, NAME) == []
    assert places_of(world, OTHER) == places
    assert world.one("select count(*) from migration.erasures") == 5
    assert world.one("select count(*) from audit.log where action = 'erase' and session = %s", AUTH_ADMIN) > 5
    assert world.all("select state, requested_by from erasure_requests") == [("done", account)]


def test_with_a_storys_request_that_story_goes(world: World) -> None:
    account = world.account()
    person = person_of(world, "aa", account)
    kept, going = story_of(world, OTHER, person), story_of(world, WORD, person)
    request(world, "story", story_id=going, requested_by=account)
    delete(world, account)
    assert places_of(world, WORD) == []
    assert world.all("select id from stories") == [(kept,)]
    assert world.all("select profile_id from storytellers") == [(None,)]


def test_requests_that_overlap_are_done_together(world: World) -> None:
    account = world.account()
    person, story = whole_person(world, WORD, account)
    request(world, "storyteller", storyteller_id=person, requested_by=account)
    request(world, "story", story_id=story, requested_by=account)
    request(world, "account", requested_by=account)
    delete(world, account)
    assert places_of(world, WORD) == []
    assert world.all("select distinct state from erasure_requests") == [("done",)]


def test_a_request_for_what_is_no_longer_theirs_waits_for_a_person(world: World) -> None:
    account = world.account()
    person, story = whole_person(world, WORD, account)
    request(world, "storyteller", storyteller_id=person, requested_by=account)
    request(world, "story", story_id=story, requested_by=account)
    world.do("update storytellers set profile_id = %s", world.account("The right one"))
    delete(world, account)
    assert world.one("select title from stories where id = %s", story) == WORD
    assert world.all("select distinct state from erasure_requests") == [("requested",)]


def test_a_story_told_with_others_is_closed_and_kept(world: World) -> None:
    account = world.account()
    person, other = person_of(world, WORD, account), world.storyteller("Other")
    story = story_of(world, OTHER, person, other)
    interview_of(world, OTHER, story, other, person)
    request(world, "storyteller", storyteller_id=person, requested_by=account)
    delete(world, account)
    assert places_of(world, WORD) == []
    assert world.all("select title, status, eff_limits from stories") == [(OTHER, "archived", 4)]
    assert world.one("select count(*) from interviews") == 1


def test_every_account_of_a_full_world_can_be_deleted(world: World) -> None:
    """Elders, reviewers, members, those who asked, confirmed or validated: their acts stay, their names go."""
    made = fill(world)
    other = made["other"]
    for statement in (
        "update elder_review_queue set reviewer_id = %s",
        "update community_members set approved_by = %s",
        "update organisation_members set invited_by = %s",
        "update project_members set added_by = %s",
        "update cultural_protocols set created_by = %s",
        "update storyteller_claims set claimed_by = %s, claimed_at = now(), confirmed_by = claimed_by",
        "update story_analysis set validated_by = %s",
        "update consents set recorded_by = %s",
        "update organisation_api_keys set created_by = %s",
    ):
        world.do(statement, other)
    world.do("insert into story_views (story_id, viewer_id) values (%s, %s)", made["story"], other)
    world.row("story_reactions", story_id=made["story"], profile_id=other, kind="heart")
    world.do("insert into claim_attempts (profile_id) values (%s)", other)
    for account in (other, made["account"]):
        delete(world, account)
    assert world.one("select count(*) from profiles") == 0
    assert world.one("select count(*) from stories") == 3
    assert world.one("select count(*) from story_analysis where validated_at is not null") == 3
    assert world.one("select count(*) from story_views") == 1
