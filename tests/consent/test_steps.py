"""No sequence of what people, the service and the loader do leaves a story more or less open than the oracle says."""

from __future__ import annotations

from functools import partial
from typing import cast

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.consent import strategies as some
from tests.consent.conftest import NIGHTLY, PROFILE
from tests.consent.hand import LOADER, OWNER, SERVICE, Hand
from tests.consent.seen import differences
from tests.consent.world import Consent, ConsentKey, Person, Protocol, Story, World, open_world

hands = st.sampled_from([OWNER, SERVICE, SERVICE, LOADER])
tables = st.sampled_from(sorted(some.TIES))


class Steps(RuleBasedStateMachine):
    """One transaction, rolled back at the end."""

    def __init__(self, connection: psycopg.Connection) -> None:
        super().__init__()
        self.hand = Hand(connection)

    def teardown(self) -> None:
        self.hand.connection.rollback()

    @initialize(disturbed=st.booleans(), data=st.data())
    def begin(self, disturbed: bool, data: st.DataObject) -> None:
        self.hand.all_of(data.draw(some.worlds()) if disturbed else open_world())

    @invariant()
    def agrees(self) -> None:
        if self.hand.world.people:
            assert differences(self.hand.connection, self.hand.world) == []

    def _any(self, data: st.DataObject, among: object) -> object:
        return data.draw(st.sampled_from(sorted(among, key=str)))  # type: ignore[call-overload]  # keys of many types

    @rule(by=hands, key=some.consent_keys, consent=some.consents)
    def consents(self, by: str, key: ConsentKey, consent: Consent) -> None:
        if key[2] is None or key[2] in self.world.stories:
            self.hand.by = by
            self.hand.consent(key, consent)

    @rule(by=hands, data=st.data(), consent=some.consents)
    @precondition(lambda self: self.world.consents)
    def changes_consent(self, by: str, data: st.DataObject, consent: Consent) -> None:
        self.hand.by = by
        self.hand.consent(self._any(data, self.world.consents), consent)  # type: ignore[arg-type]  # a key of just that mapping

    @rule(by=hands, data=st.data())
    @precondition(lambda self: self.world.consents)
    def loses_consent(self, by: str, data: st.DataObject) -> None:
        self.hand.by = by
        self.hand.no_consent(self._any(data, self.world.consents))  # type: ignore[arg-type]  # a key of just that mapping

    @rule(by=hands, data=st.data(), person=some.person_numbers, new_id=st.booleans())
    @precondition(lambda self: self.world.consents)
    def moves_consent(self, by: str, data: st.DataObject, person: int, new_id: bool) -> None:
        self.hand.by = by
        old: ConsentKey = self._any(data, self.world.consents)  # type: ignore[assignment]  # a key of just that mapping
        new = (person, *old[1:])
        if new not in self.world.consents:
            self.hand.moved_consent(old, new, new_id=new_id)

    @rule(by=hands, n=some.person_numbers, person=some.people)
    def changes_person(self, by: str, n: int, person: Person) -> None:
        self.hand.by = by
        self.hand.person(n, person)

    @rule(by=hands, n=some.story_numbers, story=some.stories)
    def writes_story(self, by: str, n: int, story: Story) -> None:
        # Its versions are for the triggers alone to write: a new story comes whole from the owner.
        self.hand.by = OWNER if by == SERVICE and n not in self.world.stories else by
        with self.hand.batch():
            self.hand.story(n, story)

    @rule(by=hands, data=st.data())
    @precondition(lambda self: self.world.stories)
    def deletes_story(self, by: str, data: st.DataObject) -> None:
        self.hand.by = by
        self.hand.no_story(self._any(data, self.world.stories))  # type: ignore[arg-type]  # a key of just that mapping

    @rule(by=hands, n=some.either, protocol=some.protocols)
    def writes_protocol(self, by: str, n: int, protocol: Protocol) -> None:
        self.hand.by = by
        self.hand.protocol(n, protocol)

    @rule(by=hands, data=st.data())
    @precondition(lambda self: self.world.protocols)
    def deletes_protocol(self, by: str, data: st.DataObject) -> None:
        self.hand.by = by
        self.hand.no_protocol(self._any(data, self.world.protocols))  # type: ignore[arg-type]  # a key of just that mapping

    @rule(by=hands, data=st.data(), state=some.reviews)
    @precondition(lambda self: self.world.stories)
    def reviews(self, by: str, data: st.DataObject, state: str) -> None:
        self.hand.by = by
        self.hand.review(self._any(data, self.world.stories), state)  # type: ignore[arg-type]  # a key of just that mapping

    @rule(by=hands, data=st.data(), to=some.story_numbers)
    @precondition(lambda self: self.world.reviews)
    def takes_off_or_moves_review(self, by: str, data: st.DataObject, to: int) -> None:
        self.hand.by = by
        story: int = self._any(data, self.world.reviews)  # type: ignore[assignment]  # a key of just that mapping
        if to in self.world.stories and to not in self.world.reviews:
            self.hand.moved_review(story, to)
        else:
            self.hand.no_review(story)

    @rule(by=hands, table=tables, data=st.data())
    def ties(self, by: str, table: str, data: st.DataObject) -> None:
        self.hand.by = by
        tie = data.draw(some.TIES[table])
        if table == "interview_storytellers" or tie[0] in self.world.stories:
            self.hand.tie(table, *tie)

    @rule(by=hands, table=tables, data=st.data(), new_id=st.booleans())
    def unties_or_moves(self, by: str, table: str, data: st.DataObject, new_id: bool) -> None:
        self.hand.by = by
        _, _, there = self.hand.ends(table)
        new = data.draw(some.TIES[table])
        if there:
            old: tuple[int, int] = self._any(data, there)  # type: ignore[assignment]  # a key of just that mapping
            if new in there or (table != "interview_storytellers" and new[0] not in self.world.stories):
                self.hand.untie(table, *old)
            else:
                self.hand.retie(table, old, new, new_id=new_id)

    @rule(account=some.accounts, community=some.either, how=some.memberships)
    def joins(self, account: str, community: int, how: tuple[str, bool]) -> None:
        self.hand.by = OWNER
        self.hand.member(account, community, *how)

    @rule(account=some.accounts, organisation=some.either, belongs=st.booleans())
    def joins_organisation(self, account: str, organisation: int, belongs: bool) -> None:
        self.hand.by = OWNER
        self.hand.organisation_member(account, organisation, belongs)

    @rule(
        table=st.sampled_from(["consents", "cultural_protocols", "elder_review_queue", *sorted(some.TIES)]),
        really=st.sampled_from([True, False, False, False, False]),
    )
    def truncates(self, table: str, really: bool) -> None:
        if really:
            self.hand.by = OWNER
            self.hand.truncate(table)

    @property
    def world(self) -> World:
        return self.hand.world


def test_after_every_step_nothing_is_stale_and_everybody_sees_what_they_may(
    furnished: psycopg.Connection,
) -> None:
    examples = PROFILE if NIGHTLY else type(PROFILE)(PROFILE, max_examples=15)
    machine = cast(type[RuleBasedStateMachine], partial(Steps, furnished))
    run_state_machine_as_test(machine, settings=examples)
