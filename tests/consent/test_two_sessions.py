"""Whatever two sessions do at once, in any order of their statements, no story ends more open than the rule says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from tests.consent.conftest import NIGHTLY
from tests.consent.field import Field, field_on
from tests.consent.races import ACTS, BESIDE_A_LOAD, LOADS

CLOSING = [
    name
    for name in ACTS
    if name.startswith(("withdraw", "change consent", "delete consent", "expire", "close", "person"))
]
JOINING = ["add author", "move authorship", "replace author", "add speaker to a linked interview"]


@pytest.fixture(scope="module")
def field(furnished_url: str) -> Iterator[Field]:
    with field_on(furnished_url) as field:
        yield field


@pytest.mark.parametrize("first", ACTS)
def test_no_interleaving_of_two_acts_leaves_a_story_stale(field: Field, first: str) -> None:
    later = list(ACTS)[list(ACTS).index(first) :]
    assert field.run(((first, ACTS[first]), (name, ACTS[name])) for name in later).stale == []


def test_a_withdrawal_racing_a_new_person_ends_closed(field: Field) -> None:
    pairs = [((a, ACTS[a]), (b, ACTS[b])) for a, b in product(CLOSING, JOINING) if "draft" not in a]
    outcome = field.run(pairs)
    assert outcome.run - len(outcome.refused) > len(pairs), "most sessions must get through"
    assert outcome.stale == outcome.open == []


def test_a_withdrawal_racing_an_interview_and_its_speaker_ends_closed(field: Field) -> None:
    outcome = field.run([tuple((name, ACTS[name]) for name in ("withdraw", "link interview", "add speaker"))])
    assert outcome.run > len(outcome.refused), "some must get through"
    assert outcome.stale == outcome.open == []


@pytest.mark.parametrize(
    "names",
    [("move story", "add protocol", "add author"), ("publish", "withdraw", "queue for review")],
    ids=str,
)
def test_no_interleaving_of_three_acts_leaves_a_story_stale(field: Field, names: tuple[str, ...]) -> None:
    assert field.run([tuple((name, ACTS[name]) for name in names)]).stale == []


@pytest.mark.parametrize("load", LOADS)
def test_a_load_racing_any_act_leaves_nothing_stale(field: Field, load: str) -> None:
    for name in ACTS if NIGHTLY else BESIDE_A_LOAD:
        assert field.run([((load, LOADS[load]), (name, ACTS[name]))]).stale == []
