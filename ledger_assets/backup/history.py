"""What a versioned bucket remembers: every version of every object, and the bucket as it was before anybody else wrote.

What belongs here: listing versions, and reading the first of each as an object store. What does not: which of them is the
true one, and bringing it back (``versions``).

Invariants: nothing is written here; a store that keeps no versions is refused, never taken for an untouched one.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ledger_assets.backup.bucket_checks import UNASKABLE, place_of
from ledger_assets.backup.bucket_questions import Place
from ledger_assets.backup.settings import BackupSettings
from ledger_assets.errors import SettingsError, StoreError
from ledger_assets.storage import ObjectInfo, ObjectMissing, ObjectStore
from ledger_assets.storage_s3 import HINTS

PIECE = 1024 * 1024
NO_VERSIONS = (
    "keeps no earlier versions of objects: what was overwritten or deleted there is gone; use the second copy of your "
    "snapshots, and turn on versioning"
)


class NoVersions(SettingsError):
    """The store keeps no earlier versions."""


@dataclass(frozen=True)
class Version:
    """One version of an object."""

    id: str
    size: int
    etag: str
    at: datetime


@dataclass(frozen=True)
class History:
    """Versions of one key, the oldest first. ``gone``: it was deleted, nobody sees it without asking for versions."""

    versions: tuple[Version, ...]
    gone: bool


def bucket_of(settings: BackupSettings) -> Place:
    """The bucket. Raises NoVersions where it keeps none."""
    url = settings.bucket.url
    if not settings.bucket.remote:
        raise NoVersions(f"{url} {NO_VERSIONS}")
    place = place_of(settings.bucket)
    with told(url):
        try:
            status = place.client.get_bucket_versioning(Bucket=place.bucket).get("Status")
        except ClientError as error:
            if _code(error) not in UNASKABLE:
                raise
            status = None
    if status is None:
        raise NoVersions(f"{url} {NO_VERSIONS}")
    return place


def read(place: Place) -> dict[str, History]:
    """The history of every key below the environment's folder."""
    found: dict[str, list[Version]] = {}
    gone: set[str] = set()
    with told(place.settings.url):
        pages = place.client.get_paginator("list_object_versions").paginate(
            Bucket=place.bucket, Prefix=place.prefix
        )
        for page in pages:
            for one in page.get("Versions", []):
                version = Version(one["VersionId"], one["Size"], one["ETag"], one["LastModified"])
                found.setdefault(one["Key"].removeprefix(place.prefix), []).append(version)
            gone |= {
                one["Key"].removeprefix(place.prefix)
                for one in page.get("DeleteMarkers", [])
                if one["IsLatest"]
            }
    for versions in found.values():
        versions.reverse()  # listed the newest first; times are whole seconds, so of one second the listing decides
        versions.sort(key=lambda version: version.at)
    return {key: History(tuple(versions), key in gone) for key, versions in found.items()}


class FirstVersions(ObjectStore):
    """The bucket with each object as it was first written, deleted ones too. It cannot be written to."""

    def __init__(self, place: Place, histories: Mapping[str, History]) -> None:
        self._place = place
        self._first = {key: history.versions[0] for key, history in histories.items()}
        self.url = f"{place.settings.url} (first versions)"

    def put(self, key: str, data: bytes | Path, *, create: bool = False) -> None:  # noqa: ARG002 - as any store
        """Refused."""
        raise StoreError(f"object {key} cannot be written: earlier versions are only read")

    def delete(self, key: str) -> None:
        """Refused."""
        raise StoreError(f"object {key} cannot be deleted: earlier versions are only read")

    def get(self, key: str) -> bytes:
        """The first version's bytes. Raises ObjectMissing."""
        return b"".join(self.chunks(key))

    def peek(self, key: str, count: int) -> tuple[int, bytes]:
        """Size and first bytes of the first version. Raises ObjectMissing."""
        data = self.get(key)
        return len(data), data[:count]

    def chunks(self, key: str) -> Iterator[bytes]:
        """The first version in pieces. Raises ObjectMissing."""
        if key not in self._first:
            raise ObjectMissing(f"object {key} was never in {self._place.settings.url}")
        yield from version_chunks(self._place, key, self._first[key])

    def size(self, key: str) -> int | None:
        """Size of the first version."""
        return self._first[key].size if key in self._first else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object that was ever there."""
        for key, version in sorted(self._first.items()):
            if key.startswith(f"{prefix}/"):
                yield ObjectInfo(key, version.size, version.at)

    def folders(self, prefix: str) -> builtins.list[str]:
        """Every folder that was ever there."""
        below = (key.removeprefix(f"{prefix}/") for key in self._first if key.startswith(f"{prefix}/"))
        return sorted({key.partition("/")[0] for key in below if "/" in key})


def version_chunks(place: Place, key: str, version: Version) -> Iterator[bytes]:
    """One version of an object in pieces."""
    with told(place.settings.url, key):
        answer: Any = place.client.get_object(
            Bucket=place.bucket, Key=place.prefix + key, VersionId=version.id
        )
        yield from answer["Body"].iter_chunks(PIECE)


@contextmanager
def told(url: str, key: str = "") -> Iterator[None]:
    """The store's errors in a line."""
    what = f"object {key} in {url}" if key else url
    try:
        yield
    except ClientError as error:
        code = _code(error)
        hint = f": {HINTS[code]}" if code in HINTS else ""
        raise StoreError(f"{what}: the store answered {code}{hint}") from None
    except BotoCoreError as error:
        raise StoreError(
            f"{what}: {type(error).__name__}: check AWS_ENDPOINT_URL, the keys and the network"
        ) from None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
