"""Who reads: elders with something to decide, guests, and insights made from several stories."""

from __future__ import annotations

from tests.consent.cases.base import case, change_person, change_story
from tests.consent.hand import Hand


@case
def elders_read_what_waits_while_its_people_let_them(h: Hand) -> None:
    change_story(h, status="pending_approval", community=1)
    h.member("account-4", 1, "elder", True)
    h.review(1, "pending")
    h.no_consent((1, "community_sharing", None, "form"))


@case
def elders_read_the_story_of_the_dead_only_posthumously(h: Hand) -> None:
    change_story(h, status="pending_approval")
    change_person(h, deceased=True)
    h.review(1, "pending")
    h.no_consent((1, "posthumous", None, "form"))


@case
def elders_of_another_community(h: Hand) -> None:
    h.member("account-4", 2, "elder", True)
    h.member("account-4", 1, "member", True)
    h.review(1, "pending")


@case
def a_member_who_is_not_approved(h: Hand) -> None:
    h.member("account-3", 1, "member", False)
    change_story(h, privacy="community")


@case
def a_guest(h: Hand) -> None:
    h.member("account-3", 1, "guest", True)
    change_story(h, privacy="community")


@case
def an_insight_from_stories_of_members_only(h: Hand) -> None:
    change_story(h, privacy="community")


@case
def an_insight_from_stories_of_an_organisation_only(h: Hand) -> None:
    change_story(h, privacy="organisation")
    h.member("account-2", 1, "member", True)


@case
def an_insight_whose_story_went_to_another_community(h: Hand) -> None:
    change_story(h, community=2)
