"""Export, live database and snapshot, record by record: exactly the ids that differ are named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from ledger_assets import backups
from ledger_assets.backup.catalogue import Snapshot
from ledger_assets.backup.place import Place, open_place
from ledger_assets.backup.settings import BucketSettings
from ledger_assets.backup.three_way import Compared
from ledger_assets.environment import Environment, Settings, read_settings
from ledger_assets.errors import StoreError
from ledger_assets.load.connect import connect
from ledger_assets.storage import ObjectStore, open_store
from ledger_assets.tables import SPECS
from tests.backup.faults.places import PASSWORD, place_at
from tests.proof.small_base import small_base
from tests.proof.world import publish


@dataclass
class World:
    """A loaded database, its export, and a snapshot of it that was verified."""

    settings: Settings
    store: ObjectStore
    place: Place
    url: str
    done: backups.Taken

    @property
    def snapshot(self) -> Snapshot:
        return self.done.snapshot

    def again(self) -> Compared:
        """The stored snapshot verified again."""
        done = backups.verify(self.settings, self.store, self.place, self.snapshot)
        assert done.verification.passed, done.verification.problems
        assert done.compared is not None
        return done.compared

    def records(self) -> list[str]:
        with psycopg.connect(self.url) as conn:
            return [
                row[0] for row in conn.execute("select record_id from airtable.records order by record_id")
            ]

    def change(self, statement: str, *values: object) -> None:
        """As whoever gets round the guards."""
        with psycopg.connect(self.url) as conn:
            conn.execute("set local migration.writer = 'on'")
            conn.execute(statement.encode(), values or None)


@pytest.fixture
def world(tmp_path: Path, database_url: str, scratch_url: str, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("LEDGER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BACKUP_BUCKET", (tmp_path / "bucket").as_uri())
    monkeypatch.setenv("BACKUP_ENCRYPTION_PASSWORD", PASSWORD)
    monkeypatch.setenv("SCRATCH_DATABASE_URL", scratch_url)
    settings = read_settings(Environment.STAGING, {"LEDGER_HOME": str(tmp_path / "home")})
    settings = replace(settings, database_url=database_url)
    place_at(tmp_path / "home", BucketSettings((tmp_path / "bucket" / "staging").as_uri()))
    store = open_store(settings.object_store_url)
    with connect(database_url, application_name="tests") as conn:
        publish(conn, store, small_base(), SPECS)
    done = backups.take(settings, store, kind="full", reason="test")
    assert done.verification.passed, done.verification.problems
    return World(settings, store, open_place(settings), database_url, done)


def test_exactly_the_ids_that_differ_are_named(world: World) -> None:
    first = world.done.compared
    assert first is not None
    assert first.passed
    assert first.records == len(world.records()) > 10
    assert (first.lost, first.differing, first.newer, first.not_as_exported) == ((), (), (), ())

    gone, changed, erased, *_ = world.records()
    world.change("delete from airtable.records where record_id = any (%s)", [gone, erased])
    found = world.again()
    assert found.lost == tuple(sorted((gone, erased)))
    assert not found.passed
    world.change(
        "update airtable.records set raw = raw || ' ', sha256 = sha256(convert_to(raw || ' ', 'UTF8')), "
        "content_sha256 = sha256('other') where record_id = %s",
        changed,
    )
    world.change(
        "insert into airtable.records select base_id, table_id, 'recNewer000000001', created_time, raw, fields, lossy, "
        "sha256, content_sha256, first_export_id, export_id from airtable.records where record_id = %s",
        changed,
    )
    found = world.again()
    assert found.lost == tuple(sorted((gone, erased)))
    assert found.differing == (changed,)
    assert found.newer == ("recNewer000000001",)
    assert found.not_as_exported == ()
    facts = found.facts()
    assert facts["lost_ids"] == sorted((gone, erased))
    assert facts["newer"] == 1


def test_what_the_snapshot_has_otherwise_than_its_export_is_named(world: World) -> None:
    gone, changed, deleted, *_ = world.records()
    world.change("delete from airtable.records where record_id = %s", gone)
    world.change("update airtable.records set content_sha256 = sha256('other') where record_id = %s", changed)
    world.change("update airtable.records set source_deleted_at = now() where record_id = %s", deleted)
    done = backups.take(world.settings, world.store, kind="full", reason="test")
    assert done.verification.passed
    found = done.compared
    assert found is not None
    assert (found.lost, found.differing, found.newer) == ((), (), ())
    assert found.not_as_exported == tuple(sorted((gone, changed, deleted)))
    assert not found.passed


def test_an_export_that_is_no_longer_kept_is_left_out_and_a_damaged_one_told(world: World) -> None:
    export_id = world.snapshot.manifest.export_id
    manifest = f"exports/{export_id}/MANIFEST.json"
    kept = world.store.get(manifest)
    world.store.put(manifest, b"{")
    with pytest.raises(StoreError, match=manifest):
        world.again()
    world.store.put(manifest, kept)
    for info in list(world.store.list(f"exports/{export_id}")):
        world.store.delete(info.key)
    found = world.again()
    assert found.export_id == export_id
    assert found.passed
