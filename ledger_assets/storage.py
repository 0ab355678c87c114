"""The object store: exports, ledger files, media, reports. One interface over a directory (the default).

Keys are relative, slash-separated. What is written is complete or absent: a put writes beside and renames.
Nothing here knows what the objects mean, and nothing outside keeps an object by its path.
"""

from __future__ import annotations

import builtins
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore

from ledger_assets.errors import SettingsError, StoreError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PART_BYTES = 8 * 1024 * 1024


class ObjectExists(StoreError):
    """A create-only put met an object of that key: somebody else was first, or it was done before."""


class ObjectMissing(StoreError):
    """No object has that key."""


@dataclass(frozen=True)
class ObjectInfo:
    """An object as listed: its key, its size in bytes, when it was written (UTC)."""

    key: str
    size: int
    modified: datetime


class ObjectStore:
    """Objects by key. Safe to use from several threads and processes."""

    def __init__(self, store: LocalStore, url: str) -> None:
        self._store = store
        self.url = url

    def put(self, key: str, data: bytes | Path, *, create: bool = False) -> None:
        """Write ``data`` (bytes, or a file streamed from its path) at ``key``.

        Raises :class:`ObjectExists` when ``create`` and the key is taken; :class:`StoreError` when the store
        refuses (disk full, no permission).
        """
        try:
            obstore.put(self._store, key, data, mode="create" if create else "overwrite")
        except AlreadyExistsError:
            raise ObjectExists(f"object {key} exists already in {self.url}") from None
        except (BaseError, OSError) as error:
            raise StoreError(f"object {key} cannot be written in {self.url}: {_reason(error)}") from None

    def get(self, key: str) -> bytes:
        """The object's bytes. Raises :class:`ObjectMissing`."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError:
            raise ObjectMissing(f"object {key} is not in {self.url}") from None
        except (BaseError, OSError) as error:
            raise StoreError(f"object {key} cannot be read in {self.url}: {_reason(error)}") from None

    def chunks(self, key: str) -> Iterator[bytes]:
        """The object's bytes in pieces, for objects too large to hold. Raises :class:`ObjectMissing`."""
        try:
            for piece in obstore.get(self._store, key).stream(min_chunk_size=PART_BYTES):
                yield bytes(piece)
        except FileNotFoundError:
            raise ObjectMissing(f"object {key} is not in {self.url}") from None

    def size(self, key: str) -> int | None:
        """Size in bytes, or None when there is no such object."""
        try:
            return int(obstore.head(self._store, key)["size"])
        except FileNotFoundError:
            return None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """All objects whose key starts with the folder ``prefix``, in key order."""
        found = [
            ObjectInfo(str(entry["path"]), int(entry["size"]), entry["last_modified"])
            for page in obstore.list(self._store, prefix=prefix)
            for entry in page
        ]
        return iter(sorted(found, key=lambda entry: entry.key))

    def folders(self, prefix: str) -> builtins.list[str]:
        """Names of the folders right below ``prefix``, sorted."""
        result = obstore.list_with_delimiter(self._store, prefix=prefix)
        return sorted(str(name).rstrip("/").rsplit("/", 1)[-1] for name in result["common_prefixes"])

    def delete(self, key: str) -> None:
        """Remove the object if it is there."""
        try:
            obstore.delete(self._store, key)
        except FileNotFoundError:
            return


def open_store(url: str) -> ObjectStore:
    """The store at ``url`` (``file:///...``). A directory is made readable by its owner alone.

    Raises :class:`SettingsError` when the directory cannot be used.
    """
    root = Path(url2pathname(urlsplit(url).path))
    try:
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o700)
    except OSError as error:
        raise SettingsError(f"OBJECT_STORE_URL: the folder {root} cannot be used: {error.strerror}") from None
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        raise SettingsError(f"OBJECT_STORE_URL: the folder {root} is not readable and writable by this user")
    return ObjectStore(LocalStore(root), url)


def damaged(store: ObjectStore, key: str) -> StoreError:
    """The error for an object that is not what was written."""
    return StoreError(
        f"object {key} in {store.url} is damaged: put a copy of it back, or export and migrate again"
    )


def _reason(error: BaseException) -> str:
    """The first line of the store's error: the rest is a debug dump of its internals."""
    said = str(error).partition("\n")[0].removeprefix("Generic LocalFileSystem error: ")
    full = any(f"(os error {number})" in said for number in DISK_FULL)
    return f"{said}: make room on its disk, then run this again" if full else said
