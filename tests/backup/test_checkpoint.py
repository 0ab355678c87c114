"""A load relies on a way back: a verified snapshot of this very database that is newer than its last load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from ledger_assets import backups
from ledger_assets.backup.catalogue import State, say
from ledger_assets.backup.identity import Identity
from ledger_assets.backup.manifest import Manifest
from ledger_assets.backup.place import Place
from ledger_assets.backup.settings import BucketSettings
from ledger_assets.backup.take import database_identity
from ledger_assets.environment import Environment, Settings, read_settings
from ledger_assets.errors import TargetError
from tests.backup.faults.places import PASSWORD, invented, place_at, write

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@dataclass
class World:
    """A database with one load, and the place of its snapshots."""

    conn: psycopg.Connection
    settings: Settings
    place: Place
    _made: int = 0

    def load(self, *, committed: bool = True) -> int:
        """Another load; its id."""
        row = self.conn.execute(
            "insert into migration.loads (run_id, environment, export_id, started_at, committed_at) "
            "values ('r', 'staging', 'x', now(), case when %s then now() end) returning load_id",
            (committed,),
        ).fetchone()
        self.conn.commit()
        assert row is not None
        return int(row[0])

    def snapshot(self, *, verified: bool = True, **others: object) -> Manifest:
        """A snapshot of the database as it is, or otherwise."""
        self._made += 1
        last = self.conn.execute(
            "select max(load_id) from migration.loads where committed_at is not null"
        ).fetchone()
        facts = {
            "kind": "checkpoint",
            "database": database_identity(self.conn),
            "load_id": last and last[0],
            **others,
        }
        self.conn.rollback()
        at = NOW + timedelta(seconds=self._made)
        made = write(self.place, invented(at, **facts))  # type: ignore[arg-type]  # values of many types
        if verified:
            say(self.place, made.id, State.VERIFIED, at=at)
        return made

    def found(self) -> str:
        return backups.assert_checkpoint(self.settings, self.conn)

    def refused(self) -> None:
        with pytest.raises(
            TargetError, match=r"load into .* refused: there is no verified checkpoint"
        ) as caught:
            self.found()
        assert "backup take staging --kind checkpoint" in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.fixture
def world(tmp_path: Path, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("LEDGER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BACKUP_BUCKET", (tmp_path / "bucket").as_uri())
    monkeypatch.setenv("BACKUP_ENCRYPTION_PASSWORD", PASSWORD)
    settings = read_settings(Environment.STAGING, {"LEDGER_HOME": str(tmp_path / "home")})
    place = place_at(tmp_path / "home", BucketSettings((tmp_path / "bucket" / "staging").as_uri()))
    made = World(conn, settings, place)
    made.load()
    return made


@pytest.mark.parametrize("kind", ["checkpoint", "full", "emergency"])
def test_a_verified_one_of_this_database_after_its_last_load_is_enough(world: World, kind: str) -> None:
    made = world.snapshot(kind=kind)
    assert world.found() == made.id


def test_a_database_that_was_never_loaded_needs_one_too(world: World) -> None:
    world.conn.execute("truncate migration.loads cascade")
    world.conn.commit()
    world.refused()
    made = world.snapshot()
    assert world.found() == made.id


def test_none_is_refused(world: World) -> None:
    world.refused()


def test_one_from_before_the_last_load_is_refused(world: World) -> None:
    made = world.snapshot()
    world.load(committed=False)  # rolled back: it changed nothing
    assert world.found() == made.id
    world.load()
    world.refused()


REFUSED: dict[str, Callable[[World], object]] = {
    "unverified": lambda world: world.snapshot(verified=False),
    "of another database": lambda world: world.snapshot(database="7/7"),
    "a baseline": lambda world: world.snapshot(kind="baseline"),
    "of before any load": lambda world: world.snapshot(load_id=None),
    "found corrupt since": lambda world: say(
        world.place, world.snapshot().id, State.CORRUPT, at=NOW + timedelta(days=1)
    ),
    "expired": lambda world: say(world.place, world.snapshot().id, State.EXPIRED, at=NOW),
    "forged": lambda world: write(
        replace(world.place, identity=Identity.generate()),
        replace(world.snapshot(verified=False), id="backup-1800000000-checkpoint"),
    ),
}


@pytest.mark.parametrize("other", REFUSED.values(), ids=REFUSED)
def test_one_that_is_no_way_back_is_refused(world: World, other: Callable[[World], object]) -> None:
    other(world)
    world.refused()
    world.snapshot()
    assert world.found()
