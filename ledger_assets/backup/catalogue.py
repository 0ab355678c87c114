"""The list of an environment's snapshots, beside the objects and not in the database they protect.

What belongs here: which snapshots there are, and their states. What does not: taking, verifying, expiring them.

    snapshots/<id>/MANIFEST.json            no manifest, no snapshot
    states/<id>/<state>-<utc time>.json     what became of it: small signed objects, each written once

Invariants: nothing is ever edited, so that Object Lock works; a manifest or state that is not signed with our key counts
for nothing and is told; the newest of ``verified`` and ``corrupt``, of ``held`` and ``released``, decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from ledger_assets.backup import manifest as manifests
from ledger_assets.backup.identity import Identity, check_mac, mac
from ledger_assets.backup.manifest import CLAIM, FOLDER, Manifest, manifest_key
from ledger_assets.backup.place import Place
from ledger_assets.backup.retention import Kept
from ledger_assets.errors import StoreError
from ledger_assets.storage import ObjectExists, ObjectMissing, ObjectStore

STATES = "states"
THREADS = 8
"""Two states a day are some 700 small objects a year, each a request."""
PURPOSE = "state"
CHANGED = "changed"
"""Reason of a snapshot that was taken because the database had changed."""


class State(StrEnum):
    """What may become of a snapshot."""

    VERIFIED = "verified"
    CORRUPT = "corrupt"
    HELD = "held"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Said:
    """One state. ``until``: of a hold; None: until it is released."""

    state: State
    at: datetime
    note: str
    until: datetime | None = None


@dataclass(frozen=True)
class Snapshot:
    """A snapshot and what became of it."""

    manifest: Manifest
    states: tuple[Said, ...]

    @property
    def id(self) -> str:
        """Its id."""
        return self.manifest.id

    def newest(self, *states: State) -> Said | None:
        """The last said of ``states``."""
        return max(
            (said for said in self.states if said.state in states), key=lambda said: said.at, default=None
        )

    @property
    def verified_at(self) -> datetime | None:
        """When it was last restored and compared; None when that never was or the last try failed."""
        last = self.newest(State.VERIFIED, State.CORRUPT)
        return last.at if last is not None and last.state is State.VERIFIED else None

    @property
    def corrupt(self) -> bool:
        """True when its last verification found it to be other than its manifest."""
        last = self.newest(State.VERIFIED, State.CORRUPT)
        return last is not None and last.state is State.CORRUPT

    def held(self, now: datetime) -> bool:
        """True while somebody holds it."""
        last = self.newest(State.HELD, State.RELEASED)
        return last is not None and last.state is State.HELD and (last.until is None or last.until > now)

    @property
    def word(self) -> str:
        """Its state in a word, for a list."""
        return "corrupt" if self.corrupt else "verified" if self.verified_at is not None else "unverified"

    def kept(self, now: datetime) -> Kept:
        """As retention asks."""
        last = self.newest(State.HELD, State.RELEASED)
        return Kept(
            id=self.id,
            kind=self.manifest.kind,
            taken_at=self.manifest.at,
            verified=self.verified_at is not None,
            changed=self.manifest.reason == CHANGED,
            held=self.held(now),
            hold_until=last.until if last is not None and last.state is State.HELD else None,
            released=last is not None and last.state is State.RELEASED,
            corrupt=self.corrupt,
            rows=self.manifest.rows,
            bytes=self.manifest.plain_bytes,
        )


@dataclass(frozen=True)
class Catalogue:
    """All snapshots, oldest first; ``refused``: a line for each manifest or state that counts for nothing or is gone;
    ``unfinished``: ids of what is being taken, or was begun and never ended; ``expired``: ids of which objects are left."""

    snapshots: tuple[Snapshot, ...]
    refused: tuple[str, ...]
    unfinished: tuple[str, ...]
    expired: tuple[str, ...]

    def find(self, snapshot_id: str) -> Snapshot:
        """The snapshot of that id. Raises StoreError."""
        for snapshot in self.snapshots:
            if snapshot.id == snapshot_id:
                return snapshot
        for line in self.refused:
            if f"snapshot {snapshot_id}:" in line:
                raise StoreError(line)
        raise StoreError(f"there is no snapshot {snapshot_id}: see ledger-assets backup list ENV")

    @property
    def erasures(self) -> frozenset[str]:
        """Keys of the entries that the list of erasures held when any of the snapshots was taken."""
        return frozenset(key for snapshot in self.snapshots for key in snapshot.manifest.erasures)

    def newest_verified(self, *kinds: str) -> Snapshot | None:
        """The newest that was verified, of these kinds (none: of all)."""
        found = [
            s for s in self.snapshots if s.verified_at is not None and (not kinds or s.manifest.kind in kinds)
        ]
        return found[-1] if found else None


def read(place: Place) -> Catalogue:
    """List the snapshots and their states."""
    return read_from(place.vault, place.identity)


def read_from(vault: ObjectStore, identity: Identity) -> Catalogue:
    """The same of any store of snapshots."""
    states, refused = _states(vault, identity)
    snapshots, unfinished, expired = [], [], []
    for name in vault.folders(FOLDER):
        said = tuple(states.get(name, ()))
        if any(one.state is State.EXPIRED for one in said):
            if _any_left(vault, name):
                expired.append(name)
            continue
        try:
            data = vault.get(manifest_key(name))
        except ObjectMissing:
            if vault.size(f"{FOLDER}/{name}/{CLAIM}") is not None:
                unfinished.append(name)
            elif _any_left(vault, name):
                refused.append(
                    f"snapshot {name}: its manifest is gone: nothing of it is removed; put an earlier version of "
                    f"{manifest_key(name)} back, or follow its RECOVERY.md"
                )
            continue
        try:
            manifest = manifests.read(data, identity, name)
        except StoreError as error:
            refused.append(str(error))
            continue
        snapshots.append(Snapshot(manifest, said))
    snapshots.sort(key=lambda one: (one.manifest.at, one.id))
    return Catalogue(tuple(snapshots), tuple(refused), tuple(unfinished), tuple(expired))


def _any_left(vault: ObjectStore, snapshot_id: str) -> bool:
    """A directory lists folders that are empty by now, a bucket does not."""
    return next(vault.list(f"{FOLDER}/{snapshot_id}"), None) is not None


def say(
    place: Place,
    snapshot_id: str,
    state: State,
    *,
    at: datetime,
    note: str = "",
    until: datetime | None = None,
) -> Said:
    """Write a state; two of one moment get a moment of their own."""
    said = Said(state, at.astimezone(UTC), note, until)
    while True:
        body = _body(snapshot_id, said)
        document = {"mac": mac(place.identity, PURPOSE, body), **json.loads(body)}
        try:
            place.vault.put(_key(snapshot_id, said), json.dumps(document, indent=1).encode(), create=True)
        except ObjectExists:
            said = Said(state, said.at + timedelta(microseconds=1), note, until)
        else:
            return said


def _key(snapshot_id: str, said: Said) -> str:
    return f"{STATES}/{snapshot_id}/{said.state}-{said.at:%Y%m%dT%H%M%S.%fZ}.json"


def _body(snapshot_id: str, said: Said) -> bytes:
    document = {
        "id": snapshot_id,
        "state": said.state.value,
        "at": said.at.isoformat(),
        "note": said.note,
        "until": None if said.until is None else said.until.isoformat(),
    }
    return json.dumps(document, sort_keys=True).encode()


def _states(vault: ObjectStore, identity: Identity) -> tuple[dict[str, list[Said]], list[str]]:
    found: dict[str, list[Said]] = {}
    refused = []
    keys = [info.key for info in vault.list(STATES)]
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda key: _said(vault, identity, key), keys))
    for key, said in zip(keys, answers, strict=True):
        if said is None:
            refused.append(f"{key} is not signed with this environment's key: it counts for nothing")
        else:
            found.setdefault(said[0], []).append(said[1])
    return found, refused


def _said(vault: ObjectStore, identity: Identity, key: str) -> tuple[str, Said] | None:
    match = re.fullmatch(STATES + r"/([^/]+)/[a-z]+-\d{8}T\d{6}\.\d{6}Z\.json", key)
    try:
        document = json.loads(vault.get(key))
        until = document["until"]
        said = Said(
            State(document["state"]),
            datetime.fromisoformat(document["at"]),
            document["note"],
            None if until is None else datetime.fromisoformat(until),
        )
        given, snapshot_id = str(document["mac"]), str(document["id"])
        signed = check_mac(identity, PURPOSE, _body(snapshot_id, said), given)
    except (ValueError, LookupError, TypeError, RecursionError, ObjectMissing):
        return None
    if match is None or match[1] != snapshot_id or key != _key(snapshot_id, said):
        return None  # a true state, copied to where it says it of another snapshot
    return (snapshot_id, said) if signed else None


def kept(snapshots: Iterable[Snapshot], now: datetime) -> list[Kept]:
    """As retention asks."""
    return [snapshot.kept(now) for snapshot in snapshots]
