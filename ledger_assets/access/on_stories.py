"""A row of every kind that hangs on a story of the labelled world, and what is made of stories: insights, value.

What belongs here: interviews, quotes, themes, files, responses, versions, analysis, insights, value, erasure. What does
not: what decides who may see a story (``stories``).

Invariants: a row that hangs on a story carries the story's label.
"""

from __future__ import annotations

from ledger_assets.access.ids import Row, World, uid
from ledger_assets.access.people import COMMUNITY, EARLIER, ORGANISATION, account
from ledger_assets.access.stories import INTERVIEWED, STORIES, on_story, story_id


def on_stories() -> World:
    """Everything that hangs on stories, in an order in which it can be written."""
    return {
        **_interviews(),
        **_media(),
        **_responses(),
        **_insights(),
        **_value(),
        "public.erasure_requests": {
            name: [
                {
                    "id": uid(f"erasure_requests/{name}"),
                    "scope": scope,
                    "story_id": story and story_id(story),
                    "requested_by": account(name),
                }
            ]
            for name, scope, story in (("owner", "story", "draft"), ("member", "account", None))
        },
    }


def _responses() -> World:
    return {
        "public.story_versions": {
            label: [on_story(label, "story_versions", version=1, copy="earlier words")] for label in STORIES
        },
        "public.story_reactions": {
            **{
                label: [on_story(label, "story_reactions", profile_id=account("member"), kind="thanks")]
                for label in STORIES
            },
            "outsider": [
                {
                    **on_story("public", "story_reactions", profile_id=account("outsider"), kind="thanks"),
                    "id": uid("story_reactions/outsider"),
                }
            ],
        },
        "public.story_comments": {
            **{
                label: [on_story(label, "story_comments", profile_id=account("member"), body="said")]
                for label in STORIES
            },
            "outsider": [
                {
                    **on_story("public", "story_comments", profile_id=account("outsider"), body="said"),
                    "id": uid("story_comments/outsider"),
                }
            ],
        },
        "public.story_views": {
            # Numbers below zero: the sequence never gives them.
            label: [{"id": -number, "story_id": story_id(label), "viewer_id": account("member")}]
            for number, label in enumerate(STORIES, 1)
        },
        "public.story_analysis": {
            label: [on_story(label, "story_analysis", kind="impact", result={}, validated_at=EARLIER)]
            for label in STORIES
        },
    }


def _interviews() -> World:
    speaker = {label: STORIES[label].people[0] for label in INTERVIEWED}
    link = {"position": 1}
    return {
        "public.interviews": {
            label: [
                {"id": uid(f"interviews/{label}"), "file_name": "access matrix", "transcript": "spoken words"}
            ]
            for label in INTERVIEWED
        },
        "public.themes": {
            label: [{"id": uid(f"themes/{label}"), "name": f"access matrix: {label}"}]
            for label in INTERVIEWED
        },
        "public.story_interviews": {
            label: [on_story(label, "story_interviews", interview_id=uid(f"interviews/{label}"), **link)]
            for label in INTERVIEWED
        },
        "public.interview_storytellers": {
            label: [
                {
                    "id": uid(f"interview_storytellers/{label}"),
                    "interview_id": uid(f"interviews/{label}"),
                    "storyteller_id": uid(f"storytellers/{speaker[label]}"),
                    **link,
                }
            ]
            for label in INTERVIEWED
        },
        "public.interview_themes": {
            label: [
                {
                    "id": uid(f"interview_themes/{label}"),
                    "interview_id": uid(f"interviews/{label}"),
                    "theme_id": uid(f"themes/{label}"),
                    **link,
                }
            ]
            for label in INTERVIEWED
        },
        **_quotes(),
    }


