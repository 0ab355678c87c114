"""What two sessions may do to the same story at once, and the ground on which they do it.

What belongs here: the acts, and the rows that each schedule begins with. What does not: running (``sessions``, ``field``).

Invariants: every schedule has a ground of its own (its number is in its ids), so that commits need no undoing, and
at its start nothing is stale. In a ground, all of community B: stories S (author P) and W (author R) are public, draft U
(author R) is to be, story V (author P) has an approved review. Person P consents, person R too (by evidence of the base),
person N has said nothing. Interview I has neither story nor speaker; J is S's and has no speaker. Protocols K of B and M
of A are not in force.
"""

from __future__ import annotations

import psycopg

Work = tuple[str, ...]

_REST = "0000-4000-8000-0000000000{}"
_NAMES = (*"SUVWPRNABIJKM", "S-P", "W-R", "V-P", "U-R", "S-J", "R-public")
_LETTERS = {name: f"{number:02x}" for number, name in enumerate(_NAMES, 1)}


def _tied(table: str, left: str, right: str, one: str, other: str) -> str:
    return (
        f"insert into public.{table} (id, {left}_id, {right}_id, position) "
        f"values (gen_random_uuid(), {{{one}}}, {{{other}}}, 2)"
    )


def author(story: str, person: str) -> str:
    """A person becomes an author of a story."""
    return _tied("authorship", "story", "storyteller", story, person)


def speaker(interview: str, person: str) -> str:
    """A person is found to speak in an interview."""
    return _tied("interview_storytellers", "interview", "storyteller", interview, person)


def withdrawal(person: str, story: str | None = None) -> str:
    """A person withdraws, for one story or all."""
    return (
        "insert into public.consents (storyteller_id, story_id, purpose, state, evidence_kind) "
        f"values ({{{person}}}, {f'{{{story}}}' if story else 'null'}, 'public_sharing', 'withdrawn', 'letter')"
    )


def _set(table: str, change: str, row: str) -> str:
    return f"update public.{table} set {change} where id = {{{row}}}"


LINK = _tied("story_interviews", "story", "interview", "S", "I")
ADD_PROTOCOL = (
    "insert into public.cultural_protocols (community_id, name, privacy) values ({A}, 'p', 'private')"
)
NEW_STORY = (
    "insert into public.stories (id, status, privacy, published_at, community_id) "
    "values ({new}, 'published', 'public', now(), {A})"
)
QUEUE = "update public.elder_review_queue set {} where story_id = {{V}}"

ACTS: dict[str, Work] = {
    "withdraw": (withdrawal("R"),),
    "change consent to withdrawn": (_set("consents", "state = 'withdrawn'", "R-public"),),
    "withdraw for one story": (withdrawal("R", "S"),),
    "withdraw for the draft": (withdrawal("R", "U"),),
    "delete consent": ("delete from public.consents where id = {R-public}",),
    "expire consent": (_set("consents", "expires_at = now() - interval '1 day'", "R-public"),),
    "add author": (author("S", "R"),),
    "move authorship": (_set("authorship", "story_id = {S}", "W-R"),),
    "replace author": ("delete from public.authorship where id = {S-P}", author("S", "R")),
    "link interview": (LINK,),
    "add speaker": (speaker("I", "R"),),
    "add silent speaker": (speaker("I", "N"),),
    "add speaker to a linked interview": (speaker("J", "R"),),
    "add protocol": (ADD_PROTOCOL,),
    "activate protocol": (_set("cultural_protocols", "is_active = true", "M"),),
    "activate protocol of the story's community": (_set("cultural_protocols", "is_active = true", "K"),),
    "move story": (_set("stories", "community_id = {A}", "S"),),
    "new story": (NEW_STORY, author("new", "R")),
    "publish": (_set("stories", "status = 'published', published_at = now()", "U"),),
    "publish by function": ("select count(*) from private.publish_story({U}, 'public')",),
    "demand review": (_set("stories", "requires_elder_review = true", "U"),),
    "queue for review": ("insert into public.elder_review_queue (story_id) values ({U})",),
    "reject": (QUEUE.format("state = 'rejected'"),),
    "move review": (QUEUE.format("story_id = {U}, state = 'rejected'"),),
    "close person": (_set("storytellers", "privacy = 'private'", "R"),),
    "person dies": (_set("storytellers", "deceased = true", "R"),),
}


def _loaded(change: str) -> Work:
    return (f"set local migration.writer = 'on'; {change}", "select private.refresh_all()")


