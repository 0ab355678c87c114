"""Every column that the rule reads is watched: the list is Postgres' own, from what the views depend on."""

from __future__ import annotations

import re

import psycopg

EVENTS = {"insert": 4, "delete": 8, "update": 16, "truncate": 32}
"""Bits of pg_trigger.tgtype."""
WITHOUT = {("stories", "delete"), ("stories", "truncate")}
"""The kept columns stand on the story itself: with the row, there is nothing left that could be stale."""

SOURCES = """
with recursive reads (relation, kind, attribute) as (
  select 'private.story_rule'::regclass::oid, 'v'::"char", 0
  union
  select d.refobjid, c.relkind, d.refobjsubid
  from reads r
  join pg_rewrite w on w.ev_class = r.relation and r.kind = 'v'
  join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
    and d.refobjid <> r.relation
  join pg_class c on c.oid = d.refobjid
)
select c.relname, a.attname
from reads r join pg_class c on c.oid = r.relation join pg_attribute a on a.attrelid = c.oid and a.attnum = r.attribute
where r.kind <> 'v' and r.attribute > 0
"""
PEOPLE = "create or replace view private.story_people as select a.story_id, a.storyteller_id from public.authorship a"
TRIGGERS = """
select c.relname, t.tgtype, encode(t.tgargs, 'escape'), p.proname, p.prosrc
from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
where c.relnamespace = 'public'::regnamespace and not t.tgisinternal and t.tgenabled in ('O', 'A')
  and p.pronamespace = 'private'::regnamespace and p.proname in ('visibility_changed', 'story_changed')
  and t.tgqual is null and t.tgtype & 1 = 0
"""


def sources(connection: psycopg.Connection) -> dict[str, set[str]]:
    """Table -> the columns that private.story_rule reads, through however many views."""
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(SOURCES):
        found.setdefault(table, set()).add(column)
    return found


def gaps(connection: psycopg.Connection) -> list[str]:
    """What the rule reads and no enabled statement trigger watches. An id says which row it is, and is never ignored."""
    watched: dict[tuple[str, str], set[str] | None] = {}
    for table, kind, arguments, function, source in connection.execute(TRIGGERS):
        columns = (
            set(re.findall(r"\bn\.(\w+)(?=[,)])", source.partition(" where '")[2]))
            if function == "story_changed"
            else set(arguments.split("\\000")[4].split())
        )
        for event, bit in EVENTS.items():
            if kind & bit:
                watched[table, event] = columns
    found = []
    for table, columns in sources(connection).items():
        found += [
            f"{table}: no trigger for {e}"
            for e in EVENTS
            if (table, e) not in watched and (table, e) not in WITHOUT
        ]
        found += [
            f"{table}.{c} is not watched"
            for c in columns - {"id"} - (watched.get((table, "update")) or set())
        ]
    return sorted(found)


def test_the_rule_reads_what_it_speaks_of(furnished: psycopg.Connection) -> None:
    """Were the list of sources empty, the next test would pass."""
    assert {table: len(columns) for table, columns in sources(furnished).items()} == {
        "authorship": 2,
        "consents": 6,
        "cultural_protocols": 4,
        "elder_review_queue": 2,
        "interview_storytellers": 2,
        "stories": 7,
        "story_interviews": 2,
        "storytellers": 4,
    }
    furnished.rollback()


def test_every_column_that_the_rule_reads_is_watched(furnished: psycopg.Connection) -> None:
    assert gaps(furnished) == []
    furnished.rollback()


def test_a_trigger_disabled_and_a_column_added_are_noticed(furnished: psycopg.Connection) -> None:
    for change, gap in (
        (
            "alter table public.consents disable trigger visibility_truncate",
            "consents: no trigger for truncate",
        ),
        ("drop trigger visibility_update on public.stories", "stories: no trigger for update"),
        (
            f"{PEOPLE} where a.position > 0",
            "authorship.position is not watched",
        ),
        (
            f"{PEOPLE} join public.stories s on s.id = a.story_id where s.language = 'en'",
            "stories.language is not watched",
        ),
    ):
        with furnished.transaction(force_rollback=True):
            furnished.execute(change.encode())
            assert gap in gaps(furnished)
    furnished.rollback()
