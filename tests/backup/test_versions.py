"""Objects that somebody with stolen keys has overwritten or deleted come back from a versioned bucket."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger_assets.backup import catalogue, versions
from ledger_assets.backup.aside import KEPT
from ledger_assets.backup.catalogue import State
from ledger_assets.backup.manifest import Manifest
from ledger_assets.backup.place import Place
from ledger_assets.backup.settings import BackupSettings, BucketSettings
from ledger_assets.backup.take import discard, take
from ledger_assets.backup.vault import change_password, open_vault, set_up_key
from ledger_assets.backup.verify import verify
from ledger_assets.environment import Environment, read_settings
from ledger_assets.errors import SettingsError, StoreError
from ledger_assets.storage import ObjectStore
from tests.backup import s3

PASSWORD = "river stones remember every word of it"
NEW_PASSWORD = "another sentence nobody would think of"
PREFIX = "backups/staging/"
FILE = b"a synthetic file"
ATTACHMENT = """
insert into airtable.attachments (base_id, table_id, record_id, field_id, attachment_id, filename, file_sha256, object_key,
  entry_sha256, first_export_id, export_id)
values ('app', 'tbl', 'rec', 'fld', 'att', 'a.txt', %s, %s, '', 'e', 'e')"""


@dataclass
class World:
    """An environment whose snapshots lie in a versioned bucket, and a thief who has its keys."""

    server: s3.Server
    bucket: BucketSettings
    place: Place
    store: ObjectStore
    url: str

    @property
    def backup(self) -> BackupSettings:
        return self.place.backup

    def take(self) -> Manifest:
        return take(self.place, self.store, self.url, kind="full", reason="test")

    def present(self) -> list[str]:
        client = self.server.client()
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=s3.bucket_name(self.bucket), Prefix=PREFIX
        )
        return [one["Key"].removeprefix(PREFIX) for page in pages for one in page.get("Contents", [])]

    def overwrite(self, key: str, data: bytes = b"pay us", **options: Any) -> None:
        self.server.client().put_object(
            Bucket=s3.bucket_name(self.bucket), Key=PREFIX + key, Body=data, **options
        )

    def delete(self, key: str, **options: Any) -> None:
        self.server.client().delete_object(Bucket=s3.bucket_name(self.bucket), Key=PREFIX + key, **options)

    def problems(self, manifest: Manifest) -> tuple[str, ...]:
        known = catalogue.read(self.place)
        return verify(self.place, known.find(manifest.id)).problems


def versioned(server: s3.Server, bucket: BucketSettings) -> None:
    server.client().put_bucket_versioning(
        Bucket=s3.bucket_name(bucket), VersioningConfiguration={"Status": "Enabled"}
    )


def place_in(bucket: BucketSettings, home: Path, password: str = PASSWORD) -> Place:
    settings = read_settings(Environment.STAGING, {"LEDGER_HOME": str(home)})
    backup = BackupSettings(Environment.STAGING, home, bucket, password)
    vault = open_vault(backup)
    return Place(settings, backup, vault, set_up_key(vault, backup))


@pytest.fixture
def world(
    moto_server: s3.Server, moto_bucket: BucketSettings, store: ObjectStore, database_url: str, tmp_path: Path
) -> World:
    versioned(moto_server, moto_bucket)
    sha256 = hashlib.sha256(FILE).hexdigest()
    store.put(f"media/{sha256}", FILE)
    with psycopg.connect(database_url) as conn:
        conn.execute(ATTACHMENT, (sha256, f"media/{sha256}"))
    return World(moto_server, moto_bucket, place_in(moto_bucket, tmp_path / "home"), store, database_url)


def test_nothing_is_said_of_a_bucket_that_nobody_else_wrote_to(world: World) -> None:
    manifest = world.take()
    assert world.problems(manifest) == ()

    found = versions.find(world.backup)

    assert not found.any
    assert versions.bring_back(world.backup, found) == 0


def test_a_snapshot_comes_back_after_every_object_was_overwritten_or_deleted(world: World) -> None:
    first, second = world.take(), world.take()
    assert world.problems(first) == ()
    keys = world.present()
    for number, key in enumerate(keys):
        if number % 2:
            world.delete(key)
        else:
            world.overwrite(key)
            if number % 4:
                world.delete(key)
    seen: list[str] = []

    found = versions.find(world.backup)
    brought = versions.bring_back(world.backup, found, tell=seen.append)

    assert sorted(found.overwritten + found.deleted) == sorted(keys)
    assert not found.lost
    assert brought == len(keys) == len(seen)
    assert seen[-2:] == [f"snapshots/{one.id}/MANIFEST.json" for one in (first, second)]
    assert not versions.find(world.backup).any
    assert world.problems(first) == world.problems(second) == ()


def test_an_object_of_the_same_size_is_noticed_and_a_faithful_copy_is_not(world: World) -> None:
    manifest = world.take()
    keys = [sealed.key for sealed in manifest.objects.values()][:2]
    data = [world.place.vault.get(key) for key in keys]
    world.overwrite(keys[0], bytes(reversed(data[0])))
    world.overwrite(keys[1], data[1], Metadata={"copied": "yes"})

    assert versions.find(world.backup).overwritten == (keys[0],)


def test_what_we_removed_ourselves_stays_removed(world: World, tmp_path: Path) -> None:
    gone, kept = world.take(), world.take()
    now = datetime.now(UTC)
    catalogue.say(world.place, gone.id, State.EXPIRED, at=now)
    discard(world.place, gone.id)
    world.place.vault.put("aside/20260101T000000Z-x.jsonl.age", b"sealed")
    world.place.vault.delete("aside/20260101T000000Z-x.jsonl.age")
    world.place.vault.put("snapshots/backup-1700000000-full/data/toc.dat.age", b"of a run that failed")
    discard(world.place, "backup-1700000000-full")
    change_password(world.place.vault, world.backup, NEW_PASSWORD)
    changed = place_in(world.bucket, tmp_path / "home", NEW_PASSWORD)

    later = versions.find(changed.backup, now=now + KEPT + timedelta(days=1))

    assert not later.any
    assert world.problems(kept) == ()


def test_a_snapshot_is_not_given_up_because_a_thief_says_it_expired(world: World) -> None:
    manifest = world.take()
    key = f"states/{manifest.id}/expired-20260101T000000Z.json"
    world.overwrite(key, b'{"id": "x", "state": "expired"}')
    discard(world.place, manifest.id)
    world.delete(key)

    found = versions.find(world.backup)
    versions.bring_back(world.backup, found)

    assert f"snapshots/{manifest.id}/MANIFEST.json" in found.deleted
    assert key not in found.deleted
    assert world.problems(manifest) == ()


def test_rubbish_beside_the_protected_key_does_not_hide_it(world: World) -> None:
    manifest = world.take()
    world.overwrite(f"keyring/{world.place.identity.key_id}-9999999999999.age", b"rubbish")
    world.delete(f"snapshots/{manifest.id}/MANIFEST.json")

    assert f"snapshots/{manifest.id}/MANIFEST.json" in versions.find(world.backup).deleted


def test_what_was_destroyed_with_all_its_versions_is_told(world: World) -> None:
    manifest = world.take()
    key = manifest.objects["contents.json.age"].key
    history = world.server.client().list_object_versions(
        Bucket=s3.bucket_name(world.bucket), Prefix=PREFIX + key
    )["Versions"]
    world.overwrite(key)
    world.delete(key, VersionId=history[0]["VersionId"])

    found = versions.find(world.backup)

    assert found.lost == (key,)
    assert versions.bring_back(world.backup, found) == 0


def test_a_wrong_password_finds_nothing_to_say(world: World) -> None:
    world.take()
    wrong = BackupSettings(Environment.STAGING, world.backup.home, world.bucket, NEW_PASSWORD)

    with pytest.raises(SettingsError, match="BACKUP_ENCRYPTION_PASSWORD"):
        versions.find(wrong)


def test_a_locked_bucket_keeps_the_version_below_what_was_written_over_it(
    moto_server: s3.Server, store: ObjectStore, database_url: str, tmp_path: Path
) -> None:
    bucket = moto_server.bucket(ObjectLockEnabledForBucket=True)
    moto_server.client().put_object_lock_configuration(
        Bucket=s3.bucket_name(bucket),
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 7}},
        },
    )
    with s3.proxy(moto_server) as through:
        behind = BucketSettings(
            bucket.url, through.endpoint, bucket.region, bucket.access_key, bucket.secret_key
        )
        world = World(moto_server, behind, place_in(behind, tmp_path / "home"), store, database_url)
        manifest = world.take()
        for key in world.present():
            world.overwrite(key, ChecksumAlgorithm="SHA256")

        found = versions.find(world.backup)
        versions.bring_back(world.backup, found)

        assert f"snapshots/{manifest.id}/MANIFEST.json" in found.overwritten
        assert world.problems(manifest) == ()


def test_a_store_without_versions_is_refused(
    rclone_bucket: BucketSettings, moto_bucket: BucketSettings, tmp_path: Path
) -> None:
    folder = BucketSettings((tmp_path / "backups" / "staging").as_uri())
    for bucket in (rclone_bucket, moto_bucket, folder):
        backup = BackupSettings(Environment.STAGING, tmp_path, bucket, PASSWORD)
        with pytest.raises(SettingsError, match="keeps no earlier versions"):
            versions.find(backup)


def test_a_bucket_that_is_gone_is_told_in_a_line(moto_server: s3.Server, tmp_path: Path) -> None:
    bucket = moto_server.bucket()
    moto_server.client().delete_bucket(Bucket=s3.bucket_name(bucket))
    backup = BackupSettings(Environment.STAGING, tmp_path, bucket, PASSWORD)

    with pytest.raises(StoreError, match="NoSuchBucket"):
        versions.find(backup)
