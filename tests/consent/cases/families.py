"""Every value of every choice, and every purpose in every circle."""

from __future__ import annotations

from tests.consent.cases.base import Case, change_person, change_story, family
from tests.consent.hand import Hand
from tests.consent.world import PRIVACIES, PURPOSES, REVIEWS, STATUSES, Consent, Protocol

WITHDRAWN = Consent("withdrawn")
LIMITED = PRIVACIES[1:]


def story(**changes: object) -> Case:
    """Story 1 is changed."""
    return lambda h: change_story(h, **changes)


def person(n: int = 1, **changes: object) -> Case:
    """A person is changed."""
    return lambda h: change_person(h, n, **changes)


def protocol(**what: object) -> Case:
    """Community 1 has a protocol."""
    return lambda h: h.protocol(1, Protocol(**what))  # type: ignore[arg-type]  # values of many types


def review(state: str) -> Case:
    """Story 1 is in the elders' queue."""
    return lambda h: h.review(1, state)


def withdraws(n: int, purpose: str, evidence: str = "form") -> Case:
    """A person withdraws for all stories."""
    return lambda h: h.consent((n, purpose, None, evidence), WITHDRAWN)


def never_gave(n: int, purpose: str) -> Case:
    """A person has said nothing of it."""
    return lambda h: h.no_consent((n, purpose, None, "form"))


def needing(purpose: str) -> Case:
    """A story that needs this purpose, told by persons 1 and 3."""

    def made(h: Hand) -> None:
        shared = purpose.endswith("_sharing")
        change_story(h, privacy=purpose.removesuffix("_sharing") if shared else "public")
        for n in (1, 3):
            change_person(h, n, deceased=purpose == "posthumous")
        h.tie("authorship", 1, 3)

    return made


for one in LIMITED:
    family(f"a story is {one}", story(privacy=one))
    family(f"a person is {one}", person(privacy=one))
    family(f"a strict protocol is {one}", protocol(privacy=one))
    for other in LIMITED:
        family(f"a {one} story of a {other} person", story(privacy=one), person(privacy=other))
for status in STATUSES:
    family(f"a story is {status}", story(status=status))
for state in REVIEWS:
    family(f"a review is {state}", review(state))
    family(f"a demanded review is {state}", story(review=True), review(state))
    family(f"a sensitive story's review is {state}", story(sensitivity="sensitive"), review(state))
    family(f"a sacred story's review is {state}", story(sensitivity="sacred"), review(state))
    family(
        f"a required protocol and a review that is {state}", protocol(enforcement="required"), review(state)
    )
    family(f"the review of a gone story is {state}", story(gone=True), review(state))
for purpose in PURPOSES:
    for one in PRIVACIES:
        for dead in (False, True):
            family(
                f"{purpose} is withdrawn of a {one} story{' of the dead' if dead else ''}",
                story(privacy=one),
                person(deceased=dead),
                withdraws(1, purpose),
            )
    family(
        f"{purpose} is withdrawn beside what was given", needing(purpose), withdraws(3, purpose, "airtable")
    )
    family(f"one of two has not given {purpose}", needing(purpose), never_gave(3, purpose))
