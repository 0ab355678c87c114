"""Each ingredient of the rule by itself, written by people and by the loader."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import psycopg
import pytest

from tests.consent.cases import CASES, SINGLE
from tests.consent.hand import LOADER, OWNER, Hand
from tests.consent.seen import differences
from tests.consent.world import World, open_world


@pytest.fixture(scope="module")
def opened(furnished: psycopg.Connection) -> Iterator[World]:
    """The open world, written once, never committed."""
    hand = Hand(furnished)
    hand.all_of(open_world())
    yield hand.world
    furnished.rollback()


@pytest.mark.parametrize(
    ("name", "by"), [*((name, OWNER) for name in CASES), *((name, LOADER) for name in SINGLE)]
)
def test_what_follows_is_what_the_oracle_says(
    furnished: psycopg.Connection, opened: World, name: str, by: str
) -> None:
    hand = Hand(furnished, deepcopy(opened), by)
    with furnished.transaction(force_rollback=True):
        CASES[name](hand)
        assert differences(furnished, hand.world) == []
