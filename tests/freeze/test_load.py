"""A load under a freeze: fenced by its token, refused without one, and held from its commit on."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from ledger_assets import freeze
from ledger_assets.errors import TargetError
from ledger_assets.load.load import load
from ledger_assets.load.report import LoadReport
from ledger_assets.storage import ObjectStore
from ledger_assets.tables import SPECS
from tests.freeze.world import lease, one, until
from tests.proof.small_base import small_base
from tests.proof.world import World, publish

LOADS = "select count(*) from migration.loads"


@pytest.fixture
def world(conn: psycopg.Connection, store: ObjectStore) -> World:
    return publish(conn, store, small_base(), SPECS)


def again(world: World, token: int | None) -> LoadReport:
    return load(
        world.conn,
        world.store,
        world.export,
        world.ledger,
        environment=one(world.conn, "select environment from migration.target"),
        specs=world.specs,
        run_id="again",
        first_month=date(2025, 1, 1),
        token=token,
    )


def test_with_its_token_it_loads_and_the_freeze_is_held_from_its_commit_on(world: World) -> None:
    token = lease(world.conn)
    assert again(world, token).committed
    assert freeze.state(world.conn).kind == "held"


def test_the_token_of_a_stalled_cut_over_loads_nothing(world: World) -> None:
    stalled = lease(world.conn, "cut-1", seconds=1)
    until(world.conn, "select not private.is_frozen(m) from migration.maintenance m")
    before = one(world.conn, LOADS)
    with pytest.raises(TargetError, match=f"token {stalled} ran out: people may have written since"):
        again(world, stalled)
    token = lease(world.conn, "cut-2")
    with pytest.raises(TargetError, match=f"token {stalled} is over"):
        again(world, stalled)
    assert one(world.conn, LOADS) == before
    assert again(world, token).committed


def test_one_without_a_token_is_refused_while_a_cut_over_holds(world: World) -> None:
    token = lease(world.conn)
    before = one(world.conn, LOADS)
    with pytest.raises(TargetError, match="load refused: the freeze of cut-over cut-1"):
        again(world, None)
    assert one(world.conn, LOADS) == before
    freeze.thaw(world.conn, token, who="somebody")
    assert again(world, None).committed


def test_a_manual_freeze_does_not_stop_the_loader_and_is_not_held_by_it(world: World) -> None:
    freeze.on(world.conn, reason="moving", who="somebody")
    assert again(world, None).committed
    assert freeze.state(world.conn).kind == "manual"


def test_a_load_that_fails_holds_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    token = lease(world.conn)
    monkeypatch.setattr(LoadReport, "passed", False)
    assert not again(world, token).committed
    assert freeze.state(world.conn).kind == "lease"
