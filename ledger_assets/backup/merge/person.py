"""Everything of one storyteller: their row, the stories they tell, the interviews they speak in, and what hangs on those.

What belongs here: which rows those are, and which of them others have a part in. What does not: the rules that hold for
every mode (``rules``).

Invariants: what others said or may lay claim to comes back when it was lost, and is never changed or removed for this
person's sake; money is not one person's and is left out (mode ``lost`` brings it back).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from psycopg import sql

from ledger_assets.backup.merge.model import Model, Table, raw
from ledger_assets.load.sqlfiles import Cursor

ROOTS = {
    "public.storytellers": "people", "public.stories": "stories", "public.interviews": "interviews",
    "public.quotes": "quotes",
}  # fmt: skip
OTHERS = frozenset(
    {"public.story_comments", "public.story_reactions", "public.community_insight_stories", "public.themes"}
)
"""Words and acts of others, and what more than one person has a part in: they come back, and no more."""
LEFT_OUT = frozenset({"public.value_events", "public.value_distributions"})
NEVER = sql.SQL("false")
ALWAYS = sql.SQL("true")

_FIND = "select id::text from public.storytellers where id::text = %(name)s or airtable_record_id = %(name)s"
_STORIES = "select story_id::text from public.authorship where storyteller_id::text = %(id)s"
_INTERVIEWS = (
    "select interview_id::text from public.interview_storytellers where storyteller_id::text = %(id)s"
)
_QUOTES = "select id::text from public.quotes where storyteller_id::text = %(id)s"
_THEMES = "select theme_id::text from public.interview_themes where interview_id::text = any (%(interviews)s)"
_RECORDS = {
    "public.storytellers": "people", "public.stories": "stories", "public.interviews": "interviews",
    "public.quotes": "quotes", "public.themes": "themes",
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Whose rows: ids as either database knows them, and the records they came from."""

    people: tuple[str, ...]
    stories: tuple[str, ...]
    interviews: tuple[str, ...]
    quotes: tuple[str, ...]
    themes: tuple[str, ...]
    records: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Part:
    """Rows of one table: which, and which of those may be changed or removed (over the live row ``t``)."""

    table: Table
    where: sql.Composable
    update: sql.Composable
    delete: sql.Composable


def find(cursors: Iterable[Cursor], name: str) -> Person | None:
    """The person's ids in both databases together; None when neither has them."""
    both = list(cursors)
    people = _all(both, _FIND, {"name": name})
    if not people:
        return None
    one = {"id": people[0]}
    interviews = _all(both, _INTERVIEWS, one)
    ids = {
        "people": people[:1],
        "stories": _all(both, _STORIES, one),
        "interviews": interviews,
        "quotes": _all(both, _QUOTES, one),
        "themes": _all(both, _THEMES, {"interviews": interviews}),
    }
    records: set[tuple[str, str, str]] = set()
    for cur in both:
        for table, kind in _RECORDS.items():
            query = sql.SQL(
                "select distinct airtable_base_id, airtable_table_id, airtable_record_id from {} "
                "where id::text = any (%s) and airtable_record_id is not null"
            ).format(sql.Identifier(*table.split(".")))
            records.update(cur.execute(query, (ids[kind],)).fetchall())
    return Person(**{kind: tuple(found) for kind, found in ids.items()}, records=tuple(sorted(records)))


def parts(model: Model, who: Person) -> list[Part]:
    """The rows of that person, parents first."""
    return [part for table in model.tables if (part := _part(model, table, who)) is not None]


def _part(model: Model, table: Table, who: Person) -> Part | None:
    if table.schema == "airtable" and {"base_id", "table_id", "record_id"} <= set(table.columns):
        keys = sql.SQL(", ").join(map(_literals, who.records))
        if not who.records:
            return None
        where = sql.SQL("(t.base_id, t.table_id, t.record_id) in ({})").format(keys)
        return Part(table, where, ALWAYS, ALWAYS)
    if table.schema != "public" or table.full in LEFT_OUT:
        return None
    terms = [_among("id", getattr(who, ROOTS[table.full]))] if table.full in ROOTS else []
    if table.full == "public.themes":
        terms = [_among("id", who.themes)]
    for key in model.keys:
        if (
            key.child == table.full
            and key.parent in ROOTS
            and table.full not in ROOTS
            and len(key.columns) == 1
        ):
            terms.append(_among(key.columns[0], getattr(who, ROOTS[key.parent])))
    if not terms:
        return None
    own = _own(table, who)
    sole = _sole(table, who)
    return Part(table, sql.SQL("({})").format(sql.SQL(" or ").join(terms)), own, _and(own, sole))


def _own(table: Table, who: Person) -> sql.Composable:
    if table.full in OTHERS:
        return NEVER
    if "storyteller_id" not in table.columns:
        return ALWAYS
    return sql.SQL("(t.storyteller_id is null or {})").format(_among("storyteller_id", who.people))


def _sole(table: Table, who: Person) -> sql.Composable:
    """A story that somebody else tells too, or an interview with others, is not removed."""
    link = {
        "public.stories": ("authorship", "story_id"),
        "public.interviews": ("interview_storytellers", "interview_id"),
    }.get(table.full)
    if link is None:
        return ALWAYS
    return sql.SQL(
        "not exists (select from public.{} o where o.{} = t.id and o.storyteller_id::text <> all ({}))"
    ).format(sql.Identifier(link[0]), sql.Identifier(link[1]), _array(who.people))


def _among(column: str, ids: Iterable[str]) -> sql.Composable:
    return sql.SQL("t.{} = any ({}::uuid[])").format(sql.Identifier(column), _array(ids))


def _array(ids: Iterable[str]) -> sql.Composable:
    # Literals: COPY takes no parameters.
    return sql.SQL("array[{}]::text[]").format(sql.SQL(", ").join(map(sql.Literal, ids)))


def _and(one: sql.Composable, other: sql.Composable) -> sql.Composable:
    return sql.SQL("({}) and ({})").format(one, other)


def _literals(values: Iterable[str]) -> sql.Composable:
    return sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, values)))


def _all(cursors: Iterable[Cursor], query: str, values: Mapping[str, object]) -> list[str]:
    return sorted({row[0] for cur in cursors for row in cur.execute(raw(query), values).fetchall()})
