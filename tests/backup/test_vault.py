"""The vault's key: found, made once, protected by another password; and a store that encrypts everything at rest."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ledger_assets import connections
from ledger_assets.backup import identity, vault
from ledger_assets.backup.identity import Identity, WrongPassword
from ledger_assets.backup.sealed_store import SealedStore
from ledger_assets.backup.sealing import Damaged
from ledger_assets.backup.settings import BackupSettings, BucketSettings, read_backup_settings
from ledger_assets.environment import Environment, read_settings
from ledger_assets.errors import SettingsError, StoreError
from ledger_assets.storage import ObjectExists, ObjectMissing, open_store
from tests.backup import s3

PASSWORD = "wattle and ironbark 7"
OTHER = "grevillea and saltbush 8"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that cost nothing to open; what they cost is tested with the identity."""
    monkeypatch.setattr(identity, "WORK_FACTOR", 4)


@pytest.fixture(params=["folder", "moto", "rclone"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> BackupSettings:
    """Settings of a vault that is empty: a folder, and a bucket on each server."""
    bucket = (
        BucketSettings((tmp_path / "vault").as_uri())
        if request.param == "folder"
        else request.getfixturevalue(f"{request.param}_bucket")
    )
    return BackupSettings(Environment.STAGING, tmp_path / "home", bucket, PASSWORD)


def test_a_key_is_made_on_request_only_and_once(settings: BackupSettings) -> None:
    place = vault.open_vault(settings)
    with pytest.raises(SettingsError, match="`ledger-assets backup setup staging`"):
        vault.keyring(place, settings)
    made = vault.set_up_key(place, settings)
    assert vault.set_up_key(place, settings).recipient == made.recipient
    assert vault.keyring(place, settings).recipient == made.recipient
    assert vault.keyring(place, settings, key_id=made.key_id).recipient == made.recipient
    assert [entry.key for entry in place.list("")] == [f"keyring/{made.key_id}.age"]
    assert identity.unlock(vault.wrapped(place, made), PASSWORD).recipient == made.recipient


def test_where_snapshots_lie_a_lost_key_is_told_and_no_new_one_is_made(settings: BackupSettings) -> None:
    place = vault.open_vault(settings)
    made = vault.set_up_key(place, settings)
    kept = vault.wrapped(place, made)
    place.put("snapshots/backup-1700000000-full/identity.age", kept)
    place.delete(f"keyring/{made.key_id}.age")
    for ask in (vault.keyring, vault.set_up_key):
        with pytest.raises(SettingsError, match="holds snapshots and no key of theirs"):
            ask(place, settings)
    assert vault.key_files(place) == []
    place.put(f"keyring/{made.key_id}.age", kept)
    assert vault.keyring(place, settings).recipient == made.recipient


def test_outside_this_machine_no_password_is_made_up(tmp_path: Path) -> None:
    home = read_settings(Environment.STAGING, {"LEDGER_HOME": str(tmp_path)})
    assert read_backup_settings(home, {}).password is None
    with pytest.raises(SettingsError, match="BACKUP_ENCRYPTION_PASSWORD is not set"):
        read_backup_settings(home, {"BACKUP_BUCKET": "stories", "AWS_REGION": "ap-southeast-2"})


def test_after_a_change_only_the_new_password_opens_the_same_key(settings: BackupSettings) -> None:
    place = vault.open_vault(settings)
    made = vault.set_up_key(place, settings)
    before = vault.wrapped(place, made)
    assert vault.change_password(place, settings, OTHER).recipient == made.recipient
    changed = replace(settings, password=OTHER)
    assert vault.keyring(place, changed).recipient == made.recipient
    with pytest.raises(WrongPassword):
        vault.keyring(place, settings)
    assert len(list(place.list("keyring"))) == 1
    place.put(f"keyring/{made.key_id}.age", before)  # as when its process was killed before it was removed
    assert vault.keyring(place, changed).recipient == made.recipient
    with pytest.raises(WrongPassword):
        vault.keyring(place, settings)


@pytest.mark.parametrize("new", ["short", "aaaaaaaaaaaaaaaaaa", PASSWORD])
def test_a_bad_new_password_changes_nothing(settings: BackupSettings, new: str) -> None:
    place = vault.open_vault(settings)
    made = vault.set_up_key(place, settings)
    with pytest.raises(SettingsError):
        vault.change_password(place, settings, new)
    assert vault.keyring(place, settings).recipient == made.recipient


def test_a_wrong_password_neither_opens_nor_makes_a_key(settings: BackupSettings) -> None:
    place = vault.open_vault(settings)
    vault.set_up_key(place, settings)
    for act in (vault.keyring, vault.set_up_key):
        with pytest.raises(WrongPassword, match="BACKUP_ENCRYPTION_PASSWORD"):
            act(place, replace(settings, password=OTHER))
    assert len(list(place.list("keyring"))) == 1


def test_a_weak_password_makes_no_key(settings: BackupSettings) -> None:
    place = vault.open_vault(settings)
    with pytest.raises(SettingsError, match="BACKUP_ENCRYPTION_PASSWORD"):
        vault.set_up_key(place, replace(settings, password="too short"))
    assert list(place.list("")) == []


def test_a_file_under_another_keys_name_is_refused(settings: BackupSettings) -> None:
    place = vault.open_vault(settings)
    made = vault.set_up_key(place, settings)
    other, data = identity.create(PASSWORD)
    place.put(f"keyring/{made.key_id}.age", data)
    with pytest.raises(StoreError, match=other.key_id):
        vault.keyring(place, settings)


def test_the_embedded_world_needs_no_password_and_keeps_its_own(settings: BackupSettings) -> None:
    embedded = replace(settings, password=None)
    place = vault.open_vault(embedded)
    made = vault.keyring(place, embedded)
    assert vault.keyring(place, embedded).recipient == made.recipient
    kept = settings.home / "backup-staging.password"
    assert kept.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SettingsError, match="no key 0123456789abcdef"):
        vault.keyring(place, embedded, key_id="0123456789abcdef")


def test_everything_in_a_sealed_store_is_encrypted_and_reads_as_before(
    settings: BackupSettings, tmp_path: Path
) -> None:
    inner = vault.open_vault(settings)
    key = Identity.generate()
    folder = tmp_path / "folder"
    folder.mkdir()
    store = SealedStore(inner, key, [key.recipient], folder)
    large = tmp_path / "large"
    large.write_bytes(b"canary of plain text" * 500_000)
    store.put("exports/1/small.json", b"canary of plain text")
    store.put("exports/1/empty", b"")
    store.put("exports/2/large", large, create=True)
    assert store.get("exports/1/small.json") == b"canary of plain text"
    assert b"".join(store.chunks("exports/2/large")) == large.read_bytes()
    assert [(entry.key, entry.size) for entry in store.list("exports")] == [
        ("exports/1/empty", 0),
        ("exports/1/small.json", 20),
        ("exports/2/large", 10_000_000),
    ]
    assert store.folders("exports") == ["1", "2"]
    assert [store.size(f"exports/{key}") for key in ("1/empty", "2/large", "3")] == [0, 10_000_000, None]
    for entry in inner.list(""):
        stored = inner.get(entry.key)
        assert stored.startswith(b"age-encryption.org/v1\n")
        assert b"canary" not in stored
    with pytest.raises(ObjectExists, match="exports/2/large exists"):
        store.put("exports/2/large", large, create=True)
    store.delete("exports/1/empty")
    for read in (store.get, lambda key: list(store.chunks(key))):
        with pytest.raises(ObjectMissing, match="object exports/1/empty is not in"):
            read("exports/1/empty")
    assert list(folder.iterdir()) == []


def test_no_piece_of_a_damaged_object_is_given_on(tmp_path: Path) -> None:
    inner = open_store((tmp_path / "inner").as_uri())
    key = Identity.generate()
    store = SealedStore(inner, key, [key.recipient], tmp_path)
    store.put("key", os.urandom(300_000))
    stored = inner.get("key.age")
    inner.put("key.age", stored[:-1])
    with pytest.raises(Damaged):
        next(store.chunks("key"))
    inner.put("key.age", b"canary of plain text")
    for read in (store.size, store.get):
        with pytest.raises(Damaged):
            read("key")


def test_exports_leave_this_machine_only_encrypted_by_the_backups_key(
    rclone_server: s3.Server, rclone_bucket: BucketSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "LEDGER_HOME": str(tmp_path / "home"),
        "OBJECT_STORE_URL": f"s3://{s3.bucket_name(rclone_bucket)}/objects",
        "AWS_ENDPOINT_URL": str(rclone_bucket.endpoint),
        "AWS_REGION": s3.REGION,
        "AWS_ACCESS_KEY_ID": s3.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": s3.SECRET_KEY,
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="leave this machine only encrypted"):
        read_settings(Environment.STAGING)
    monkeypatch.setenv("BACKUP_ENCRYPTION_PASSWORD", PASSWORD)
    settings = read_settings(Environment.STAGING)
    with pytest.raises(SettingsError, match="backup setup"):
        connections.object_store(settings)
    from ledger_assets.backup.settings import read_backup_settings

    backups = read_backup_settings(settings)
    vault.set_up_key(vault.open_vault(backups), backups)
    connections.object_store(settings).put("exports/1/story.json", b"canary of plain text")
    assert connections.object_store(settings).get("exports/1/story.json") == b"canary of plain text"
    assert rclone_server.folder is not None
    files = [
        path for path in (rclone_server.folder / s3.bucket_name(rclone_bucket)).rglob("*") if path.is_file()
    ]
    assert [path.name for path in files] == ["story.json.age"]
    assert all(path.read_bytes().startswith(b"age-encryption.org/v1\n") for path in files)


def test_rubbish_beside_the_key_locks_nobody_out(settings: BackupSettings) -> None:
    place = vault.open_vault(settings)
    made = vault.set_up_key(place, settings)
    place.put("keyring/ffffffffffffffff-9999999999999.age", b"pay us")
    assert vault.keyring(place, settings).key_id == made.key_id
