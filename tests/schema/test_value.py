"""Money that came of stories: shares that add up to the cent, to recipients that exist."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from tests.schema.world import SERVICE, World, in_background

SPLIT = "select public.split_value(%s, %s)"
SHARE = "insert into public.value_distributions (event_id, recipient, community_id, amount)"


def event(world: World, amount: str, **columns: Any) -> UUID:
    return world.row("value_events", kind="grant_funded", amount=amount, **columns)


def shares(world: World, *percents: str) -> Jsonb:
    people = [world.storyteller(f"Person {number}", consents=()) for number, _ in enumerate(percents)]
    return Jsonb([
        {"recipient": "storyteller", "storyteller_id": str(person), "percent": percent}
        for person, percent in zip(people, percents, strict=True)
    ])  # fmt: skip


def amounts(world: World, of: UUID) -> list[Decimal]:
    query = "select amount from value_distributions where event_id = %s order by amount desc"
    return [amount for (amount,) in world.all(query, of)]


@pytest.mark.parametrize(
    ("amount", "percents", "expected"),
    [
        ("100.00", ["33.33", "33.33", "33.34"], ["33.34", "33.33", "33.33"]),
        ("0.05", ["33.33", "33.33", "33.34"], ["0.03", "0.01", "0.01"]),
        ("0.01", ["100"], ["0.01"]),
        ("10.00", ["40", "40", "20"], ["4.00", "4.00", "2.00"]),
        ("9999999999.99", ["99.999", "0.001"], ["9999900000.00", "99999.99"]),
    ],
)
def test_what_rounding_leaves_goes_to_the_largest_share(
    world: World, amount: str, percents: list[str], expected: list[str]
) -> None:
    money = event(world, amount)
    assert world.ask(SERVICE, None, SPLIT, money, shares(world, *percents)) == len(percents)
    assert amounts(world, money) == [Decimal(e) for e in expected]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cents=st.one_of(st.integers(1, 300), st.integers(1, 10**12 - 1)),
    parts=st.lists(st.integers(1, 1000), min_size=1, max_size=8),
)
def test_any_split_adds_up_or_is_refused_because_a_share_would_be_nothing(
    world: World, cents: int, parts: list[int]
) -> None:
    amount = Decimal(cents) / 100
    whole = [Decimal(part) * 100 / sum(parts) for part in parts]
    percents = [part.quantize(Decimal("0.0001")) for part in whole[:-1]]
    percents.append(100 - sum(percents, Decimal(0)))
    smallest = min((amount * p / 100).quantize(Decimal("0.01"), "ROUND_DOWN") for p in percents)
    money = event(world, str(amount))
    asked = shares(world, *map(str, percents))
    if len(parts) > 1 and smallest == 0:
        with pytest.raises(psycopg.errors.CheckViolation, match="less than a cent"):
            world.ask(SERVICE, None, SPLIT, money, asked)
        assert amounts(world, money) == []
    else:
        world.ask(SERVICE, None, SPLIT, money, asked)
        assert sum(amounts(world, money)) == amount
        assert len(amounts(world, money)) == len(parts)


@pytest.mark.parametrize(
    ("percents", "message"),
    [
        (["50", "49.99"], "add up to 100"),
        (["120", "-20"], "above 0"),
        (["100", "0"], "above 0"),
        (["100", None], "above 0"),
        (["NaN"], "add up to 100"),
        ([], "add up to 100"),
    ],
)
def test_percentages_that_are_no_whole_are_refused(world: World, percents: list[Any], message: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match=message):
        world.ask(SERVICE, None, SPLIT, event(world, "10"), shares(world, *percents))


def test_bad_arguments_are_named(world: World) -> None:
    money = event(world, "10")
    with pytest.raises(psycopg.errors.NoDataFound, match="no value event"):
        world.ask(SERVICE, None, SPLIT, uuid.uuid4(), shares(world, "100"))
    for value in (Jsonb({"percent": 100}), None):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="are a list"):
            world.ask(SERVICE, None, SPLIT, money, value)


def test_an_event_is_shared_out_once(world: World) -> None:
    money, asked = event(world, "10"), shares(world, "100")
    world.ask(SERVICE, None, SPLIT, money, asked)
    with pytest.raises(psycopg.errors.UniqueViolation, match="shared out already"):
        world.ask(SERVICE, None, SPLIT, money, asked)


def test_recipients_exist_and_are_what_they_are_called(world: World) -> None:
    money = event(world, "10")
    nobody = Jsonb([{"recipient": "storyteller", "storyteller_id": str(uuid.uuid4()), "percent": 100}])
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="storyteller_id"):
        world.ask(SERVICE, None, SPLIT, money, nobody)
    for wrong in (
        {"recipient": "community", "storyteller_id": str(world.storyteller())},
        {"recipient": "storyteller"},
        {"recipient": "platform", "community_id": str(world.community())},
    ):
        with pytest.raises(psycopg.errors.CheckViolation, match="recipient_exists"):
            world.ask(SERVICE, None, SPLIT, money, Jsonb([{**wrong, "percent": 100}]))
    with pytest.raises(psycopg.errors.CheckViolation):
        world.ask(SERVICE, None, SPLIT, money, Jsonb([{"recipient": "stranger", "percent": 100}]))


@pytest.mark.parametrize("share", ["9.99", "10.01"])
def test_shares_written_by_hand_must_add_up_by_the_end_of_the_transaction(world: World, share: str) -> None:
    money, community = event(world, "10"), world.community()
    insert = f"{SHARE} values (%s, 'community', %s, %s)"
    with pytest.raises(psycopg.errors.CheckViolation, match="do not add up"), world.session(SERVICE) as conn:
        conn.execute(insert.encode(), (money, community, share))
    with world.session(SERVICE) as conn:
        conn.execute(insert.encode(), (money, community, "4"))
        conn.execute(insert.encode(), (money, community, "6"))
    for change in (
        "update public.value_distributions set amount = 5 where amount = 4",
        "delete from public.value_distributions where amount = 4",
        "update public.value_events set amount = 11",
    ):
        with (
            pytest.raises(psycopg.errors.CheckViolation, match="do not add up"),
            world.session(SERVICE) as conn,
        ):
            conn.execute(change.encode())
    with world.session(SERVICE) as conn:
        conn.execute("update public.value_events set amount = 11")
        conn.execute("update public.value_distributions set amount = 7 where amount = 6")


def test_two_sessions_cannot_share_more_than_there_is(world: World) -> None:
    money, community = event(world, "10"), world.community()
    insert = f"{SHARE} values (%s, 'community', %s, 10)"
    failed: list[str] = []

    def late() -> None:
        try:
            second.commit()
        except psycopg.errors.CheckViolation as error:
            failed.append(str(error))

    with world.session(SERVICE) as first, world.session(SERVICE) as second:
        first.execute(insert.encode(), (money, community))
        second.execute(insert.encode(), (money, community))
        # Checks now, and holds on to the event until its end.
        first.execute("set constraints all immediate")
        waiting = in_background(world, second, late)
        first.commit()
        waiting.join()
    assert len(failed) == 1
    assert amounts(world, money) == [Decimal(10)]


def test_a_share_is_never_left_without_its_event_or_its_recipient(world: World) -> None:
    money = event(world, "10", community_id=world.community())
    person = world.storyteller(consents=())
    asked = Jsonb([{"recipient": "storyteller", "storyteller_id": str(person), "percent": 100}])
    world.ask(SERVICE, None, SPLIT, money, asked)
    for statement in (
        "delete from public.value_events",
        "delete from public.storytellers",
        "delete from public.communities",
        "truncate public.value_events",
    ):
        with pytest.raises(
            (
                psycopg.errors.RestrictViolation,
                psycopg.errors.ForeignKeyViolation,
                psycopg.errors.FeatureNotSupported,
            )
        ):
            world.do(statement)


def test_only_the_service_role_shares_out(world: World) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.ask("authenticated", world.account(), SPLIT, event(world, "1"), shares(world, "100"))
