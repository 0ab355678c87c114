"""Stolen keys, ransomware: objects that somebody has overwritten or deleted, brought back from a versioned bucket.

What belongs here: telling what somebody else did from what we do ourselves, and undoing it. What does not: reading
versions (``history``).

Invariants: each object of ours is written once, so its first version is the true one (of a file, which may be stored anew
after it was pruned, the one that a snapshot lists); what we removed on purpose (an expired snapshot, whose state is
signed; a protected key after a change of password) stays removed; nothing is destroyed: the true version is written over
the false one, which needs no right to delete and leaves the traces.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from ledger_assets.backup import aside, catalogue, history, manifest, media, vault
from ledger_assets.backup.bucket_questions import Place
from ledger_assets.backup.catalogue import STATES, Catalogue
from ledger_assets.backup.history import FirstVersions, History, Version
from ledger_assets.backup.identity import DamagedKey, Identity, unlock
from ledger_assets.backup.sealing import Damaged, Sealed, unseal_bytes
from ledger_assets.backup.settings import BackupSettings
from ledger_assets.erasure import register
from ledger_assets.erasure.model import FOLDER as ERASURES
from ledger_assets.errors import SettingsError, StoreError


@dataclass(frozen=True)
class Tampered:
    """Keys of objects that are not what we wrote. ``lost``: no version of it is left that a snapshot's manifest knows."""

    overwritten: tuple[str, ...]
    deleted: tuple[str, ...]
    lost: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """True when somebody else was there."""
        return bool(self.overwritten or self.deleted or self.lost)


@dataclass(frozen=True)
class _Found:
    """The bucket's memory, and the true version of each object that must be there (None: no version is)."""

    place: Place
    histories: Mapping[str, History]
    true: Mapping[str, Version | None]


def find(backup: BackupSettings, *, now: datetime | None = None) -> Tampered:
    """What was overwritten or deleted by somebody else. Changes nothing.

    Raises SettingsError where the store keeps no versions or the password opens no key of its, StoreError.
    """
    found = _look(backup, now or datetime.now(UTC))
    deleted, overwritten, lost = [], [], []
    for key, version in sorted(found.true.items()):
        kept = found.histories.get(key)
        if version is None or kept is None:
            lost.append(key)
        elif kept.gone:
            deleted.append(key)
        elif not _same(found.place, key, version, kept.versions[-1]):
            overwritten.append(key)
    return Tampered(tuple(overwritten), tuple(deleted), tuple(lost))


def bring_back(
    backup: BackupSettings,
    tampered: Tampered,
    *,
    now: datetime | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> int:
    """Write the true version of each over what is there now; how many. ``tell``: each key, as it is brought back.

    Manifests come last, so that a run that was cut short leaves no snapshot that looks whole. Raises like :func:`find`.
    """
    found = _look(backup, now or datetime.now(UTC))
    wanted = {*tampered.overwritten, *tampered.deleted}
    keys = sorted(wanted, key=lambda key: (key.endswith(manifest.NAME), key))
    count = 0
    for key in keys:
        version = found.true.get(key)
        if version is not None:
            _copy(found.place, key, version)
            tell(key)
            count += 1
    return count


def _look(backup: BackupSettings, now: datetime) -> _Found:
    place = history.bucket_of(backup)
    histories = history.read(place)
    first = FirstVersions(place, histories)
    identity = _identity(first, backup)
    known = catalogue.read_from(first, identity)
    true: dict[str, Version | None] = {key: histories[key].versions[0] for key in _ours(first, known, now)}
    for key, sealed in _listed(first, known, identity).items():
        true[key] = _true(place, key, histories.get(key), sealed)
    return _Found(place, histories, true)


def _identity(first: FirstVersions, backup: BackupSettings) -> Identity:
    """The key, from the newest file of the keyring that is one: whoever can write may add rubbish beside it."""
    secret = vault.password(backup)
    for key in reversed(vault.key_files(first)):
        with suppress(DamagedKey):
            return unlock(first.get(key), secret)
    raise SettingsError(f"{backup.bucket.url} holds no key of backups in any version: check BACKUP_BUCKET")


def _ours(first: FirstVersions, known: Catalogue, now: datetime) -> Iterator[str]:
    """Keys that must be there and are written once."""
    replaced = set(vault.key_files(first)) - {
        vault.key_files(first, key_id)[-1] for key_id in _key_ids(first)
    }
    yield from (info.key for info in first.list(vault.FOLDER) if info.key not in replaced)
    strange = {line.partition(" ")[0] for line in known.refused}  # states that nobody of ours wrote
    yield from (info.key for info in first.list(STATES) if info.key not in strange)
    yield from (info.key for info in first.list(ERASURES))
    yield from (info.key for info in first.list(aside.FOLDER) if now - info.modified <= aside.KEPT)
    for snapshot in known.snapshots:
        yield manifest.manifest_key(snapshot.id)


def _key_ids(first: FirstVersions) -> set[str]:
    return {match[1] for key in vault.key_files(first) if (match := vault.FILE.fullmatch(key)) is not None}


def _listed(first: FirstVersions, known: Catalogue, identity: Identity) -> dict[str, Sealed]:
    """Every object that a snapshot's manifest or its list of files names, but files of the erased."""
    found: dict[str, Sealed] = {}
    erased = {key for one in register.listed(first, identity) for key in one.files}
    for snapshot in known.snapshots:
        found |= {sealed.key: sealed for sealed in snapshot.manifest.objects.values()}
        with suppress(Damaged):  # it is told as lost itself
            data = unseal_bytes(first, snapshot.manifest.objects[manifest.MEDIA], identity)
            files = [file for file in media.from_json(data) if file.object_key not in erased]
            found |= {file.sealed.key: file.sealed for file in files}
    return found


def _true(place: Place, key: str, kept: History | None, sealed: Sealed) -> Version | None:
    """The oldest version that is what was sealed. Hashed only where there are several of that size: verification does."""
    fit = [version for version in (kept.versions if kept else ()) if version.size == sealed.size]
    if len(fit) > 1:
        fit = [version for version in fit if _hash(place, key, version) == sealed.sha256]
    return fit[0] if fit else None


def _same(place: Place, key: str, true: Version, newest: Version) -> bool:
    """Is the newest version the true one, or a copy of it? A copy of a large object has another ETag."""
    if true.id == newest.id or (true.size, true.etag) == (newest.size, newest.etag):
        return True
    return true.size == newest.size and _hash(place, key, true) == _hash(place, key, newest)


def _hash(place: Place, key: str, version: Version) -> str | None:
    """None: it cannot be read, as what a thief has encrypted with a key of their own."""
    digest = hashlib.sha256()
    try:
        for piece in history.version_chunks(place, key, version):
            digest.update(piece)
    except StoreError:
        return None
    return digest.hexdigest()


def _copy(place: Place, key: str, version: Version) -> None:
    """Within the store, also of an object above the 5 GB of a single copy."""
    options = {}
    if place.settings.kms_key is not None:
        options = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": place.settings.kms_key}
    name = place.prefix + key
    with history.told(place.settings.url, key):
        source = {"Bucket": place.bucket, "Key": name, "VersionId": version.id}
        place.client.copy(source, place.bucket, name, ExtraArgs=options)
        size = place.client.head_object(Bucket=place.bucket, Key=name)["ContentLength"]
    if size != version.size:
        raise StoreError(
            f"object {key} in {place.settings.url} was not brought back ({size} of {version.size} bytes): run this again"
        )
