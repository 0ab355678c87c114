"""Take any one ingredient of the rule away, and a case or a race turns red: so the other tests here can fail."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import psycopg
import pytest

from ledger_assets.demo.postgres import Cluster
from tests.consent.cases import CASES
from tests.consent.conftest import copy_of
from tests.consent.field import field_on
from tests.consent.hand import Hand
from tests.consent.mutants import LOCKS, RULE, mutated
from tests.consent.noticing import NOTICED, RACES, TRIGGERS, WATCHED
from tests.consent.races import ACTS, LOADS
from tests.consent.seen import differences
from tests.consent.world import World, open_world


@pytest.fixture(scope="module")
def opened(furnished: psycopg.Connection) -> Iterator[World]:
    """The open world, written once, never committed."""
    hand = Hand(furnished)
    hand.all_of(open_world())
    # Nothing may be pending when a view or a trigger is changed.
    furnished.execute("set constraints all immediate")
    yield hand.world
    furnished.rollback()


def noticed(connection: psycopg.Connection, world: World, case: str) -> bool:
    """Whether this case is red."""
    hand = Hand(connection, deepcopy(world))
    try:
        with connection.transaction(force_rollback=True):
            CASES[case](hand)
            return differences(connection, hand.world) != []
    except psycopg.errors.NotNullViolation:
        return True  # a rule without an answer


@pytest.mark.parametrize("name", RULE)
def test_a_rule_without_one_ingredient_is_noticed(
    furnished: psycopg.Connection, opened: World, name: str
) -> None:
    with furnished.transaction(force_rollback=True):
        for statement in mutated(RULE[name]):
            furnished.execute(statement)
        assert noticed(furnished, opened, NOTICED[name])


@pytest.mark.parametrize(("source", "case"), TRIGGERS.items())
def test_a_source_without_its_trigger_is_noticed(
    furnished: psycopg.Connection, opened: World, source: str, case: str
) -> None:
    table, event = source.split()
    with furnished.transaction(force_rollback=True):
        furnished.execute(f"alter table public.{table} disable trigger visibility_{event}".encode())
        assert noticed(furnished, opened, case)


@pytest.mark.parametrize(("source", "case"), WATCHED.items())
def test_a_column_that_is_not_watched_is_noticed(
    furnished: psycopg.Connection, opened: World, source: str, case: str
) -> None:
    table, column = source.split()
    row = furnished.execute(
        "select pg_get_triggerdef(oid) from pg_trigger where tgrelid = %s::regclass and tgname = 'visibility_update'",
        (f"public.{table}",),
    ).fetchone()
    assert row is not None
    head, _, watched = row[0].rpartition(", '")
    fewer = " ".join(c for c in watched.removesuffix("')").split() if c != column) or "id"
    with furnished.transaction(force_rollback=True):
        furnished.execute("drop trigger visibility_update on public." + table)
        furnished.execute(f"{head}, '{fewer}')".encode())
        assert noticed(furnished, opened, case)


@pytest.mark.parametrize("name", LOCKS)
def test_a_refresh_without_one_of_its_locks_is_noticed(
    cluster: Cluster, migrated_template: str, name: str
) -> None:
    for url in copy_of(cluster, migrated_template):
        with psycopg.connect(url) as connection:
            for statement in mutated(LOCKS[name]):
                connection.execute(statement)
        with field_on(url) as field:
            assert field.run([tuple((act, (ACTS | LOADS)[act]) for act in RACES[name])]).stale != []
