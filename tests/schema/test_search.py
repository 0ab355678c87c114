"""Search: what it finds is what a reader may see, in the list's order; and no text is read for it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.schema.world import World

READERS = ("anon", "outsider", "member", "both")
VOCABULARY = (
    "river",
    "rivers",
    "old",
    "people",
    "the",
    "dance",
    "dancing",
    "salt-water",
    "2026",
    "naïve",
    "a.b",
)
CIRCLES = ("public", "community", "organisation", "private")
# The rule itself, and not the columns that keep its result.
MAY_SEE = """
select s.id from public.stories s join private.story_rule r on r.id = s.id
where s.status = 'published' and r.until > now()
  and (r.limits = 0 or (%(reader)s in ('member', 'both') and r.limits = 1) or (%(reader)s = 'both' and r.limits in (2, 3)))
  and private.story_words(s.title, s.copy) @@ websearch_to_tsquery('pg_catalog.english', %(search)s)
order by s.published_at desc, s.id
"""
WORDS_OF_PUBLISHED = """
select s.id, private.story_words(s.title, s.copy)::text from public.stories s where s.published_at is not null order by 1
"""
WORDS_KEPT = "select story_id, words::text from private.story_search order by 1"

texts = st.lists(st.sampled_from(VOCABULARY), max_size=6).map(" ".join)
stories = st.lists(
    st.fixed_dictionaries({
        "title": texts,
        "copy": st.none() | texts,
        "privacy": st.sampled_from(CIRCLES),
        "published": st.booleans() | st.just(True),
        "day": st.integers(1, 3),
        "teller": st.integers(0, 1),
    }),
    min_size=1,
    max_size=8,
)  # fmt: skip
words = st.sampled_from(VOCABULARY)
searches = st.lists(
    words | words.map("-{}".format) | st.tuples(words, words).map('"{0[0]} {0[1]}"'.format) | st.just("or"),
    min_size=1,
    max_size=3,
).map(" ".join)
changes = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.sampled_from(
            ("retitled", "unpublished", "published", "deleted", "closed", "withdrawn", "added to")
        ),
        texts,
    ),
    max_size=4,
)
CHANGES = {
    "retitled": "update stories set title = %(text)s, copy = null where id = %(id)s",
    "unpublished": "update stories set status = 'draft', published_at = null where id = %(id)s",
    "published": "update stories set status = 'published', published_at = '2026-01-09' where id = %(id)s",
    "deleted": "delete from authorship where story_id = %(id)s; delete from stories where id = %(id)s",
    "closed": "update stories set privacy = 'private' where id = %(id)s",
    "withdrawn": (
        "update consents set state = 'withdrawn' where storyteller_id in "
        "(select storyteller_id from authorship where story_id = %(id)s)"
    ),
    "added to": "update stories set copy = copy || ' river' where id = %(id)s",
}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=stories, asked=st.lists(searches, min_size=1, max_size=2), changed=changes)
def test_every_reader_finds_what_they_may_see_newest_first(
    world: World, told: list[dict[str, Any]], asked: list[str], changed: list[tuple[int, str, str]]
) -> None:
    with world.owner.transaction(force_rollback=True):
        accounts = _readers(world)
        tellers = [world.storyteller(f"Teller {number}") for number in range(2)]
        community, organisation = (
            world.one(f"select id from {name}") for name in ("communities", "organisations")
        )
        ids = []
        for story in told:
            when = {"published_at": f"2026-01-0{story['day']}"} if story["published"] else {}
            ids.append(
                world.story(
                    tellers[story["teller"]], title=story["title"], copy=story["copy"], privacy=story["privacy"],
                    community_id=community, organisation_id=organisation, published=story["published"], **when,
                )
            )  # fmt: skip
        _agree(world, accounts, asked)
        for number, how, text in changed:
            for statement in CHANGES[how].split("; "):
                world.owner.execute(statement.encode(), {"id": ids[number % len(ids)], "text": text})
        _agree(world, accounts, asked)


def _readers(world: World) -> dict[str, UUID | None]:
    accounts = {name: None if name == "anon" else world.account(name) for name in READERS}
    community, organisation = world.community(), world.organisation()
    for name in ("member", "both"):
        account = accounts[name]
        assert account is not None
        world.member(community, account)
    world.row("organisation_members", organisation_id=organisation, profile_id=accounts["both"])
    return accounts


def _agree(world: World, accounts: dict[str, UUID | None], asked: list[str]) -> None:
    for search in asked:
        for reader, account in accounts.items():
            named = {"reader": reader, "search": search}
            expected = [str(row[0]) for row in world.owner.execute(MAY_SEE.encode(), named).fetchall()]
            pages = [_found(world, account, page, search) for page in (1, 2, 3)]
            assert [page["total"] for page in pages] == [len(expected)] * 3
            assert [story["id"] for page in pages for story in page["stories"]] == expected
    assert world.all(WORDS_KEPT) == world.all(WORDS_OF_PUBLISHED)
    assert world.one("select private.refresh_search()") == 0


def _found(world: World, account: UUID | None, page: int, search: str) -> dict[str, Any]:
    """Asked as the reader, inside the test's transaction."""
    role = "authenticated" if account else "anon"
    claims = json.dumps({"role": role, **({"sub": str(account)} if account else {})})
    world.do("select set_config('request.jwt.claims', %s, true)", claims)
    world.do(f"set local role {role}")
    answer: dict[str, Any] = world.one(
        "select public.stories_page(page => %s, size => 3, search => %s)", page, search
    )
    world.do("set local role none")
    return answer


