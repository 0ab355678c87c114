"""The object store: exports, ledger files, media, reports, snapshots. One interface over a directory (the default) or a
bucket.

Keys are relative, slash-separated. What is written is complete or absent: a put to a directory writes beside and renames,
a large one to a bucket is an upload in parts that is completed or aborted. Nothing here knows what the objects mean, and
nothing outside keeps an object by its path.
"""

from __future__ import annotations

import builtins
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore

from ledger_assets.errors import SettingsError, StoreError
from ledger_assets.storage_s3 import Patience, bucket_is_missing, is_silence, open_bucket, reason

if TYPE_CHECKING:
    from obstore.store import S3Store

    from ledger_assets.backup.settings import BucketSettings

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PART_BYTES = 8 * 1024 * 1024
MOST_PARTS = 900
"""Some stores allow 1,000 parts, not S3's 10,000."""
AT_ONCE = 4
"""Parts under way at once: 32 MiB of memory."""


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

    def __init__(self, store: LocalStore | S3Store, url: str) -> None:
        self._store = store
        self.url = url
        self._remote = not isinstance(store, LocalStore)

    def put(self, key: str, data: bytes | Path, *, create: bool = False) -> None:
        """Write ``data`` (bytes, or a file streamed from its path) at ``key``.

        Raises :class:`ObjectExists` when ``create`` and the key is taken; :class:`StoreError` when the store
        refuses (disk full, no permission). Of two that create an object of more than one part at the same
        moment in a bucket both may succeed: what must be exclusive is small (a manifest).
        """
        self._put(key, data, create=create)

    def put_as(self, key: str, data: Path, content_type: str, *, create: bool = False) -> None:
        """As :meth:`put`, of a file that a bucket is to serve as ``content_type``."""
        self._put(key, data, create=create, content_type=content_type)

    def _put(self, key: str, data: bytes | Path, *, create: bool, content_type: str | None = None) -> None:
        try:
            if self._remote:
                self._put_remote(key, data, create=create, content_type=content_type)
            else:
                obstore.put(self._store, key, data, mode="create" if create else "overwrite")
        except AlreadyExistsError:
            raise ObjectExists(f"object {key} exists already in {self.url}") from None
        except (BaseError, OSError) as error:
            raise self._error(key, "written", error) from None

    def get(self, key: str) -> bytes:
        """The object's bytes. Raises :class:`ObjectMissing`."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (BaseError, OSError) as error:
            raise self._error(key, "read", error) from None

    def peek(self, key: str, count: int) -> tuple[int, bytes]:
        """The object's size, and its first ``count`` bytes. Raises :class:`ObjectMissing`."""
        try:
            # Not a range: stores answer one that begins at 0, or ends beyond the end, with 200, which obstore refuses.
            result = obstore.get(self._store, key)
            head = b""
            for piece in result.stream(min_chunk_size=count):
                head += bytes(piece)
                if len(head) >= count:
                    break
            return int(result.meta["size"]), head[:count]
        except (BaseError, OSError) as error:
            raise self._error(key, "read", error) from None

    def chunks(self, key: str) -> Iterator[bytes]:
        """The object's bytes in pieces, for objects too large to hold. Raises :class:`ObjectMissing`."""
        try:
            for piece in obstore.get(self._store, key).stream(min_chunk_size=PART_BYTES):
                yield bytes(piece)
        except (BaseError, OSError) as error:
            raise self._error(key, "read", error) from None

    def size(self, key: str) -> int | None:
        """Size in bytes, or None when there is no such object."""
        try:
            return int(obstore.head(self._store, key)["size"])
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise self._error(key, "looked at", error) from None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """All objects whose key starts with the folder ``prefix``, in key order."""
        try:
            found = [
                ObjectInfo(str(entry["path"]), int(entry["size"]), entry["last_modified"])
                for page in obstore.list(self._store, prefix=prefix)
                for entry in page
            ]
        except (BaseError, OSError) as error:
            raise self._error(prefix, "listed", error, "folder") from None
        return iter(sorted(found, key=lambda entry: entry.key))

    def folders(self, prefix: str) -> builtins.list[str]:
        """Names of the folders right below ``prefix``, sorted."""
        try:
            result = obstore.list_with_delimiter(self._store, prefix=prefix)
        except (BaseError, OSError) as error:
            raise self._error(prefix, "listed", error, "folder") from None
        return sorted(str(name).rstrip("/").rsplit("/", 1)[-1] for name in result["common_prefixes"])

    def delete(self, key: str) -> None:
        """Remove the object if it is there."""
        try:
            obstore.delete(self._store, key)
        except (BaseError, OSError) as error:
            if not isinstance(told := self._error(key, "deleted", error), ObjectMissing):
                raise told from None

    def _put_remote(self, key: str, data: bytes | Path, *, create: bool, content_type: str | None) -> None:
        attributes = None if content_type is None else {"Content-Type": content_type}
        size = len(data) if isinstance(data, bytes) else data.stat().st_size
        if create and self.size(key) is not None:  # a store may ignore If-None-Match (rclone does)
            raise AlreadyExistsError
        if size > PART_BYTES:
            part = max(PART_BYTES, -(-size // MOST_PARTS))
            obstore.put(
                self._store,
                key,
                data,
                attributes=attributes,
                use_multipart=True,
                chunk_size=part,
                max_concurrency=AT_ONCE,
            )
            return
        content = data if isinstance(data, bytes) else data.read_bytes()
        if not create:
            obstore.put(
                self._store, key, content, attributes=attributes, mode="overwrite", use_multipart=False
            )
            return
        try:
            self._create(key, content, attributes)
        except AlreadyExistsError:
            # The store did write it, its answer was lost, and the repeated request met our own object.
            if self.get(key) != content:
                raise

    def _create(self, key: str, content: bytes, attributes: dict[str, str] | None) -> None:
        """obstore repeats any request that meets silence but this one, which might meet its own object: told by what is
        there then."""
        try:
            obstore.put(self._store, key, content, attributes=attributes, mode="create", use_multipart=False)
        except BaseError as error:
            if isinstance(error, AlreadyExistsError) or not is_silence(str(error)):
                raise
            if self.size(key) is not None:
                raise AlreadyExistsError from None
            obstore.put(self._store, key, content, attributes=attributes, mode="create", use_multipart=False)

    def _error(self, key: str, verb: str, error: BaseException, what: str = "object") -> StoreError:
        if isinstance(error, FileNotFoundError) and not (self._remote and bucket_is_missing(str(error))):
            return ObjectMissing(f"object {key} is not in {self.url}")
        return StoreError(f"{what} {key} cannot be {verb} in {self.url}: {self._reason(error)}")

    def _reason(self, error: BaseException) -> str:
        if self._remote and isinstance(error, BaseError | FileNotFoundError | PermissionError):
            return reason(str(error))
        return _reason(error)


def open_store(
    url: str,
    bucket: BucketSettings | None = None,
    *,
    setting: str = "OBJECT_STORE_URL",
    patience: Patience | None = None,
) -> ObjectStore:
    """The store at ``url`` (``file:///...``, or ``s3://...`` with the bucket's settings). A directory is made readable
    by its owner alone; a bucket is not asked anything yet.

    Raises :class:`SettingsError` when the directory cannot be used.
    """
    if not url.startswith("file:"):
        if bucket is None:
            raise SettingsError(f"{setting}: a bucket needs AWS_REGION, and keys or a role")
        return ObjectStore(open_bucket(replace(bucket, url=url), patience or Patience()), url)
    root = Path(url2pathname(urlsplit(url).path))
    try:
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o700)
    except OSError as error:
        raise SettingsError(f"{setting}: the folder {root} cannot be used: {error.strerror}") from None
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        raise SettingsError(f"{setting}: the folder {root} is not readable and writable by this user")
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
