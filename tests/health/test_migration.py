"""How far the migration is, what is open, and whether people can write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ledger_assets.health import migration
from tests.health.hands import Make, loaded
from tests.schema.world import World


@pytest.mark.parametrize(
    ("proof", "state", "words"),
    [(True, "ok", "proof passed"), (False, "bad", "PROOF FAILED"), (None, "warn", "not proven since")],
)
def test_a_load_is_as_well_as_its_proof(
    world: World, context: Make, proof: bool | None, state: str, words: str
) -> None:
    assert migration.progress(context()).value == "nothing was loaded yet"
    loaded(world, proof=True)
    loaded(world, proof=proof)
    found = migration.progress(context())
    assert found.state == state
    assert words in found.value


def test_a_finding_waits_for_a_person_by_kind(world: World, context: Make) -> None:
    assert migration.findings(context()).state == "ok"
    load = loaded(world)
    for number in range(3):
        world.do(
            "insert into migration.findings (id, base_id, kind, reason, first_load, last_load) "
            "values (%s, 'app', 'quarantine', 'a reason', %s, %s)",
            str(number), load, load,
        )  # fmt: skip
    found = migration.findings(context())
    assert (found.state, found.value) == ("warn", "3 open: 3 quarantine")


def test_a_freeze_is_looked_at_and_one_that_was_forgotten_is_bad(world: World, context: Make) -> None:
    assert migration.freeze(context()).value == "people can write"
    world.freeze()
    now = datetime.now(UTC)
    assert migration.freeze(context(now=now + timedelta(hours=1))).state == "warn"
    found = migration.freeze(context(now=now + timedelta(hours=7)))
    assert found.state == "bad"
    assert "7.0 h, without an end" in found.value
    assert "maintenance staging off" in found.remedy
    world.do("update migration.maintenance set until = now() - interval '1 minute'")
    assert migration.freeze(context()).state == "ok"


def test_a_freeze_that_nobody_is_there_to_end_is_bad_at_once(world: World, context: Make) -> None:
    lease = (
        "update migration.maintenance set frozen = true, reason = 'a test', who = 'a tester', since = now(), "
        "cutover = 'cut-1', lease_until = %s"
    )
    world.do(lease, datetime.now(UTC) + timedelta(minutes=1))
    found = migration.freeze(context())
    assert (found.state, "cutover staging --status" in found.remedy) == ("warn", True)
    world.do("update migration.maintenance set held = true")
    world.do("update migration.maintenance set lease_until = now() - interval '1 minute'")
    found = migration.freeze(context())
    assert found.state == "bad"
    assert "cut-over cut-1" in found.value
    assert "cutover staging --back" in found.remedy