NEVER = """
create or replace function private.story_words(title text, copy text) returns tsvector language plpgsql as
$$ begin raise 'a text was read'; end $$
"""


TOTALS = {
    "river": 300,
    '"old people"': 300,
    "-dance": 200,
    "river -dance": 200,
    "river or dance": 300,
    "salt": 0,
}


def test_words_of_every_kind_are_found_without_reading_a_text(world: World) -> None:
    read = "select seq_scan, idx_scan from pg_stat_xact_user_tables where relid = 'private.story_search'::regclass"
    with world.owner.transaction(force_rollback=True):
        _three_hundred(world)
        world.do(NEVER)
        for search, total in TOTALS.items():
            (before,) = world.all(read)
            assert (search, _found(world, None, 1, search)["total"]) == (search, total)
            (after,) = world.all(read)
            # Nor are the words, from end to end: they are fetched from where they are stored apart.
            assert (search, after[0] - before[0], after[1] > before[1]) == (search, 0, True)


def test_who_may_see_a_story_changes_without_its_text_being_read(world: World) -> None:
    with world.owner.transaction(force_rollback=True):
        _three_hundred(world)
        world.do(NEVER)
        world.do("update stories set language = 'en', privacy = 'community'")
        world.do("update consents set state = 'withdrawn'")
        assert _found(world, None, 1, "river")["total"] == 0
        # Nor is a draft's: a load brings nothing else.
        world.story(title="A draft", copy="river", published=False)
        world.do("update stories set copy = 'another river' where published_at is null")


def _three_hundred(world: World) -> None:
    """Public stories, a third of them with one word more; analysed, as autovacuum does it."""
    person = world.storyteller()
    world.do(
        "with s as (insert into stories (id, title, copy, status, privacy, published_at) "
        "select gen_random_uuid(), 'River', 'the old people ' || case when n %% 3 = 0 then 'dance' else '' end, "
        "'published', 'public', now() from generate_series(1, 300) n returning id) "
        "insert into authorship (id, story_id, storyteller_id, position) select gen_random_uuid(), id, %s, 1 from s",
        person,
    )
    world.do("analyze private.story_search")


def test_words_that_something_else_changed_are_brought_up_to_date(world: World) -> None:
    person = world.storyteller()
    changed, closed, kept = (world.story(person, title=title) for title in ("Salt", "Closed", "Kept"))
    with world.owner.transaction():
        world.do("alter table stories disable trigger user")
        world.do("update stories set title = 'Sweet' where id = %s", changed)
        world.do("update stories set status = 'draft', published_at = null where id = %s", closed)
        world.do("alter table stories enable trigger user")
    world.do("delete from private.story_search where story_id = %s", kept)
    assert world.one("select private.refresh_search()") == 3
    assert world.all(WORDS_KEPT) == world.all(WORDS_OF_PUBLISHED)


def test_the_loaders_corrections_are_found(world: World) -> None:
    story = world.story(world.storyteller(), title="Salt", copy="water")
    with world.owner.transaction():
        world.do("set local migration.writer = 'on'")
        world.do("update stories set title = 'Sweet' where id = %s", story)
    totals = [
        world.ask("anon", None, "select public.stories_page(search => %s)", word)["total"]
        for word in ("salt", "sweet")
    ]
    assert totals == [0, 1]
