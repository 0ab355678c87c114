"""Writes what people said and decided: consents, protocols, reviews."""

from __future__ import annotations

import uuid

from tests.consent.world import Consent, ConsentKey, Protocol, uid
from tests.consent.writing import SOURCE_GONE, Writing, filled


class Said(Writing):
    """Consents, protocols and reviews."""

    def consent(self, key: ConsentKey, value: Consent) -> None:
        """A consent given or withdrawn."""
        self.consents({key: value})

    def consents(self, values: dict[ConsentKey, Consent]) -> None:
        """Any number of consents in one statement."""
        rows = ", ".join(
            filled(
                "({id}, {person}, {purpose}, {story}, {state}, now() + make_interval(days => {expires}::integer), "
                + SOURCE_GONE
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
            f"evidence_kind, airtable_record_id) values {rows} on conflict (id) do update set "
            "state = excluded.state, expires_at = excluded.expires_at, source_deleted_at = excluded.source_deleted_at"
        )
        self.world.consents.update(values)

    def _consent_id(self, key: ConsentKey) -> str:
        """Its own, unless a row that was moved has brought another or gone away with it."""
        if key not in self.ids:
            taken = uid("consent", *key) in self.ids.values()
            self.ids[key] = str(uuid.uuid4()) if taken else uid("consent", *key)
        return self.ids[key]

    def no_consent(self, key: ConsentKey) -> None:
        """A row of consents deleted."""
        self.run("delete from public.consents where id = {id}", id=self._consent_id(key))
        del self.world.consents[key], self.ids[key]

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
        del self.ids[key]
        self.ids[to] = new
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