LOADS: dict[str, Work] = {
    "load an author of the draft": _loaded(author("U", "N")),
    "load an author": _loaded(author("S", "R")),
    "load a speaker": _loaded(speaker("I", "R")),
    "load a silent speaker": _loaded(speaker("I", "N")),
    "load a link": _loaded(LINK),
    "load that evidence has gone": _loaded(_set("consents", "source_deleted_at = now()", "R-public")),
}
BESIDE_A_LOAD = (
    *(
        "withdraw",
        "delete consent",
        "close person",
        "move authorship",
        "link interview",
        "add silent speaker",
    ),
    *("activate protocol", "move story", "publish", "publish by function", "reject"),
)


def names(ground: int) -> dict[str, str]:
    """The ids of one ground as SQL literals."""
    made = {name: f"'{ground:08x}-{_REST.format(letter)}'" for name, letter in _LETTERS.items()}
    return made | {"new": f"'{ground:08x}-{_REST.format('ff')}'"}


def on(ground: int, work: Work) -> Work:
    """An act on one ground."""
    texts = []
    for text in work:
        for name, literal in names(ground).items():
            text = text.replace("{" + name + "}", literal)
        texts.append(text)
    return tuple(texts)


def lay(connection: psycopg.Connection, grounds: range) -> None:
    """Lay many grounds at once, and commit."""
    ids = {
        name: f"(lpad(to_hex(n), 8, '0') || '-{_REST.format(letter)}')::uuid"
        for name, letter in _LETTERS.items()
    }

    def insert(table: str, columns: str, *values: str) -> str:
        row = ", ".join(ids.get(value, value) for value in values)
        each = f"generate_series({grounds.start}, {grounds.stop - 1}) n"
        return f"insert into public.{table} ({columns}) select {row} from {each}"

    tie = "id, story_id, {}_id, position"
    consent = "id, storyteller_id, purpose, state, evidence_kind, airtable_record_id"
    rows = [
        *(insert("communities", "id, name, slug", c, "'c'", f"'{c.lower()}-' || n") for c in "AB"),
        *(
            insert("storytellers", "id, name, privacy, sensitive", p, "'n'", "'public'", "false")
            for p in "PRN"
        ),
        *(insert("interviews", "id", i) for i in "IJ"),
        *(
            insert(
                "stories",
                "id, privacy, community_id, status, published_at",
                s,
                "'public'",
                "B",
                "'published'",
                "now()",
            )
            for s in "SVW"
        ),
        insert("stories", "id, privacy, community_id", "U", "'public'", "B"),
        *(
            insert("authorship", tie.format("storyteller"), t, t[0], t[2], "1")
            for t in ("S-P", "W-R", "V-P", "U-R")
        ),
        insert("story_interviews", tie.format("interview"), "S-J", "S", "J", "1"),
        insert(
            "consents", consent, "gen_random_uuid()", "P", "'public_sharing'", "'given'", "'form'", "null"
        ),
        insert("consents", consent, "R-public", "R", "'public_sharing'", "'given'", "'airtable'", "'rec'"),
        *(
            insert(
                "cultural_protocols",
                "id, community_id, name, privacy, is_active",
                k,
                c,
                "'p'",
                "'private'",
                "false",
            )
            for k, c in ("KB", "MA")
        ),
        insert("elder_review_queue", "story_id, state", "V", "'approved'"),
    ]
    with connection.transaction():
        connection.execute("set local migration.writer = 'on'")
        connection.execute(";".join(rows).encode())
        connection.execute("select private.refresh_all()")


def stale(connection: psycopg.Connection, grounds: range) -> list[str]:
    """The stale stories of these grounds."""
    least, most = f"{grounds.start:08x}-{_REST.format('00')}", f"{grounds.stop - 1:08x}-{_REST.format('ff')}"
    rows = connection.execute(
        "select d::text from private.visibility_drift d where id between %s and %s", (least, most)
    ).fetchall()
    return [row[0] for row in rows]


def open_grounds(connection: psycopg.Connection, story: str) -> set[int]:
    """The grounds on which anybody at all may see this story now."""
    rows = connection.execute(
        "select id from public.stories where eff_limits < 4 and eff_until > now()"
    ).fetchall()
    return {int(str(row[0])[:8], 16) for row in rows if str(row[0]).endswith(_LETTERS[story])}


def clear(connection: psycopg.Connection) -> None:
    """Take every story out of the way: a refresh of all must not grow with the grounds that were used."""
    with connection.transaction():
        connection.execute(
            "truncate public.stories, public.storytellers, public.communities, public.interviews cascade"
        )
