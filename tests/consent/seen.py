"""What each reader really sees in Postgres, through tables and functions, against what the oracle says.

What belongs here: asking as each role, and the comparison. What does not: the rule (``oracle``).

Invariants: every question is asked under the API's own role and claims; the answer is a list of differences in words,
empty when the database and the oracle agree and no kept column is stale.
"""

from __future__ import annotations

import json
from typing import Any

import psycopg

from tests.consent import oracle
from tests.consent.world import ACCOUNTS, PAIR, PEOPLE, STORIES, World, uid

READERS = (oracle.ANON, oracle.SERVICE, *ACCOUNTS)
_IDS = "coalesce((select jsonb_agg({what}) from {source}), '[]')"
_DETAILS = "(select public.story_detail(i) as d from unnest(array[{stories}]::uuid[]) i) d"
_CARDS = "jsonb_array_elements(public.storyteller_cards(size => 100)) c"
_TABLES = {
    "stories": "public.stories",
    "quotes": "public.quotes",
    "images": "public.media_assets",
    "comments": "public.story_comments",
    "reactions": "public.story_reactions",
    "analysis": "public.story_analysis",
    "themes": "public.themes",
    "insights": "public.community_insights",
    "authorship": "public.authorship",
}
_SIGNED_IN = {"versions": "public.story_versions", "interviews": "public.interviews"}


def differences(connection: psycopg.Connection, world: World) -> list[str]:
    """Every disagreement, and every stale story. The transaction is left as it was, as its owner."""
    found = [
        f"story {_name(row[0])} is stale: {row[1]}"
        for row in connection.execute("select id, d::text from private.visibility_drift d")
    ]
    for reader in READERS:
        actual, should = seen(connection, reader), oracle.expected(world, reader)
        for kind, there in actual.items():
            found += [f"{reader} sees {kind} {x}" for x in sorted(there - should[kind], key=str)]
            found += [f"{reader} does not see {kind} {x}" for x in sorted(should[kind] - there, key=str)]
    return found


def seen(connection: psycopg.Connection, reader: str) -> dict[str, set[Any]]:
    """What one reader is given, by kind, in the world's own numbers."""
    cursor = connection.cursor()
    cursor.execute((_login(reader) + "select " + _question(reader) + "; reset role").encode())
    while cursor.description is None or cursor.description[0].name != "answer":
        assert cursor.nextset(), "no answer among the results"
    row = cursor.fetchone()
    assert row is not None
    answer: dict[str, set[Any]] = {kind: {_name(x) for x in ids} for kind, ids in row[0].items()}
    # A card's quote must be beside a story that the page shows too.
    answer["card_quotes"] = {x[1] if x[0] in answer["page"] else x for x in answer["card_quotes"]}
    return answer


def login(reader: str) -> tuple[str, dict[str, str]]:
    """Role and claims of a reader."""
    if reader == oracle.ANON:
        return "anon", {"role": "anon"}
    if reader == oracle.SERVICE:
        return "service_role", {"role": "service_role"}
    return "authenticated", {"role": "authenticated", "sub": uid("account", reader)}


def _login(reader: str) -> str:
    role, claims = login(reader)
    return f"set local role {role}; select set_config('request.jwt.claims', '{json.dumps(claims)}', true); "


def _question(reader: str) -> str:
    stories = ", ".join(f"'{uid('story', n)}'" for n in STORIES)
    tables = _TABLES | ({} if reader == oracle.ANON else _SIGNED_IN)
    parts = {kind: _IDS.format(what="id", source=table) for kind, table in tables.items()}
    parts["authorship"] = _IDS.format(what="story_id || ' ' || storyteller_id", source=tables["authorship"])
    if "versions" in parts:
        parts["versions"] = _IDS.format(what="story_id", source=tables["versions"])
    details = _DETAILS.format(stories=stories)
    parts |= {
        "page": "jsonb_path_query_array(public.stories_page(size => 100), '$.stories[*].id')",
        "found": "jsonb_path_query_array(public.stories_page(size => 100, search => 'sea'), '$.stories[*].id')",
        "by_theme": _IDS.format(
            what="s -> 'id'",
            source=" , ".join(
                (
                    f"unnest(array[{', '.join(repr(uid('theme', n)) for n in PAIR)}]::uuid[]) t",
                    "jsonb_array_elements(public.stories_page(size => 100, theme => t) -> 'stories') s",
                )
            ),
        ),
        "detail": _IDS.format(what="d -> 'id'", source=details + " where d is not null"),
        "detail_quotes": _IDS.format(
            what="q -> 'id'", source=details + ", jsonb_array_elements(d -> 'quotes') q"
        ),
        "detail_comments": _IDS.format(
            what="q -> 'id'", source=details + ", jsonb_array_elements(d -> 'comments') q"
        ),
        "cards": _IDS.format(what="c -> 'id'", source=_CARDS),
        "card_quotes": _IDS.format(what="c -> 'quote'", source=_CARDS + " where c ->> 'quote' is not null"),
        "view_insights": _IDS.format(
            what="i -> 'id'",
            source=f"jsonb_array_elements(public.community_view('{uid('community', 1)}') -> 'insights') i",
        ),
    }
    return (
        "jsonb_build_object(" + ", ".join(f"'{kind}', {part}" for kind, part in parts.items()) + ") as answer"
    )


def _known() -> dict[str, object]:
    names: dict[str, object] = {}
    for kind, numbers in (("story", STORIES), ("person", PEOPLE), ("interview", PAIR), ("theme", PAIR)):
        names |= {uid(kind, n): n for n in numbers}
    for story in STORIES:
        names |= {uid("quote", story, p): (story, p) for p in PEOPLE}
        names |= {f"{uid('story', story)} {uid('person', p)}": (story, p) for p in PEOPLE}
        names |= {f"{story}/{p}": (story, p) for p in PEOPLE}
    return names | {uid("insight", name): name for name in ("public", "members")}


_KNOWN = _known()


def _name(found: object) -> object:
    """In the world's own numbers; what is not of the world stands as it is, and so is a difference."""
    return _KNOWN.get(str(found), found)