def _quotes() -> World:
    def quote(name: str, story: str | None, person: str, *, gone: bool = False) -> Row:
        return {
            "id": uid(f"quotes/{name}"),
            "quote": "said once",
            "story_id": story and story_id(story),
            "storyteller_id": uid(f"storytellers/{person}"),
            "featured": True,
            "source_deleted_at": EARLIER if gone else None,
        }

    return {
        "public.quotes": {
            **{label: [quote(label, label, story.people[0])] for label, story in STORIES.items()},
            # Beside no story; beside a story of people who did not say it; no longer in the base.
            "loose": [quote("loose", None, "owner")],
            "foreign": [quote("foreign", "public", "others")],
            "dropped": [quote("dropped", "public", "owner", gone=True)],
        },
        "public.quote_interviews": {
            label: [
                {
                    "id": uid(f"quote_interviews/{label}"),
                    "quote_id": uid(f"quotes/{label}"),
                    "interview_id": uid(f"interviews/{label}"),
                    "position": 1,
                }
            ]
            for label in INTERVIEWED
        },
    }


def _media() -> World:
    def asset(
        name: str, role: str, story: str | None = None, person: str | None = None, *, gone: bool = False
    ) -> Row:
        return {
            "id": uid(f"media_assets/{name}"),
            "role": role,
            "story_id": story and story_id(story),
            "storyteller_id": person and uid(f"storytellers/{person}"),
            "position": 1,
            "attachment_id": f"access matrix {name}",
            "object_key": f"access matrix {name}",
            "source_deleted_at": EARLIER if gone else None,
        }

    return {
        "public.media_assets": {
            **{label: [asset(label, "story_image", label)] for label in STORIES},
            "dropped": [asset("dropped", "story_image", "public", gone=True)],
            "photo": [asset("photo", "profile_image", None, "owner")],
            "others_photo": [asset("others_photo", "profile_image", None, "others")],
            "form": [asset("form", "consent_form", None, "owner")],
            "signature": [asset("signature", "signature", None, "owner")],
        }
    }


def _insights() -> World:
    made_from = {
        "open": ("public", "shared", "others"),
        # Of stories for the community: nobody else may read what is said of them, whatever the insight says.
        "partly": ("public", "community", "sensitive"),
        "inner": ("public", "community", "sensitive"),
        # One of its stories is closed.
        "fallen": ("public", "community", "withdrawn"),
    }
    return {
        "public.community_insights": {
            name: [
                {
                    "id": uid(f"community_insights/{name}"),
                    "community_id": COMMUNITY,
                    "kind": "access matrix",
                    "result": {},
                    "is_public": name != "inner",
                }
            ]
            for name in made_from
        },
        "public.community_insight_stories": {
            f"{name}_{label}": [
                on_story(label, "community_insight_stories")
                | {
                    "id": uid(f"community_insight_stories/{name}_{label}"),
                    "insight_id": uid(f"community_insights/{name}"),
                }
            ]
            for name, labels in made_from.items()
            for label in labels
        },
    }


def _value() -> World:
    elsewhere = uid("organisations/elsewhere")
    events: dict[str, Row] = {
        "community": {"community_id": COMMUNITY},
        "organisation": {"organisation_id": ORGANISATION},
        "story": {"story_id": story_id("draft")},
        "elsewhere": {"organisation_id": elsewhere},
        "undivided": {},
    }
    shares: dict[str, tuple[str, str, Row]] = {
        "owner": ("story", "storyteller", {"storyteller_id": uid("storytellers/owner")}),
        "others": ("community", "storyteller", {"storyteller_id": uid("storytellers/others")}),
        "community": ("community", "community", {"community_id": COMMUNITY}),
        "organisation": ("organisation", "organisation", {"organisation_id": ORGANISATION}),
        "elsewhere": ("elsewhere", "organisation", {"organisation_id": elsewhere}),
    }
    nobody = dict.fromkeys(("story_id", "community_id", "organisation_id"))
    no_one = dict.fromkeys(("storyteller_id", "community_id", "organisation_id"))
    return {
        "public.value_events": {
            name: [
                {
                    "id": uid(f"value_events/{name}"),
                    "kind": "donation",
                    "amount": 20 if name == "community" else 10,
                    **nobody,
                    **about,
                }
            ]
            for name, about in events.items()
        },
        "public.value_distributions": {
            name: [
                {
                    "id": uid(f"value_distributions/{name}"),
                    "event_id": uid(f"value_events/{event}"),
                    "recipient": recipient,
                    "amount": 10,
                    **no_one,
                    **whom,
                }
            ]
            for name, (event, recipient, whom) in shares.items()
        },
    }
