"""What limits a story: its own privacy, its people, protocols, reviews, its state."""

from __future__ import annotations

from tests.consent.cases.base import case, change_person, change_story
from tests.consent.hand import Hand
from tests.consent.world import PEOPLE, Consent, Person, Protocol, Story

GIVEN = Consent()


@case
def two_limits_at_once(h: Hand) -> None:
    change_story(h, privacy="community")
    change_person(h, privacy="organisation")


@case
def two_limits_and_one_consent_less(h: Hand) -> None:
    two_limits_at_once(h)
    h.no_consent((1, "organisation_sharing", None, "form"))


@case
def a_person_is_sensitive(h: Hand) -> None:
    change_person(h, sensitive=True)


@case
def a_review_is_demanded(h: Hand) -> None:
    change_story(h, review=True)


@case
def a_story_is_sensitive(h: Hand) -> None:
    change_story(h, sensitivity="sensitive")


@case
def a_story_has_gone_from_the_base(h: Hand) -> None:
    change_story(h, gone=True)


@case
def a_story_of_nobody(h: Hand) -> None:
    h.untie("authorship", 1, 1)


@case
def a_story_of_no_community(h: Hand) -> None:
    change_story(h, privacy="community", community=None)


@case
def a_story_of_another_community(h: Hand) -> None:
    change_story(h, privacy="community", community=2)


@case
def a_story_of_no_organisation(h: Hand) -> None:
    change_story(h, privacy="organisation", organisation=None)


@case
def a_protocol_demands_review(h: Hand) -> None:
    h.protocol(1, Protocol(enforcement="required", privacy="public"))


@case
def a_protocol_advises(h: Hand) -> None:
    h.protocol(1, Protocol(enforcement="advisory", privacy="private"))


@case
def a_required_protocol_does_not_limit(h: Hand) -> None:
    h.protocol(1, Protocol(enforcement="required", privacy="private"))
    h.review(1, "approved")


@case
def a_protocol_is_not_in_force(h: Hand) -> None:
    h.protocol(1, Protocol(privacy="private", active=False))


@case
def a_protocol_of_another_community(h: Hand) -> None:
    h.protocol(1, Protocol(community=2, privacy="private"))


@case
def a_protocol_comes_and_goes(h: Hand) -> None:
    h.protocol(1, Protocol(privacy="private"))
    h.no_protocol(1)


@case
def a_protocol_comes_into_force(h: Hand) -> None:
    h.protocol(1, Protocol(privacy="private", active=False))
    h.protocol(1, Protocol(privacy="private"))


@case
def a_protocol_becomes_strict(h: Hand) -> None:
    h.protocol(1, Protocol(enforcement="advisory"))
    h.protocol(1, Protocol(enforcement="strict"))


@case
def a_protocol_becomes_closer(h: Hand) -> None:
    h.protocol(1, Protocol(privacy="public"))
    h.protocol(1, Protocol(privacy="private"))


@case
def a_protocol_moves_to_another_community(h: Hand) -> None:
    h.protocol(1, Protocol())
    h.protocol(1, Protocol(community=2))


@case
def all_protocols_are_truncated(h: Hand) -> None:
    h.protocol(1, Protocol())
    h.truncate("cultural_protocols")


@case
def a_story_moves_under_a_protocol(h: Hand) -> None:
    h.protocol(1, Protocol(community=2, privacy="private"))
    change_story(h, community=2)


@case
def a_person_dies(h: Hand) -> None:
    h.no_consent((1, "posthumous", None, "form"))
    change_person(h, deceased=True)


@case
def a_review_is_withdrawn(h: Hand) -> None:
    h.review(1, "pending")
    h.no_review(1)


@case
def a_review_becomes_another_story_s(h: Hand) -> None:
    h.review(1, "pending")
    h.moved_review(1, 2)


@case
def all_reviews_are_truncated(h: Hand) -> None:
    h.review(1, "rejected")
    h.truncate("elder_review_queue")


@case
def a_story_deleted(h: Hand) -> None:
    h.consent((1, "public_sharing", 1, "form"), GIVEN)
    h.review(1, "approved")
    h.no_story(1)


@case
def a_story_deleted_and_made_anew(h: Hand) -> None:
    h.no_story(1)
    h.story(1, Story())
    h.tie("authorship", 1, 1)


@case
def all_people_at_once(h: Hand) -> None:
    for n in PEOPLE:
        h.person(n, Person(privacy="community", sensitive=True, deceased=True, account="account-1"))


@case
def the_words_of_an_approved_story_change(h: Hand) -> None:
    change_story(h, review=True)
    h.review(1, "approved")
    h.words(1)
