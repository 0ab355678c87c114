"""One small change of the open world for each ingredient of the rule: what a mutated rule or trigger must fail.

What belongs here: changes that matter, by name. What does not: what follows from them (the oracle knows).

Invariants: each case starts from ``open_world`` and is judged after it; a case that changes nothing that anybody sees
is no case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.consent.hand import Hand
from tests.consent.world import (
    PEOPLE,
    PRIVACIES,
    PURPOSES,
    REVIEWS,
    STATUSES,
    Consent,
    Person,
    Protocol,
    Story,
)

Case = Callable[[Hand], None]
CASES: dict[str, Case] = {}
SINGLE: list[str] = []
"""The cases that are not one of a family."""
GIVEN, WITHDRAWN = Consent(), Consent("withdrawn")
LIMITED = PRIVACIES[1:]


def case(made: Case) -> Case:
    """Name a case by its function."""
    name = made.__name__.replace("_", " ")
    CASES[name] = made
    SINGLE.append(name)
    return made


def _add(name: str, made: Case) -> None:
    CASES[name] = made


def _story(h: Hand, **changes: object) -> None:
    h.story(1, replace(h.world.stories[1], **changes))  # type: ignore[arg-type]


def _person(h: Hand, n: int = 1, **changes: object) -> None:
    h.person(n, replace(h.world.people[n], **changes))  # type: ignore[arg-type]


for _privacy in LIMITED:
    _add(f"a story is {_privacy}", lambda h, p=_privacy: _story(h, privacy=p))
    _add(f"a person is {_privacy}", lambda h, p=_privacy: _person(h, privacy=p))
    _add(f"a strict protocol is {_privacy}", lambda h, p=_privacy: h.protocol(1, Protocol(privacy=p)))
    for _other in LIMITED:
        _add(
            f"a {_privacy} story of a {_other} person",
            lambda h, p=_privacy, o=_other: (_story(h, privacy=p), _person(h, privacy=o)),
        )
for _status in STATUSES:
    _add(f"a story is {_status}", lambda h, s=_status: _story(h, status=s))
for _state in REVIEWS:
    _add(f"a review is {_state}", lambda h, s=_state: h.review(1, s))
    _add(f"a demanded review is {_state}", lambda h, s=_state: (_story(h, review=True), h.review(1, s)))
    _add(
        f"a sensitive story's review is {_state}",
        lambda h, s=_state: (_story(h, sensitivity="sensitive"), h.review(1, s)),
    )
    _add(
        f"a sacred story's review is {_state}",
        lambda h, s=_state: (_story(h, sensitivity="sacred"), h.review(1, s)),
    )
    _add(
        f"a required protocol and a review that is {_state}",
        lambda h, s=_state: (h.protocol(1, Protocol(enforcement="required")), h.review(1, s)),
    )
    _add(
        f"the review of a gone story is {_state}", lambda h, s=_state: (_story(h, gone=True), h.review(1, s))
    )
for _purpose in PURPOSES:
    for _circle in PRIVACIES:
        for _dead in (False, True):
            _add(
                f"{_purpose} is withdrawn of a {_circle} story{' of the dead' if _dead else ''}",
                lambda h, p=_purpose, c=_circle, d=_dead: (
                    _story(h, privacy=c),
                    _person(h, deceased=d),
                    h.consent((1, p, None, "form"), WITHDRAWN),
                ),
            )


def _needing(h: Hand, purpose: str) -> None:
    """A story that needs this purpose, told by persons 1 and 3."""
    circle = purpose.removesuffix("_sharing") if purpose.endswith("_sharing") else "public"
    _story(h, privacy=circle)
    for n in (1, 3):
        _person(h, n, deceased=purpose == "posthumous")
    h.tie("authorship", 1, 3)


for _purpose in PURPOSES:
    _add(
        f"{_purpose} is withdrawn beside what was given",
        lambda h, p=_purpose: (_needing(h, p), h.consent((3, p, None, "airtable"), WITHDRAWN)),
    )
    _add(
        f"one of two has not given {_purpose}",
        lambda h, p=_purpose: (_needing(h, p), h.no_consent((3, p, None, "form"))),
    )


@case
def two_limits_at_once(h: Hand) -> None:
    _story(h, privacy="community")
    _person(h, privacy="organisation")


@case
def two_limits_and_one_consent_less(h: Hand) -> None:
    two_limits_at_once(h)
    h.no_consent((1, "organisation_sharing", None, "form"))


@case
def a_person_is_sensitive(h: Hand) -> None:
    _person(h, sensitive=True)


@case
def a_review_is_demanded(h: Hand) -> None:
    _story(h, review=True)


@case
def a_story_is_sensitive(h: Hand) -> None:
    _story(h, sensitivity="sensitive")


@case
def a_story_has_gone_from_the_base(h: Hand) -> None:
    _story(h, gone=True)


@case
def a_story_of_nobody(h: Hand) -> None:
    h.untie("authorship", 1, 1)


@case
def a_story_of_no_community(h: Hand) -> None:
    _story(h, privacy="community", community=None)


@case
def a_story_of_another_community(h: Hand) -> None:
    _story(h, privacy="community", community=2)


@case
def a_story_of_no_organisation(h: Hand) -> None:
    _story(h, privacy="organisation", organisation=None)


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
    _story(h, community=2)


@case
def another_author(h: Hand) -> None:
    h.tie("authorship", 1, 2)


@case
def another_author_who_does_not_consent(h: Hand) -> None:
    h.no_consent((2, "public_sharing", None, "form"))
    h.tie("authorship", 1, 2)


@case
def another_author_who_limits(h: Hand) -> None:
    _person(h, 2, privacy="community")
    h.tie("authorship", 1, 2)


@case
def an_author_who_limits_goes(h: Hand) -> None:
    another_author_who_limits(h)
    h.untie("authorship", 1, 2)


@case
def an_author_is_replaced(h: Hand) -> None:
    h.no_consent((3, "public_sharing", None, "form"))
    h.retie("authorship", (1, 1), (1, 3))


@case
def an_author_is_replaced_and_the_row_s_id_too(h: Hand) -> None:
    h.no_consent((3, "public_sharing", None, "form"))
    h.retie("authorship", (1, 1), (1, 3), new_id=True)


@case
def consent_becomes_another_purpose_s_and_the_row_s_id_too(h: Hand) -> None:
    h.no_consent((1, "commercial_use", None, "form"))
    h.moved_consent((1, "public_sharing", None, "form"), (1, "commercial_use", None, "form"), new_id=True)


@case
def a_story_is_written_after_its_author(h: Hand) -> None:
    h.no_story(1)
    h.run("set constraints all deferred")
    h.tie("authorship", 1, 1)
    h.story(1, Story())


@case
def a_person_is_written_after_the_authorship(h: Hand) -> None:
    h.no_person(3)
    h.run("set constraints all deferred")
    h.tie("authorship", 1, 3)
    h.person(3, Person())


@case
def a_person_is_deleted(h: Hand) -> None:
    h.tie("authorship", 1, 3)
    h.no_person(3)


@case
def a_person_dies(h: Hand) -> None:
    h.no_consent((1, "posthumous", None, "form"))
    _person(h, deceased=True)


@case
def an_authorship_moves_to_another_story(h: Hand) -> None:
    h.retie("authorship", (1, 1), (2, 1))


@case
def all_authors_are_truncated(h: Hand) -> None:
    h.truncate("authorship")


@case
def an_interview_with_somebody_who_does_not_consent(h: Hand) -> None:
    h.no_consent((3, "public_sharing", None, "form"))
    h.tie("interview_storytellers", 1, 3)
    h.tie("story_interviews", 1, 1)


@case
def somebody_who_does_not_consent_is_found_to_speak(h: Hand) -> None:
    h.no_consent((3, "public_sharing", None, "form"))
    h.tie("story_interviews", 1, 1)
    h.tie("interview_storytellers", 1, 3)


@case
def a_speaker_withdraws(h: Hand) -> None:
    h.tie("story_interviews", 1, 1)
    h.tie("interview_storytellers", 1, 3)
    h.consent((3, "public_sharing", None, "form"), WITHDRAWN)


@case
def a_speaker_who_limits_goes(h: Hand) -> None:
    _person(h, 3, privacy="private")
    h.tie("story_interviews", 1, 1)
    h.tie("interview_storytellers", 1, 3)
    h.untie("interview_storytellers", 1, 3)


@case
def an_interview_of_one_who_limits_goes(h: Hand) -> None:
    _person(h, 3, privacy="private")
    h.tie("interview_storytellers", 1, 3)
    h.tie("story_interviews", 1, 1)
    h.untie("story_interviews", 1, 1)


@case
def a_speaker_is_replaced(h: Hand) -> None:
    _person(h, 3, privacy="private")
    h.tie("interview_storytellers", 1, 2)
    h.tie("story_interviews", 1, 1)
    h.retie("interview_storytellers", (1, 2), (1, 3))


@case
def a_speaker_moves_to_another_interview(h: Hand) -> None:
    _person(h, 3, privacy="private")
    h.tie("interview_storytellers", 1, 3)
    h.tie("story_interviews", 1, 1)
    h.retie("interview_storytellers", (1, 3), (2, 3))


@case
def an_interview_is_replaced(h: Hand) -> None:
    _person(h, 3, privacy="private")
    h.tie("interview_storytellers", 2, 3)
    h.tie("story_interviews", 1, 1)
    h.retie("story_interviews", (1, 1), (1, 2))


@case
def an_interview_moves_to_another_story(h: Hand) -> None:
    _person(h, 3, privacy="private")
    h.tie("interview_storytellers", 1, 3)
    h.tie("story_interviews", 1, 1)
    h.retie("story_interviews", (1, 1), (2, 1))


@case
def all_speakers_are_truncated(h: Hand) -> None:
    _person(h, 3, privacy="private")
    h.tie("interview_storytellers", 1, 3)
    h.tie("story_interviews", 1, 1)
    h.truncate("interview_storytellers")


@case
def all_interviews_of_stories_are_truncated(h: Hand) -> None:
    _person(h, 3, privacy="private")
    h.tie("interview_storytellers", 1, 3)
    h.tie("story_interviews", 1, 1)
    h.truncate("story_interviews")


@case
def a_story_of_a_speaker_alone(h: Hand) -> None:
    h.tie("interview_storytellers", 1, 1)
    h.tie("story_interviews", 1, 1)
    h.untie("authorship", 1, 1)


@case
def themes_of_an_open_story(h: Hand) -> None:
    h.tie("story_interviews", 1, 1)


@case
def themes_without_consent_to_analysis(h: Hand) -> None:
    h.tie("story_interviews", 1, 1)
    h.no_consent((1, "ai_analysis", None, "form"))


@case
def consent_deleted(h: Hand) -> None:
    h.no_consent((1, "public_sharing", None, "form"))


@case
def consent_given_again(h: Hand) -> None:
    h.consent((1, "public_sharing", None, "form"), WITHDRAWN)
    h.consent((1, "public_sharing", None, "form"), GIVEN)


@case
def consent_for_this_story_alone(h: Hand) -> None:
    h.no_consent((1, "public_sharing", None, "form"))
    h.consent((1, "public_sharing", 1, "form"), GIVEN)


@case
def consent_for_another_story(h: Hand) -> None:
    h.no_consent((1, "public_sharing", None, "form"))
    h.consent((1, "public_sharing", 2, "form"), GIVEN)


@case
def consent_withdrawn_for_this_story_alone(h: Hand) -> None:
    h.tie("authorship", 2, 1)
    h.consent((1, "public_sharing", 1, "form"), WITHDRAWN)


@case
def consent_withdrawn_beside_the_base_s_evidence(h: Hand) -> None:
    h.consent((1, "public_sharing", None, "airtable"), GIVEN)
    h.consent((1, "public_sharing", None, "form"), WITHDRAWN)


@case
def a_withdrawal_that_has_gone_from_the_base_still_counts(h: Hand) -> None:
    h.consent((1, "public_sharing", None, "airtable"), replace(WITHDRAWN, gone=True))


@case
def evidence_that_has_gone_from_the_base(h: Hand) -> None:
    h.consent((1, "public_sharing", None, "airtable"), GIVEN)
    h.no_consent((1, "public_sharing", None, "form"))
    h.consent((1, "public_sharing", None, "airtable"), Consent(gone=True))


@case
def consent_expired(h: Hand) -> None:
    h.consent((1, "public_sharing", None, "form"), Consent(expires=-1))


@case
def consent_that_ends_now(h: Hand) -> None:
    h.consent((1, "public_sharing", None, "form"), Consent(expires=0))


@case
def consent_that_will_expire(h: Hand) -> None:
    h.consent((1, "public_sharing", None, "form"), Consent(expires=1))


@case
def two_consents_and_the_longer_holds(h: Hand) -> None:
    h.consent((1, "public_sharing", None, "form"), Consent(expires=-1))
    h.consent((1, "public_sharing", None, "airtable"), Consent(expires=1))


@case
def consent_to_analysis_expired(h: Hand) -> None:
    h.consent((1, "ai_analysis", None, "form"), Consent(expires=-1))


@case
def consent_to_sharing_expired_and_analysis_not(h: Hand) -> None:
    h.consent((1, "public_sharing", None, "form"), Consent(expires=-1))


@case
def consent_becomes_another_purpose_s(h: Hand) -> None:
    h.no_consent((1, "commercial_use", None, "form"))
    h.moved_consent((1, "public_sharing", None, "form"), (1, "commercial_use", None, "form"))


@case
def consent_becomes_another_person_s(h: Hand) -> None:
    h.no_consent((3, "public_sharing", None, "form"))
    h.moved_consent((1, "public_sharing", None, "form"), (3, "public_sharing", None, "form"))


@case
def consent_becomes_one_story_s(h: Hand) -> None:
    h.moved_consent((1, "public_sharing", None, "form"), (1, "public_sharing", 2, "form"))


@case
def all_consents_are_truncated(h: Hand) -> None:
    h.truncate("consents")


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
def elders_read_what_waits_while_its_people_let_them(h: Hand) -> None:
    _story(h, status="pending_approval", community=1)
    h.member("account-4", 1, "elder", True)
    h.review(1, "pending")
    h.no_consent((1, "community_sharing", None, "form"))


@case
def elders_read_the_story_of_the_dead_only_posthumously(h: Hand) -> None:
    _story(h, status="pending_approval")
    _person(h, deceased=True)
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
    _story(h, privacy="community")


@case
def a_guest(h: Hand) -> None:
    h.member("account-3", 1, "guest", True)
    _story(h, privacy="community")


@case
def an_insight_from_stories_of_members_only(h: Hand) -> None:
    _story(h, privacy="community")


@case
def an_insight_from_stories_of_an_organisation_only(h: Hand) -> None:
    _story(h, privacy="organisation")
    h.member("account-2", 1, "member", True)


@case
def an_insight_whose_story_went_to_another_community(h: Hand) -> None:
    _story(h, community=2)


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
    _story(h, review=True)
    h.review(1, "approved")
    h.words(1)
