"""A small world of people, stories and consents as plain data, and how each thing in it is named in Postgres.

What belongs here: the data that the oracle judges and that ``hand`` writes. What does not: any rule.

Invariants: three people, two interviews, two communities, two organisations and four accounts always exist; stories,
consents, protocols, reviews and ties come and go. Accounts 1 and 2 have claimed people 1 and 2.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

PURPOSES = (
    "public_sharing",
    "community_sharing",
    "organisation_sharing",
    "ai_analysis",
    "commercial_use",
    "posthumous",
)
PRIVACIES = ("public", "community", "organisation", "private")
STATUSES = ("draft", "pending_approval", "published", "archived")
SENSITIVITIES = ("standard", "sensitive", "sacred")
REVIEWS = ("pending", "in_review", "approved", "rejected", "needs_consultation")
ENFORCEMENTS = ("advisory", "required", "strict")
ROLES = ("elder", "steward", "member", "guest")
ACCOUNTS = ("account-1", "account-2", "account-3", "account-4")
PEOPLE = (1, 2, 3)
STORIES = (1, 2, 3)
PAIR = (1, 2)
"""Numbers of the communities, organisations and interviews."""

ConsentKey = tuple[int, str, int | None, str]
"""Person, purpose, story (None: all), and the kind of evidence."""


@dataclass(frozen=True)
class Person:
    """Somebody who told a story."""

    privacy: str = "public"
    sensitive: bool = False
    deceased: bool = False
    account: str | None = None


@dataclass(frozen=True)
class Story:
    """A story; ``gone``: no longer in the base."""

    status: str = "published"
    privacy: str = "public"
    sensitivity: str = "standard"
    review: bool = False
    community: int | None = 1
    organisation: int | None = 1
    gone: bool = False


@dataclass(frozen=True)
class Consent:
    """What was said; ``expires`` in days from now."""

    state: str = "given"
    expires: int | None = None
    gone: bool = False


@dataclass(frozen=True)
class Protocol:
    """A rule of a community."""

    community: int = 1
    enforcement: str = "strict"
    privacy: str = "community"
    active: bool = True


@dataclass
class World:
    """Everything that the rule speaks of."""

    people: dict[int, Person] = field(default_factory=dict)
    stories: dict[int, Story] = field(default_factory=dict)
    consents: dict[ConsentKey, Consent] = field(default_factory=dict)
    protocols: dict[int, Protocol] = field(default_factory=dict)
    reviews: dict[int, str] = field(default_factory=dict)
    authors: set[tuple[int, int]] = field(default_factory=set)
    made_from: set[tuple[int, int]] = field(default_factory=set)
    speakers: set[tuple[int, int]] = field(default_factory=set)
    members: dict[tuple[str, int], tuple[str, bool]] = field(default_factory=dict)
    organisation_members: set[tuple[str, int]] = field(default_factory=set)
    insights: set[str] = field(default_factory=set)


def uid(kind: str, *key: object) -> str:
    """The id of a thing, the same in every test."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {key}"))


def open_world() -> World:
    """Three public stories of community 1, each told by the person of its number, everybody consenting to everything."""
    return World(
        people={p: Person(account=f"account-{p}" if p < 3 else None) for p in PEOPLE},
        stories={s: Story() for s in STORIES},
        consents={(p, purpose, None, "form"): Consent() for p in PEOPLE for purpose in PURPOSES},
        authors={(s, s) for s in STORIES},
        members={("account-3", 1): ("member", True), ("account-4", 1): ("elder", True)},
        organisation_members={("account-3", 1)},
        insights={"public", "members"},
    )
