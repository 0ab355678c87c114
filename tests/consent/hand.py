"""Writes a world into Postgres, change by change, and keeps the plain data in step.

What belongs here: one method per thing that can happen to people and stories; ``hand_said`` and ``hand_ties`` have the
rest. What does not: what follows from it (``oracle``, ``seen``).

Invariants: every method writes the database first and the world only when that has worked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from tests.consent.hand_said import Said
from tests.consent.hand_ties import Ties
from tests.consent.world import ACCOUNTS, PAIR, Person, Story, World, uid
from tests.consent.writing import LOADER, OWNER, SERVICE, SOURCE_GONE, filled

Parts = list[list[Callable[[], None]]]
__all__ = ["LOADER", "OWNER", "SERVICE", "Hand"]


class Hand(Said, Ties):
    """One connection and the world that it has written."""

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
            "{organisation}, " + SOURCE_GONE + ") on conflict (id) do update set status = excluded.status, "
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

    def all_of(self, w: World, order: Sequence[int] | None = None) -> None:
        """A whole world in one message; in any order of its tables: the migrated ones' keys are deferrable."""
        ties = (
            ("authorship", w.authors),
            ("story_interviews", w.made_from),
            ("interview_storytellers", w.speakers),
        )
        tied: Parts = [[partial(self.tie, table, *tie) for tie in sorted(there)] for table, there in ties]
        parts: Parts = [
            [partial(self.person, n, person) for n, person in w.people.items()],
            [partial(self.story, n, story) for n, story in w.stories.items()],
            *tied,
            [partial(self.consents, w.consents)] if w.consents else [],
            [partial(self.protocol, n, protocol) for n, protocol in w.protocols.items()],
            [partial(self.member, *whose, *how) for whose, how in w.members.items()],
        ]
        with self.batch():
            if order:
                self.run("set constraints all deferred")
            for number in order or range(len(parts)):
                for write in parts[number]:
                    write()
            for n, state in w.reviews.items():
                self.review(n, state)
            for account, organisation in w.organisation_members:
                self.organisation_member(account, organisation, True)
            if w.insights:
                self.insights()
