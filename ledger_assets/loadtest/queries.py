"""The app's queries: its functions as the API calls them, and the reads of tables that a client may send.

What belongs here: what is asked and of which rows. What does not: asking (``run``). ``record_view`` is not asked: it
writes, and a view that nobody had would count.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from ledger_assets.loadtest.model import Query, Role

if TYPE_CHECKING:
    import psycopg

NOBODY = "00000000-0000-0000-0000-000000000000"
WORD = "river"
"""Searched for: an ordinary word, in no way taken from somebody's story."""

PUBLIC = {
    "stories page": "select public.stories_page(page => 1, size => 20)",
    "stories page 10": "select public.stories_page(page => 10, size => 20)",
    "stories of a word": "select public.stories_page(search => %(word)s)",
    "stories of a community": "select public.stories_page(community => %(community)s)",
    "stories of an organisation": "select public.stories_page(organisation => %(organisation)s)",
    "stories of a theme": "select public.stories_page(theme => %(theme)s)",
    "story detail": "select public.story_detail(%(story)s)",
    "storyteller cards": "select public.storyteller_cards(size => 20)",
    "community view": "select public.community_view(%(community)s)",
    "newest stories, the table": "select id, title, published_at from public.stories where published_at is not null "
    "order by published_at desc, id limit 20",
}
PERSONAL = {
    "own dashboard": "select public.my_dashboard()",
    "value report": "select public.value_report(%(organisation)s)",
    "own profile, the table": "select id, display_name from public.profiles where id = %(account)s",
    "own communities, the table": "select community_id, role from public.community_members where profile_id = %(account)s",
    "own consents, the table": "select id, purpose, state, expires_at from public.consents",
}


@dataclass(frozen=True)
class Subjects:
    """Of whom and what is asked; None: there is none in this database."""

    account: str | None
    community: str | None
    organisation: str | None
    theme: str | None
    stories: tuple[str, ...]
    published: int
    all_stories: int


def subjects(connection: psycopg.Connection) -> Subjects:
    """Choose them."""
    text = (files("ledger_assets.loadtest") / "sql" / "subjects.sql").read_text(encoding="utf-8")
    row = connection.execute(text.encode()).fetchone()
    assert row is not None
    account, community, organisation, theme, stories, published, every = row
    return Subjects(account, community, organisation, theme, tuple(stories or ()), published, every)


def queries(found: Subjects) -> list[Query]:
    """Every query as anon, and as the account."""
    stories = found.stories or (NOBODY,)
    given: list[dict[str, object]] = [
        {
            "word": WORD,
            "community": found.community or NOBODY,
            "organisation": found.organisation or NOBODY,
            "theme": found.theme or NOBODY,
            "story": story,
            "account": found.account or NOBODY,
        }
        for story in stories
    ]

    def of(role: Role, asked: dict[str, str], account: str | None) -> list[Query]:
        return [Query(name, role, text, _needed(text, given), account) for name, text in asked.items()]

    return [
        *of("anon", PUBLIC, None),
        *of("authenticated", PUBLIC | PERSONAL, found.account or NOBODY),
    ]


def _needed(text: str, given: list[dict[str, object]]) -> tuple[dict[str, object], ...]:
    """The parameters that stand in the statement; as many sets as stories where it asks for one."""
    names = [name for name in given[0] if f"%({name})s" in text]
    sets = given if "story" in names else given[:1]
    return tuple({name: one[name] for name in names} for one in sets)


def notes(found: Subjects) -> list[str]:
    """What this database lacks to be asked as in production."""
    missing = [
        name
        for name, value in (
            ("community", found.community),
            ("organisation", found.organisation),
            ("theme", found.theme),
        )
        if value is None
    ]
    lines = [f"of {found.all_stories:,} stories {found.published:,} are published: only these are found"]
    if found.account is None:
        lines.append(
            "there is no account: asked as a signed-in person whom nobody knows, who sees what anon sees"
        )
    if missing:
        lines.append(f"no published story has one of: {', '.join(missing)}; these queries found nothing")
    return lines
