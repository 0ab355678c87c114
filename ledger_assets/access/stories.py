"""The labelled world's stories, one for each reason to be open or closed, with the consents and reviews behind them.

What belongs here: stories, authorship, consents, the review queue. What does not: people (``people``), what else hangs on
a story (``on_stories``).

Invariants: each closed story would be open to everybody but for the one thing that its label names.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_assets.access.ids import Row, World, uid
from ledger_assets.access.people import COMMUNITY, EARLIER, ORGANISATION, PROJECT, account

WORD = "zyxaccessmatrix"
"""Stands in the title of every story of the world and in no other text: what a search finds it by."""
NEVER = "2999-01-01T00:00:00+00:00"
SHARING = ("public_sharing", "community_sharing", "organisation_sharing", "ai_analysis")


@dataclass(frozen=True)
class Story:
    """How a story differs from one that is open to everybody."""

    people: tuple[str, ...] = ("owner",)
    privacy: str = "public"
    status: str = "published"
    sensitivity: str = "standard"
    review: str | None = None
    gone: bool = False
    missing: tuple[str, ...] = ()
    """Purposes for which there is no consent."""
    withdrawn: bool = False
    expired: bool = False
    made_from_interview: bool = False


STORIES = {
    "public": Story(made_from_interview=True),
    "shared": Story(people=("owner", "co_author")),
    "others": Story(people=("others",), made_from_interview=True),
    "community": Story(privacy="community", made_from_interview=True),
    "organisation": Story(privacy="organisation", missing=("ai_analysis",), made_from_interview=True),
    "both": Story(people=("owner", "reserved"), privacy="community", made_from_interview=True),
    "sensitive": Story(sensitivity="sensitive", review="approved"),
    "draft": Story(status="draft", made_from_interview=True),
    "withdrawn": Story(people=("owner", "co_author"), withdrawn=True, made_from_interview=True),
    "expired": Story(expired=True),
    "sacred": Story(sensitivity="sacred", review="approved"),
    "review": Story(review="pending"),
    "unshared": Story(review="pending", missing=("community_sharing",)),
    "elders": Story(people=("elder",), review="pending"),
    "dead": Story(people=("dead",)),
    "gone": Story(gone=True),
}
INTERVIEWED = tuple(label for label, story in STORIES.items() if story.made_from_interview)


def stories() -> World:
    """The stories, whose they are, and what decides who may see them."""
    return {
        "public.stories": {label: [_story(label, story)] for label, story in STORIES.items()},
        "public.authorship": {
            label: [
                {
                    "id": uid(f"authorship/{label}_{person}"),
                    "story_id": story_id(label),
                    "storyteller_id": uid(f"storytellers/{person}"),
                    "position": position,
                }
                for position, person in enumerate(story.people, 1)
            ]
            for label, story in STORIES.items()
        },
        **_consents(),
        "public.elder_review_queue": {
            label: [on_story(label, "elder_review_queue", state=story.review, requested_by=account("owner"))]
            for label, story in STORIES.items()
            if story.review
        },
    }


def story_id(label: str) -> object:
    """The id of the story that carries this label."""
    return uid(f"stories/{label}")


def on_story(label: str, table: str, **values: object) -> Row:
    """A row of a table that hangs on a story."""
    return {"id": uid(f"{table}/{label}"), "story_id": story_id(label), **values}


def _story(label: str, story: Story) -> Row:
    return {
        "id": story_id(label),
        "title": f"{WORD} {label}",
        "copy": "words",
        "transcript": "internal words",
        "status": story.status,
        "published_at": EARLIER if story.status == "published" else None,
        "privacy": story.privacy,
        "sensitivity": story.sensitivity,
        "community_id": COMMUNITY,
        "organisation_id": ORGANISATION,
        "project_id": PROJECT,
        "source_deleted_at": EARLIER if story.gone else None,
    }


def _consents() -> World:
    consents: dict[str, list[Row]] = {}
    events: dict[str, list[Row]] = {}
    for label, story in STORIES.items():
        for person in story.people:
            for purpose in SHARING:
                if purpose in story.missing:
                    continue
                name = f"{label}_{person}_{purpose}"
                first = purpose == "public_sharing"
                about: Row = {
                    "storyteller_id": uid(f"storytellers/{person}"),
                    "story_id": story_id(label),
                    "purpose": purpose,
                    "expires_at": EARLIER if first and story.expired else None,
                    "evidence_kind": "app",
                    "evidence": "access matrix",
                }
                state = "withdrawn" if first and story.withdrawn and person == "co_author" else "given"
                consents.setdefault(person, []).append(
                    {"id": uid(f"consents/{name}"), **about, "state": state}
                )
                events.setdefault(person, []).append(
                    {
                        "id": uid(f"consent_events/{name}"),
                        "consent_id": uid(f"consents/{name}"),
                        **about,
                        "event": state,
                    }
                )
    paper: Row = {
        "id": uid("consents/paper"),
        "storyteller_id": uid("storytellers/owner"),
        "story_id": None,
        "purpose": "commercial_use",
        "expires_at": None,
        "evidence_kind": "form",
        "evidence": "access matrix",
        "state": "withdrawn",
    }
    return {"public.consents": {**consents, "paper": [paper]}, "public.consent_events": dict(events)}
