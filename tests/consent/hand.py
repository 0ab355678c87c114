"""Writes a world into Postgres, change by change, and keeps the plain data in step.

What belongs here: one method per thing that can happen. What does not: what follows from it (``oracle``, ``seen``).

Invariants: every method writes the database first and the world only when that has worked; nothing is committed; who
writes (``by``) is the owner, the service role, or the loader, which fires no trigger and refreshes once at its end.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tests.consent.world import (
    ACCOUNTS,
    PAIR,
    Consent,
    ConsentKey,
    Person,
    Protocol,
    Story,
    World,
    uid,
)

OWNER, SERVICE, LOADER = "owner", "service_role", "loader"
_AS = {
    OWNER: ("", ""),
    SERVICE: ("set local role service_role;", "; reset role"),
    LOADER: (
        "set local migration.writer = 'on';",
        "; select private.refresh_all(); set local migration.writer = 'off'",
    ),
}
_SOURCE_GONE = "case when {gone} then timestamptz '2026-01-01' end"


def filled(text: str, /, **values: object) -> str:
    """SQL with values as literals: several statements in one message take no parameters."""
    return text.format(**{name: sql.Literal(value).as_string() for name, value in values.items()})


class Hand:
    """One connection and the world that it has written."""

    def __init__(self, connection: psycopg.Connection, world: World | None = None, by: str = OWNER) -> None:
        self.connection = connection
        self.world = world or World()
        self.by = by
        self._batch: list[str] | None = None
        self._ids: dict[ConsentKey, str] = {}

    def run(self, text: str, /, **values: object) -> None:
        """Execute now, or with the batch."""
        if self._batch is not None:
            self._batch.append(filled(text, **values))
            return
        before, after = _AS[self.by]
        self.connection.execute((before + filled(text, **values) + after).encode())

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Several changes as one message, and for the loader with one refresh."""
        self._batch = []
        yield
        parts, self._batch = self._batch, None
        if parts:
            before, after = _AS[self.by]
            self.connection.execute((before + ";".join(parts) + after).encode())

    def furnish(self) -> None:
        """What every world stands on: bodies, interviews with a theme each, accounts."""
        rows = []
        for n in PAIR:
            rows.append(
                filled(
                    "insert into public.communities (id, name, slug) values ({id}, {name}, {name})",
                    id=uid("community", n),
                    name=f"c{n}",
                )
            )
            rows.append(
                filled(
                    "insert into public.organisations (id, name, kind) values ({id}, {name}, 'other')",
                    id=uid("organisation", n),
                    name=f"o{n}",
                )
            )
            rows.append(
                filled(
                    "insert into public.interviews (id, file_name) values ({id}, 'f')", id=uid("interview", n)
                )
            )
            rows.append(filled("insert into public.themes (id, name) values ({id}, 't')", id=uid("theme", n)))
            rows.append(
                filled(
                    "insert into public.interview_themes (id, interview_id, theme_id, position) values ({id}, {i}, {id}, 1)",
                    id=uid("theme", n),
                    i=uid("interview", n),
                )
            )
        for name in ACCOUNTS:
            rows.append(filled("insert into auth.users (id) values ({id})", id=uid("account", name)))
            rows.append(
                filled(
                    "insert into public.profiles (id, display_name) values ({id}, {name})",
                    id=uid("account", name),
                    name=name,
                )
            )
        self.connection.execute(";".join(rows).encode())

    def person(self, n: int, value: Person) -> None:
        """A person, new or changed."""
        self.run(
            "insert into public.storytellers (id, name, privacy, sensitive, deceased, profile_id) "
            "values ({id}, 'n', {privacy}, {sensitive}, {deceased}, {account}) on conflict (id) do update set "
            "privacy = excluded.privacy, sensitive = excluded.sensitive, deceased = excluded.deceased, "
            "profile_id = excluded.profile_id",
            id=uid("person", n),
            privacy=value.privacy,
            sensitive=value.sensitive,
            deceased=value.deceased,
            account=uid("account", value.account) if value.account else None,
        )
        for story in () if n in self.world.people else self.world.stories:
            self._quote(story, n)
        self.world.people[n] = value

    def no_person(self, n: int) -> None:
        """A person deleted with everything of theirs, in one message."""
        self.run(
            "delete from public.quotes where storyteller_id = {id}; delete from public.consents where storyteller_id = {id};"
            "delete from public.authorship where storyteller_id = {id};"
            "delete from public.interview_storytellers where storyteller_id = {id};"
            "delete from public.storytellers where id = {id}",
            id=uid("person", n),
        )
        w = self.world
        w.authors = {t for t in w.authors if t[1] != n}
        w.speakers = {t for t in w.speakers if t[1] != n}
        w.consents = {k: c for k, c in w.consents.items() if k[0] != n}
        del w.people[n]

    def story(self, n: int, value: Story) -> None:
        """A story, changed or new; a new one comes with all its children."""
        self.run(
            "insert into public.stories (id, title, copy, status, published_at, privacy, sensitivity, "
            "requires_elder_review, community_id, organisation_id, source_deleted_at) values ({id}, {name}, 'sea', "
            "{status}, case when {status} = 'published' then now() end, {privacy}, {sensitivity}, {review}, {community}, "
            "{organisation}, " + _SOURCE_GONE + ") on conflict (id) do update set status = excluded.status, "
            "published_at = excluded.published_at, privacy = excluded.privacy, sensitivity = excluded.sensitivity, "
            "requires_elder_review = excluded.requires_elder_review, community_id = excluded.community_id, "
            "organisation_id = excluded.organisation_id, source_deleted_at = excluded.source_deleted_at",
            id=uid("story", n),
            name=f"s{n}",
            status=value.status,
            privacy=value.privacy,
            sensitivity=value.sensitivity,
            review=value.review,
            gone=value.gone,
            community=uid("community", value.community) if value.community else None,
            organisation=uid("organisation", value.organisation) if value.organisation else None,
        )
        if n not in self.world.stories:
            self._children(n)
        self.world.stories[n] = value

    def words(self, n: int) -> None:
        """A story's words changed: what elders approved must be approved again."""
        self.run("update public.stories set title = title || '.' where id = {id}", id=uid("story", n))
        if self.world.reviews.get(n) == "approved":
            self.world.reviews[n] = "pending"

    def _children(self, n: int) -> None:
        id_, account = uid("story", n), uid("account", ACCOUNTS[3])
        for person in self.world.people:
            self._quote(n, person)
        self.run(
            "insert into public.media_assets (id, role, story_id, position, attachment_id, object_key) "
            "values ({id}, 'story_image', {id}, 1, 'a', {id});"
            "insert into public.story_analysis (id, story_id, kind, result, validated_at) "
            "values ({id}, {id}, 'impact', '1', now());"
            "insert into public.story_comments (id, story_id, profile_id, body) values ({id}, {id}, {account}, 'b');"
            "insert into public.story_reactions (id, story_id, profile_id, kind) values ({id}, {id}, {account}, 'heart');"
            "insert into public.story_versions (id, story_id, version) values ({id}, {id}, 1)",
            id=id_,
            account=account,
        )

    def _quote(self, story: int, person: int) -> None:
        self.run(
            "insert into public.quotes (id, quote, storyteller_id, story_id, featured) "
            "values ({id}, {text}, {person}, {story}, true)",
            id=uid("quote", story, person),
            text=f"{story}/{person}",
            person=uid("person", person),
            story=uid("story", story),
        )

    def insights(self) -> None:
        """One insight for everybody and one for members, each from stories 1 to 3 of community 1."""
        for name in ("public", "members"):
            self.run(
                "insert into public.community_insights (id, community_id, kind, result, is_public) "
                "values ({id}, {community}, 'k', '1', {public})",
                id=uid("insight", name),
                community=uid("community", 1),
                public=name == "public",
            )
            for n in (1, 2, 3):
                self.run(
                    "insert into public.community_insight_stories (insight_id, story_id) values ({id}, {story})",
                    id=uid("insight", name),
                    story=uid("story", n),
                )
            self.world.insights.add(name)

    def no_story(self, n: int) -> None:
        """A story deleted with everything of it, in one message."""
        self.run(
            "delete from public.community_insights; delete from public.quotes where story_id = {id};"
            "delete from public.media_assets where story_id = {id}; delete from public.authorship where story_id = {id};"
            "delete from public.story_interviews where story_id = {id}; delete from public.stories where id = {id}",
            id=uid("story", n),
        )
        w = self.world
        w.insights.clear()
        w.authors = {t for t in w.authors if t[0] != n}
        w.made_from = {t for t in w.made_from if t[0] != n}
        w.consents = {k: c for k, c in w.consents.items() if k[2] != n}
        w.reviews.pop(n, None)
        del w.stories[n]

    def consent(self, key: ConsentKey, value: Consent) -> None:
        """A consent given or withdrawn."""
        self.consents({key: value})

    def consents(self, values: dict[ConsentKey, Consent]) -> None:
        """Any number of consents in one statement."""
        rows = ", ".join(
            filled(
                "({id}, {person}, {purpose}, {story}, {state}, now() + make_interval(days => {expires}::integer), "
                + _SOURCE_GONE
                + ", {evidence}, case when {evidence} = 'airtable' then 'rec' end)",
                id=self._consent_id(key),
                person=uid("person", key[0]),
                purpose=key[1],
                evidence=key[3],
                story=uid("story", key[2]) if key[2] else None,
                state=value.state,
                expires=value.expires,
                gone=value.gone,
            )
            for key, value in values.items()
        )
        self.run(
            "insert into public.consents (id, storyteller_id, purpose, story_id, state, expires_at, source_deleted_at, "
            f"evidence_kind, airtable_record_id) values {rows} on conflict (id) do update set "  # noqa: S608
            "state = excluded.state, expires_at = excluded.expires_at, source_deleted_at = excluded.source_deleted_at"
        )
        self.world.consents.update(values)

    def _consent_id(self, key: ConsentKey) -> str:
        """Its own, unless a row that was moved has brought another or gone away with it."""
        if key not in self._ids:
            taken = uid("consent", *key) in self._ids.values()
            self._ids[key] = str(uuid.uuid4()) if taken else uid("consent", *key)
        return self._ids[key]

    def no_consent(self, key: ConsentKey) -> None:
        """A row of consents deleted."""
        self.run("delete from public.consents where id = {id}", id=self._consent_id(key))
        del self.world.consents[key], self._ids[key]

    def moved_consent(self, key: ConsentKey, to: ConsentKey, *, new_id: bool = False) -> None:
        """A row of consents made another person's, purpose's or story's by one update."""
        old = self._consent_id(key)
        new = str(uuid.uuid4()) if new_id else old
        self.run(
            "update public.consents set id = {new}, storyteller_id = {person}, purpose = {purpose}, story_id = {story} "
            "where id = {old}",
            old=old,
            new=new,
            person=uid("person", to[0]),
            purpose=to[1],
            story=uid("story", to[2]) if to[2] else None,
        )
        del self._ids[key]
        self._ids[to] = new
        self.world.consents[to] = self.world.consents.pop(key)

    def protocol(self, n: int, value: Protocol) -> None:
        """A protocol, new or changed."""
        self.run(
            "insert into public.cultural_protocols (id, community_id, name, enforcement, privacy, is_active) "
            "values ({id}, {community}, 'p', {enforcement}, {privacy}, {active}) on conflict (id) do update set "
            "community_id = excluded.community_id, enforcement = excluded.enforcement, privacy = excluded.privacy, "
            "is_active = excluded.is_active",
            id=uid("protocol", n),
            community=uid("community", value.community),
            enforcement=value.enforcement,
            privacy=value.privacy,
            active=value.active,
        )
        self.world.protocols[n] = value

    def no_protocol(self, n: int) -> None:
        """A protocol deleted."""
        self.run("delete from public.cultural_protocols where id = {id}", id=uid("protocol", n))
        del self.world.protocols[n]

    def review(self, story: int, state: str) -> None:
        """A story in the elders' queue, or its state there."""
        self.run(
            "insert into public.elder_review_queue (story_id, state) values ({story}, {state}) "
            "on conflict (story_id) do update set state = excluded.state",
            story=uid("story", story),
            state=state,
        )
        self.world.reviews[story] = state

    def no_review(self, story: int) -> None:
        """A story taken off the queue."""
        self.run("delete from public.elder_review_queue where story_id = {story}", story=uid("story", story))
        del self.world.reviews[story]

    def moved_review(self, story: int, to: int) -> None:
        """A line of the queue made another story's."""
        self.run(
            "update public.elder_review_queue set story_id = {to} where story_id = {story}",
            story=uid("story", story),
            to=uid("story", to),
        )
        self.world.reviews[to] = self.world.reviews.pop(story)

    def tie(self, table: str, one: int, other: int) -> None:
        """Two things tied: an author, an interview of a story, a speaker."""
        left, right, ties = self.ends(table)
        if (one, other) not in ties:
            self.run(
                f"insert into public.{table} (id, {left}_id, {right}_id, position) "  # noqa: S608
                "values (gen_random_uuid(), {one}, {other}, 1)",
                one=uid(_KIND[left], one),
                other=uid(_KIND[right], other),
            )
            ties.add((one, other))

    def untie(self, table: str, one: int, other: int) -> None:
        """A tie deleted."""
        left, right, ties = self.ends(table)
        self.run(
            f"delete from public.{table} where {left}_id = {{one}} and {right}_id = {{other}}",  # noqa: S608
            one=uid(_KIND[left], one),
            other=uid(_KIND[right], other),
        )
        ties.discard((one, other))

    def retie(self, table: str, old: tuple[int, int], new: tuple[int, int], *, new_id: bool = False) -> None:
        """A tie made another one by one update."""
        left, right, ties = self.ends(table)
        self.run(
            f"update public.{table} set {'id = gen_random_uuid(), ' if new_id else ''}{left}_id = {{one}}, "  # noqa: S608
            f"{right}_id = {{other}} where {left}_id = {{old_one}} and {right}_id = {{old_other}}",
            one=uid(_KIND[left], new[0]),
            other=uid(_KIND[right], new[1]),
            old_one=uid(_KIND[left], old[0]),
            old_other=uid(_KIND[right], old[1]),
        )
        ties.discard(old)
        ties.add(new)

    def ends(self, table: str) -> tuple[str, str, set[tuple[int, int]]]:
        """Which two columns a table ties, and the ties there are."""
        w = self.world
        return {
            "authorship": ("story", "storyteller", w.authors),
            "story_interviews": ("story", "interview", w.made_from),
            "interview_storytellers": ("interview", "storyteller", w.speakers),
        }[table]

    def member(self, account: str, community: int, role: str, approved: bool) -> None:
        """An account in a community."""
        self.run(
            "insert into public.community_members (profile_id, community_id, role, approved_at) values ({account}, "
            "{community}, {role}, case when {approved} then now() end) on conflict (profile_id, community_id) do update "
            "set role = excluded.role, approved_at = excluded.approved_at",
            account=uid("account", account),
            community=uid("community", community),
            role=role,
            approved=approved,
        )
        self.world.members[account, community] = (role, approved)

    def organisation_member(self, account: str, organisation: int, belongs: bool) -> None:
        """An account in an organisation, or out of it."""
        values = {"account": uid("account", account), "organisation": uid("organisation", organisation)}
        if belongs:
            self.run(
                "insert into public.organisation_members (profile_id, organisation_id) values ({account}, {organisation}) on conflict do nothing",
                **values,
            )
            self.world.organisation_members.add((account, organisation))
        else:
            self.run(
                "delete from public.organisation_members where profile_id = {account} and organisation_id = {organisation}",
                **values,
            )
            self.world.organisation_members.discard((account, organisation))

    def truncate(self, table: str) -> None:
        """All rows of a table at once; only the owner may."""
        self.run(f"truncate public.{table}")
        w = self.world
        {
            "consents": w.consents,
            "cultural_protocols": w.protocols,
            "elder_review_queue": w.reviews,
            "authorship": w.authors,
            "story_interviews": w.made_from,
            "interview_storytellers": w.speakers,
        }[table].clear()

    def all_of(self, w: World, order: Sequence[int] | None = None) -> None:
        """A whole world in one message; in any order of its tables: the migrated ones' keys are deferrable."""
        parts = [
            lambda: [self.person(n, person) for n, person in w.people.items()],
            lambda: [self.story(n, story) for n, story in w.stories.items()],
            lambda: [self.tie("authorship", *tie) for tie in sorted(w.authors)],
            lambda: [self.tie("story_interviews", *tie) for tie in sorted(w.made_from)],
            lambda: [self.tie("interview_storytellers", *tie) for tie in sorted(w.speakers)],
            lambda: [self.consents(w.consents)] if w.consents else [],
            lambda: [self.protocol(n, protocol) for n, protocol in w.protocols.items()],
            lambda: [self.member(*whose, *how) for whose, how in w.members.items()],
        ]
        with self.batch():
            if order:
                self.run("set constraints all deferred")
            for number in order or range(len(parts)):
                parts[number]()
            for n, state in w.reviews.items():
                self.review(n, state)
            for account, organisation in w.organisation_members:
                self.organisation_member(account, organisation, True)
            if w.insights:
                self.insights()


_KIND = {"story": "story", "storyteller": "person", "interview": "interview"}
