"""The manifest of a snapshot: what it is of, and the size and hash of every object it is made of.

What belongs here: its form, its reading, its authentication. What does not: writing the objects (``take``).

Invariants: it is written last and create-if-absent, so that without it there is no snapshot; it is never edited; its MAC
is made with the backups' key, because whoever has the public key can encrypt a forgery.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from ledger_assets.backup.identity import Identity, check_mac, mac
from ledger_assets.backup.sealing import Sealed
from ledger_assets.errors import StoreError

FORMAT = 1
FOLDER = "snapshots"
NAME = "MANIFEST.json"
CONTENTS = "contents.json.age"
MEDIA = "media.json.age"
DATA = "data"
CLAIM = "started"
"""Lies in a snapshot's folder until its manifest does."""
KINDS = ("full", "checkpoint", "emergency", "baseline")
PURPOSE = "manifest"
ID = re.compile(r"backup-(\d{10,11})-(" + "|".join(KINDS) + ")")


class Forged(StoreError):
    """The manifest is not signed with the backups' key."""


@dataclass(frozen=True)
class Manifest:
    """A snapshot, told. Sizes in bytes, times in UTC. ``objects`` by their key below the snapshot's folder; of one that is
    stored as it is (the page, the protected key) both hashes are the same."""

    id: str
    kind: str
    environment: str
    target: str
    """The database's own name, as ``--confirm`` asks for it."""
    database: str
    """Which database it is whatever its address: the cluster's system identifier and the database's oid."""
    taken_at: str
    reason: str
    key_id: str
    recipients: tuple[str, ...]
    tool: str
    """Version of the pg_dump that wrote it: pg_restore must be at least as new."""
    server: str
    schemas: tuple[str, ...]
    schema_version: str | None
    load_id: int | None
    """The last committed load of the database; None: never loaded."""
    export_id: str | None
    run_id: str | None
    tables: int
    rows: int
    plain_bytes: int
    seconds: float
    media_files: int
    media_bytes: int
    objects: Mapping[str, Sealed]
    erasures: tuple[str, ...] = ()
    """Keys of the entries of the list of erasures that were there: signed here, so that one that is removed is missed."""
    format: int = FORMAT

    @property
    def at(self) -> datetime:
        """When it was taken."""
        return datetime.fromisoformat(self.taken_at)

    @property
    def bytes(self) -> int:
        """Size of its own objects as stored, without media."""
        return sum(sealed.size for sealed in self.objects.values())

    @property
    def folder(self) -> str:
        """Where its objects lie."""
        return f"{FOLDER}/{self.id}"

    def data(self) -> dict[str, Sealed]:
        """The files of the dump's folder, by name."""
        prefix = f"{DATA}/"
        return {
            name.removeprefix(prefix).removesuffix(".age"): sealed
            for name, sealed in self.objects.items()
            if name.startswith(prefix)
        }


def manifest_key(snapshot_id: str) -> str:
    """Key of a snapshot's manifest."""
    return f"{FOLDER}/{snapshot_id}/{NAME}"


def as_it_is(key: str, data: bytes) -> Sealed:
    """An object that is stored unencrypted, as a manifest keeps it."""
    digest = hashlib.sha256(data).hexdigest()
    return Sealed(key, len(data), digest, len(data), digest)


def new_id(kind: str, at: datetime) -> str:
    """``backup-<epoch>-<kind>``, as the roadmap writes it."""
    return f"backup-{int(at.timestamp())}-{kind}"


def sign(manifest: Manifest, identity: Identity) -> bytes:
    """The manifest as its object's bytes."""
    body = json.dumps(asdict(manifest), sort_keys=True, indent=1)
    return json.dumps(
        {"mac": mac(identity, PURPOSE, body.encode()), "manifest": json.loads(body)}, indent=1
    ).encode()


def read(data: bytes, identity: Identity, snapshot_id: str) -> Manifest:
    """The manifest in ``data``. Raises :class:`Forged` where its signature is not ours or it is of another snapshot."""
    try:
        document = json.loads(data)
        body, given = document["manifest"], str(document["mac"])
        text = json.dumps(body, sort_keys=True, indent=1).encode()
        signed = check_mac(identity, PURPOSE, text, given)
    except (ValueError, LookupError, TypeError, RecursionError):
        raise Forged(f"snapshot {snapshot_id}: its manifest cannot be read: it is not used") from None
    if not signed:
        raise Forged(
            f"snapshot {snapshot_id}: its manifest is not signed with this environment's key: it is not used; remove it, or "
            "set the password and bucket that it was taken with"
        )
    if body["format"] != FORMAT:
        raise StoreError(
            f"snapshot {snapshot_id}: it has format {body['format']}, this version knows {FORMAT}: use the newer version "
            "that took it, or follow its RECOVERY.md"
        )
    manifest = _manifest(body)
    if manifest.id != snapshot_id:
        raise Forged(
            f"snapshot {snapshot_id}: its manifest is of {manifest.id}: it was copied here and is not used"
        )
    return manifest


def utc(at: datetime) -> str:
    """As manifests write times: to the millisecond, because an erasure may have come just before."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _manifest(body: dict[str, Any]) -> Manifest:
    objects = {name: Sealed(**sealed) for name, sealed in body.pop("objects").items()}
    for name in ("recipients", "schemas", "erasures"):
        body[name] = tuple(body.get(name, ()))
    return Manifest(objects=objects, **body)
