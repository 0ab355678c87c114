"""Places to keep snapshots in, without the half second that opening a key takes, and a database small enough to try often.

What belongs here: what the tests of faults, of the catalogue and of the clean room share. What does not: what must hold.
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import json
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psycopg

from ledger_assets.backup import catalogue
from ledger_assets.backup.catalogue import Snapshot
from ledger_assets.backup.identity import Identity, create, mac
from ledger_assets.backup.manifest import MEDIA, Manifest, manifest_key, new_id, sign, utc
from ledger_assets.backup.media import MediaFile, to_json
from ledger_assets.backup.place import Place
from ledger_assets.backup.sealing import seal_bytes
from ledger_assets.backup.settings import BackupSettings, BucketSettings
from ledger_assets.backup.take import take
from ledger_assets.backup.vault import open_vault
from ledger_assets.backup.verify import Verification, verify
from ledger_assets.environment import Environment, read_settings
from ledger_assets.erasure.model import Erasure
from ledger_assets.erasure.register import PURPOSE
from ledger_assets.storage import ObjectInfo, ObjectStore, open_store
from ledger_assets.storage_s3 import Patience

PASSWORD = "wattle and ironbark 7"
FILE = b"the recording of a story"
FILE_SHA256 = hashlib.sha256(FILE).hexdigest()
FILE_KEY = f"media/{FILE_SHA256}"
TINY = f"""
create schema airtable;
create table airtable.attachments (object_key text, file_sha256 text);
insert into airtable.attachments values ('{FILE_KEY}', '{FILE_SHA256}');
create table airtable.words (id int generated always as identity primary key, word text not null);
insert into airtable.words (word) select 'word ' || n from generate_series(1, 50) n;
"""
"""Two tables of ours and a file: some fifteen objects."""


@functools.cache
def key() -> tuple[Identity, bytes]:
    """One key for all places of a test run."""
    return create(PASSWORD)


def place_at(
    home: Path, bucket: BucketSettings, *, patience: Patience | None = None, **others: object
) -> Place:
    """A place whose key is set up. ``others``: settings of backups."""
    settings = read_settings(Environment.STAGING, {"LEDGER_HOME": str(home)})
    backup = BackupSettings(Environment.STAGING, home, bucket, PASSWORD, **others)  # type: ignore[arg-type]  # values of many types
    vault = open_vault(backup) if patience is None else open_store(bucket.url, bucket, patience=patience)
    identity, protected = key()
    name = f"keyring/{identity.key_id}.age"
    if vault.size(name) is None:
        vault.put(name, protected)
    return Place(settings, backup, vault, identity)


def local(home: Path, **others: object) -> Place:
    """A place in a folder of this machine."""
    return place_at(home, BucketSettings((home / "backups" / "staging").as_uri()), patience=None, **others)


def objects(folder: Path) -> ObjectStore:
    """The store that TINY's file lies in."""
    store = open_store((folder / "objects").as_uri())
    store.put(FILE_KEY, FILE)
    return store


def tiny(admin_url: str) -> None:
    """Fill an empty database."""
    with psycopg.connect(admin_url) as conn:
        conn.execute(TINY.encode())


def find(place: Place, manifest: Manifest) -> Snapshot:
    """It as the catalogue lists it."""
    return catalogue.read(place).find(manifest.id)


def verified(place: Place, manifest: Manifest) -> Verification:
    """Verify it."""
    return verify(place, find(place, manifest))


def taken(place: Place, store: ObjectStore, url: str, *, reason: str = "test") -> Manifest:
    """A full snapshot."""
    return take(place, store, url, kind="full", reason=reason)


@contextmanager
def patched(place: Place, **changes: object) -> Iterator[Place]:
    """The same place with other settings of backups."""
    yield replace(place, backup=replace(place.backup, **changes))  # type: ignore[arg-type]  # values of many types


def everything(vault: ObjectStore) -> dict[str, bytes]:
    """All that is stored: keys and bytes."""
    return {info.key: vault.get(info.key) for info in vault.list("")}


class Watched(ObjectStore):
    """A store that asks ``before`` about every write and removal: it may raise, or end the process."""

    def __init__(self, inner: ObjectStore, before: Callable[[str, str], None]) -> None:
        self.url = inner.url
        self._inner = inner
        self._before = before
        self._one_at_a_time = threading.Lock()

    def put(self, key: str, data: bytes | Path, *, create: bool = False) -> None:
        with self._one_at_a_time:
            self._before("put", key)
            self._inner.put(key, data, create=create)

    def get(self, key: str) -> bytes:
        return self._inner.get(key)

    def peek(self, key: str, count: int) -> tuple[int, bytes]:
        return self._inner.peek(key, count)

    def chunks(self, key: str) -> Iterator[bytes]:
        return self._inner.chunks(key)

    def size(self, key: str) -> int | None:
        return self._inner.size(key)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return self._inner.list(prefix)

    def folders(self, prefix: str) -> builtins.list[str]:
        return self._inner.folders(prefix)

    def delete(self, key: str) -> None:
        with self._one_at_a_time:
            self._before("delete", key)
            self._inner.delete(key)


def invented(at: datetime, *, kind: str = "full", **others: object) -> Manifest:
    """A manifest of a snapshot that nobody took."""
    values: dict[str, object] = {
        "id": new_id(kind, at),
        "kind": kind,
        "environment": "staging",
        "target": "invented",
        "database": "1/2",
        "taken_at": utc(at),
        "reason": "test",
        "key_id": key()[0].key_id,
        "recipients": (),
        "tool": "18.0",
        "server": "18.0",
        "schemas": ("public",),
        "schema_version": None,
        "load_id": None,
        "export_id": None,
        "run_id": None,
        "tables": 1,
        "rows": 100,
        "plain_bytes": 1000,
        "seconds": 1.5,
        "media_files": 0,
        "media_bytes": 0,
        "objects": {},
    }
    return Manifest(**(values | others))  # type: ignore[arg-type]  # values of many types


def write(place: Place, manifest: Manifest, files: Sequence[MediaFile] = ()) -> Manifest:
    """Put it into the vault with nothing but the list of its files; what is there now."""
    name = f"{manifest.folder}/{MEDIA}"
    sealed = seal_bytes(place.vault, name, to_json(list(files)), place.recipients)
    whole = replace(manifest, objects={MEDIA: sealed})
    place.vault.put(manifest_key(manifest.id), sign(whole, place.identity), create=True)
    return whole


def list_erasure(place: Place, at: datetime, *rows: tuple[str, str]) -> Erasure:
    """Put an erasure of these rows (table, id) on the list."""
    one = Erasure(str(uuid.uuid4()), "story", at, rows=rows)
    text = one.to_json()
    entry = {"erasure": text, "mac": mac(place.identity, PURPOSE, f"{one.key}\n{text}".encode())}
    seal_bytes(place.vault, one.key, json.dumps(entry).encode(), place.recipients)
    return one
