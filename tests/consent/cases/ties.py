"""Whose story it is: authors, speakers, interviews, and every way in which they come and go."""

from __future__ import annotations

from tests.consent.cases.base import case, change_person
from tests.consent.hand import Hand
from tests.consent.world import Consent, Person, Story

WITHDRAWN = Consent("withdrawn")


@case
def another_author(h: Hand) -> None:
    h.tie("authorship", 1, 2)


@case
def another_author_who_does_not_consent(h: Hand) -> None:
    h.no_consent((2, "public_sharing", None, "form"))
    h.tie("authorship", 1, 2)


@case
def another_author_who_limits(h: Hand) -> None:
    change_person(h, 2, privacy="community")
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
    change_person(h, 3, privacy="private")
    h.tie("story_interviews", 1, 1)
    h.tie("interview_storytellers", 1, 3)
    h.untie("interview_storytellers", 1, 3)


@case
def an_interview_of_one_who_limits_goes(h: Hand) -> None:
    change_person(h, 3, privacy="private")
    h.tie("interview_storytellers", 1, 3)
    h.tie("story_interviews", 1, 1)
    h.untie("story_interviews", 1, 1)


@case
def a_speaker_is_replaced(h: Hand) -> None:
    change_person(h, 3, privacy="private")
    h.tie("interview_storytellers", 1, 2)
    h.tie("story_interviews", 1, 1)
    h.retie("interview_storytellers", (1, 2), (1, 3))


@case
def a_speaker_moves_to_another_interview(h: Hand) -> None:
    change_person(h, 3, privacy="private")
    h.tie("interview_storytellers", 1, 3)
    h.tie("story_interviews", 1, 1)
    h.retie("interview_storytellers", (1, 3), (2, 3))


@case
def an_interview_is_replaced(h: Hand) -> None:
    change_person(h, 3, privacy="private")
    h.tie("interview_storytellers", 2, 3)
    h.tie("story_interviews", 1, 1)
    h.retie("story_interviews", (1, 1), (1, 2))


@case
def an_interview_moves_to_another_story(h: Hand) -> None:
    change_person(h, 3, privacy="private")
    h.tie("interview_storytellers", 1, 3)
    h.tie("story_interviews", 1, 1)
    h.retie("story_interviews", (1, 1), (2, 1))


@case
def all_speakers_are_truncated(h: Hand) -> None:
    change_person(h, 3, privacy="private")
    h.tie("interview_storytellers", 1, 3)
    h.tie("story_interviews", 1, 1)
    h.truncate("interview_storytellers")


@case
def all_interviews_of_stories_are_truncated(h: Hand) -> None:
    change_person(h, 3, privacy="private")
    h.tie("interview_storytellers", 1, 3)
    h.tie("story_interviews", 1, 1)
    h.truncate("story_interviews")


@case
def a_story_of_a_speaker_alone(h: Hand) -> None:
    h.tie("interview_storytellers", 1, 1)
    h.tie("story_interviews", 1, 1)
    h.untie("authorship", 1, 1)
