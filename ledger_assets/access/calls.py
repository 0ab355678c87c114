"""How each function that a role of the API may execute is called, and what is asked of its answer.

What belongs here: SQL whose answer is a list of ids or words. What does not: who gets which answer (``matrix.md``).

Invariants: a call asks only about the world's rows; every function has its exact name with argument types.
"""

# ruff: noqa: S608  every part of these statements is a constant of this package

from __future__ import annotations

from ledger_assets.access.stories import STORIES, WORD

_STORIES = ", ".join(f"{{stories/{label}}}" for label in STORIES)


def _each_story(condition: str) -> str:
    return f"select jsonb_agg(i) from unnest(array[{_STORIES}]) i where {condition}"


def _paths(call: str, path: str) -> str:
    return f"select jsonb_path_query_array({call}, '{path}')"


def _listed(function: str) -> str:
    """Of a function that returns an array of ids."""
    return f"select to_jsonb(array(select i from unnest({function}) i))"


def _known(function: str, ids: str) -> str:
    """Of a function whose array of ids may hold other rows than the world's."""
    return f"select jsonb_agg(i) from unnest({function}) i where i in ({ids})"


def _is(condition: str) -> str:
    return f"select case when {condition} then '[\"yes\"]'::jsonb end"


def _shell(name: str, types: str, calls: dict[str, str]) -> dict[str, dict[str, str]]:
    """A function of public and the one of private behind it, asked the same."""
    return {
        f"{schema}.{name}({types})": {asked: call.replace("SCHEMA", schema) for asked, call in calls.items()}
        for schema in ("public", "private")
    }


_PAGE = f"SCHEMA.stories_page(1, 100, '{WORD}', %s, %s, null)"
_CARDS = "SCHEMA.storyteller_cards({projects/ours}, null, 100, null)"
_THEMES = ", ".join(f"{{themes/{label}}}" for label, story in STORIES.items() if story.made_from_interview)
_INSIGHTS = ", ".join(f"{{community_insights/{name}}}" for name in ("open", "partly", "inner", "fallen"))

CALLS: dict[str, dict[str, str]] = {
    # Function -> what is asked -> SQL.
    **_shell(
        "stories_page",
        "integer, integer, text, uuid, uuid, uuid",
        {
            "stories": _paths(_PAGE % ("null", "null"), "$.stories[*].id"),
            "of the community": _paths(_PAGE % ("{communities/ours}", "null"), "$.stories[*].id"),
            "of the organisation": _paths(_PAGE % ("null", "{organisations/ours}"), "$.stories[*].id"),
            "total": f"select jsonb_build_array({_PAGE % ('null', 'null')} -> 'total')",
        },
    ),
    **_shell("story_detail", "uuid", {"stories": _each_story("SCHEMA.story_detail(i) is not null")}),
    **_shell("record_view", "uuid", {"stories": _each_story("SCHEMA.record_view(i)")}),
    **_shell(
        "storyteller_cards",
        "uuid, uuid, integer, uuid",
        {
            "people": _paths(_CARDS, "$[*].id"),
            "names": _paths(_CARDS, "$[*] ? (@.name != null).id"),
            "quotes": _paths(_CARDS, "$[*] ? (@.quote != null).id"),
            "by organisation": _paths(
                "SCHEMA.storyteller_cards(null, {organisations/ours}, 100, null)", "$[*].id"
            ),
        },
    ),
    **_shell("my_dashboard", "", {"stories": _paths("SCHEMA.my_dashboard()", "$.list[*].id")}),
    **_shell(
        "community_view",
        "uuid",
        {
            "insights": _paths("SCHEMA.community_view({communities/ours})", "$.insights[*].id"),
            "value": _paths("SCHEMA.community_view({communities/ours})", "$.value ? (@ > 0)"),
            "stories": _paths("SCHEMA.community_view({communities/ours})", "$.stories"),
        },
    ),
    **_shell(
        "value_report",
        "uuid, date",
        {"total": _paths("SCHEMA.value_report({organisations/ours}, null)", "$.total")},
    ),
    **_shell(
        "claim_storyteller",
        "text",
        {"a wrong code": "select jsonb_build_array(SCHEMA.claim_storyteller('no such code'))"},
    ),
    **_shell(
        "claims_to_confirm",
        "",
        {
            "claims": "select jsonb_agg(c.claim_id) from SCHEMA.claims_to_confirm() c "
            "where c.claim_id in ({storyteller_claims/waiting}, {storyteller_claims/elder}, {storyteller_claims/unused})"
        },
    ),
    **_shell(
        "confirm_claim",
        "uuid, boolean",
        {
            "another's": _is("SCHEMA.confirm_claim({storyteller_claims/waiting}, true)"),
            "the elder's own": _is("SCHEMA.confirm_claim({storyteller_claims/elder}, true)"),
        },
    ),
    **_shell(
        "issue_claim_code",
        "uuid, interval",
        {"a code": _is("length(SCHEMA.issue_claim_code({storytellers/others}, interval '1 day')) = 32")},
    ),
    **_shell(
        "validate_analysis",
        "uuid, boolean",
        {
            name: _is(f"SCHEMA.validate_analysis({{story_analysis/{label}}}, true)")
            for name, label in (
                ("of the owner's", "public"),
                ("of another's", "others"),
                ("of the withdrawn", "withdrawn"),
            )
        },
    ),
    **_shell("maintenance_state", "", {"state": _is("SCHEMA.maintenance_state() ? 'frozen'")}),
    **_shell("live_state", "", {"state": _is("SCHEMA.live_state() ? 'source'")}),
    **_shell(
        "split_value",
        "uuid, jsonb",
        {
            "an event": _is(
                "SCHEMA.split_value({value_events/undivided}, jsonb_build_array(jsonb_build_object("
                "'recipient', 'community', 'community_id', {communities/ours}, 'percent', 100))) = 1"
            )
        },
    ),
    "public.carry_out_erasure(uuid)": {
        "a request": _is("public.carry_out_erasure({erasure_requests/owner}) ->> 'stories' = '1'")
    },
    "private.erase(uuid)": {"a request": _is("private.erase({erasure_requests/owner}) ->> 'stories' = '1'")},
    "private.my_communities()": {"ids": _listed("private.my_communities()")},
    "private.my_elderships()": {"ids": _listed("private.my_elderships()")},
    "private.my_organisations()": {"ids": _listed("private.my_organisations()")},
    "private.my_administered_organisations()": {"ids": _listed("private.my_administered_organisations()")},
    "private.my_projects()": {"ids": _listed("private.my_projects()")},
    "private.my_edited_projects()": {"ids": _listed("private.my_edited_projects()")},
    "private.my_storytellers()": {"ids": _listed("private.my_storytellers()")},
    "private.my_stories()": {"ids": _listed("private.my_stories()")},
    "private.my_interviews()": {"ids": _listed("private.my_interviews()")},
    "private.my_reviews()": {"ids": _listed("private.my_reviews()")},
    "private.my_queue()": {"ids": _listed("private.my_queue()")},
    "private.my_voices()": {"ids": _listed("private.my_voices()")},
    "private.standing_insights()": {"ids": _known("private.standing_insights()", _INSIGHTS)},
    "private.seen_themes()": {
        "ids": f"select jsonb_agg(i) from private.seen_themes() i where i in ({_THEMES})"
    },
}
