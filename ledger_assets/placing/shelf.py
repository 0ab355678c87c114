"""A store from which the app serves files: its objects, and how rows name them.

What belongs here: writing, reading back, listing, removing, and asking whether anybody can fetch from it. What does not:
which file belongs where (``place``).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ledger_assets.errors import SettingsError, StoreError
from ledger_assets.placing.keys import is_ours
from ledger_assets.placing.settings import PRIVATE, MediaSettings, place_of
from ledger_assets.storage import ObjectExists, ObjectStore, open_store

if TYPE_CHECKING:
    from ledger_assets.backup.settings import BucketSettings

TIMEOUT = (10, 30)
S3_OF_SUPABASE = "/storage/v1/s3"


@dataclass(frozen=True)
class Shelf:
    """One store. ``folder``: what stands before our keys in the bucket."""

    store: ObjectStore
    bucket: str
    folder: str
    public: bool
    settings: BucketSettings

    def name(self, key: str) -> tuple[str, str]:
        """Bucket and key as a row says them."""
        return self.bucket, f"{self.folder}/{key}"

    def key(self, bucket: str, key: str) -> str | None:
        """Our key of what a row says; None: it lies elsewhere."""
        inside = bucket == self.bucket and key.startswith(f"{self.folder}/")
        return key.removeprefix(f"{self.folder}/") if inside else None

    def put(self, key: str, path: Path, sha256: str, content_type: str) -> bool:
        """Write the file unless it is there, and read it back; False: what can be read back is not it, nothing stays."""
        try:
            self.store.put_as(key, path, content_type, create=True)
        except ObjectExists:
            # The key holds the content's hash: whatever else lies there is damaged, or somebody put it there.
            if self._holds(key, sha256):
                return True
            self.store.put_as(key, path, content_type)
        if self.hash(key) == sha256:
            return True
        self.store.delete(key)
        return False

    def _holds(self, key: str, sha256: str) -> bool:
        try:
            return self.hash(key) == sha256
        except StoreError:  # what cannot be read is not it
            return False

    def hash(self, key: str) -> str:
        """SHA-256 of all bytes. Raises ObjectMissing."""
        found = hashlib.sha256()
        for piece in self.store.chunks(key):
            found.update(piece)
        return found.hexdigest()

    def listed(self) -> Iterator[tuple[str, int]]:
        """Our objects: key and size."""
        for info in self.store.list(""):
            if is_ours(info.key):
                yield info.key, info.size


def open_shelves(media: MediaSettings) -> list[Shelf]:
    """The private shelf, and the public one if there is one. Raises SettingsError."""
    shelves = []
    for settings, public in ((media.private, False), (media.public, True)):
        if settings is None:
            continue
        base, _, environment = settings.url.rpartition("/")
        bucket, path = place_of(base)
        store = open_store(settings.url, settings, setting=PRIVATE)
        shelves.append(Shelf(store, bucket, f"{path}/{environment}".lstrip("/"), public, settings))
    return shelves


def assert_private(shelf: Shelf) -> None:
    """Put something there and try to fetch it as anybody. Raises SettingsError when that succeeds."""
    import requests

    if not shelf.settings.remote:
        return
    key, word = f"doctor/{secrets.token_hex(16)}", secrets.token_bytes(32)
    shelf.store.put(key, word, create=True)
    try:
        for url in _open_addresses(shelf, key):
            try:
                answer = requests.get(url, timeout=TIMEOUT, allow_redirects=False)
            except requests.RequestException:
                continue  # whoever cannot be asked hands out nothing
            if answer.content == word:
                raise SettingsError(
                    f"{PRIVATE}: anybody can fetch from bucket {shelf.bucket}: make it private (Supabase: Storage, the "
                    "bucket, Edit, Public bucket off), then run this again; nothing was placed"
                )
    finally:
        shelf.store.delete(key)


def _open_addresses(shelf: Shelf, key: str) -> Iterator[str]:
    endpoint = shelf.settings.endpoint or f"https://s3.{shelf.settings.region}.amazonaws.com"
    bucket, whole = shelf.name(key)
    if endpoint.endswith(S3_OF_SUPABASE):
        yield f"{endpoint.removesuffix('/s3')}/object/public/{bucket}/{whole}"
    yield f"{endpoint}/{bucket}/{whole}"
