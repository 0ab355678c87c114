"""What people said: given, withdrawn, expired, gone, moved, and for one story or all."""

from __future__ import annotations

from dataclasses import replace

from tests.consent.cases.base import case
from tests.consent.hand import Hand
from tests.consent.world import Consent

GIVEN, WITHDRAWN = Consent(), Consent("withdrawn")


@case
def consent_becomes_another_purpose_s_and_the_row_s_id_too(h: Hand) -> None:
    h.no_consent((1, "commercial_use", None, "form"))
    h.moved_consent((1, "public_sharing", None, "form"), (1, "commercial_use", None, "form"), new_id=True)


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
