"""Writes who belongs to what: authors, speakers, interviews of stories, members."""

from __future__ import annotations

from typing import Any

from tests.consent.world import uid
from tests.consent.writing import Writing

_KIND = {"story": "story", "storyteller": "person", "interview": "interview"}


class Ties(Writing):
    """Authors, speakers, members, and tables emptied at once."""

    def tie(self, table: str, one: int, other: int) -> None:
        """Two things tied: an author, an interview of a story, a speaker."""
        left, right, ties = self.ends(table)
        if (one, other) not in ties:
            self.run(
                f"insert into public.{table} (id, {left}_id, {right}_id, position) "
                "values (gen_random_uuid(), {one}, {other}, 1)",
                one=uid(_KIND[left], one),
                other=uid(_KIND[right], other),
            )
            ties.add((one, other))

    def untie(self, table: str, one: int, other: int) -> None:
        """A tie deleted."""
        left, right, ties = self.ends(table)
        self.run(
            f"delete from public.{table} where {left}_id = {{one}} and {right}_id = {{other}}",
            one=uid(_KIND[left], one),
            other=uid(_KIND[right], other),
        )
        ties.discard((one, other))

    def retie(self, table: str, old: tuple[int, int], new: tuple[int, int], *, new_id: bool = False) -> None:
        """A tie made another one by one update."""
        left, right, ties = self.ends(table)
        self.run(
            f"update public.{table} set {'id = gen_random_uuid(), ' if new_id else ''}{left}_id = {{one}}, "
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
                "insert into public.organisation_members (profile_id, organisation_id) "
                "values ({account}, {organisation}) on conflict do nothing",
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
        emptied: dict[str, dict[Any, Any] | set[Any]] = {
            "consents": w.consents,
            "cultural_protocols": w.protocols,
            "elder_review_queue": w.reviews,
            "authorship": w.authors,
            "story_interviews": w.made_from,
            "interview_storytellers": w.speakers,
        }
        emptied[table].clear()
