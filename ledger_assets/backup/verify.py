"""Verification: a snapshot is fetched, decrypted, restored into a scratch Postgres and compared with its manifest.

What belongs here: the order of the steps, and what the answer does to the snapshot's state. What does not: restoring and
comparing (``restored``), the scratch server (``scratch``).

Invariants: nothing but this makes a snapshot verified; a network that fails or a disk that is full makes none corrupt: that
is said only where an object or a row is other than the manifest says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ledger_assets.backup import catalogue, media
from ledger_assets.backup.catalogue import Snapshot, State
from ledger_assets.backup.compared import compare
from ledger_assets.backup.contents import Contents
from ledger_assets.backup.manifest import CONTENTS, DATA, MEDIA, Manifest, as_it_is
from ledger_assets.backup.place import Place
from ledger_assets.backup.restored import restore_folder
from ledger_assets.backup.scratch import Scratch, scratch
from ledger_assets.backup.sealing import Damaged, damaged, unseal_bytes, unseal_to
from ledger_assets.backup.tools import tools_for
from ledger_assets.erasure import register
from ledger_assets.extract.scratch import remove_abandoned, scratch_folder
from ledger_assets.progress import report

THREADS = 4
FILE_DAYS = 7
"""Each stored file is decrypted whole once in so many days of daily verification."""


@dataclass(frozen=True)
class Verification:
    """The answer. ``problems``: a line each, naming the object, table or file; none: it restores exactly."""

    snapshot_id: str
    problems: tuple[str, ...]
    rows: int
    bytes_read: int
    seconds: float

    @property
    def passed(self) -> bool:
        """True when it restores exactly."""
        return not self.problems


@dataclass(frozen=True)
class Restored:
    """A snapshot restored into a scratch database."""

    scratch: Scratch
    contents: Contents
    folder: Path


def verify(
    place: Place,
    snapshot: Snapshot,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    look: Callable[[Restored], None] = lambda _: None,
) -> Verification:
    """Verify ``snapshot`` and write its state. ``look`` may look at the restored copy while it stands.

    Raises a LedgerError for what is not the snapshot's fault (no server to restore into, no network).
    """
    started, manifest = time.monotonic(), snapshot.manifest
    problems: list[str]
    try:
        _other_objects(place, manifest)
        with restored(place, manifest) as copy:
            problems = compare(copy.contents, copy.scratch.admin_url)
            problems += _media(place, manifest, copy.folder, clock())
            if not problems:
                look(copy)
    except Damaged as error:
        problems = [str(error)]
    state = State.CORRUPT if problems else State.VERIFIED
    catalogue.say(place, snapshot.id, state, at=clock(), note=problems[0] if problems else "")
    return Verification(
        snapshot.id, tuple(problems), manifest.rows, manifest.bytes, round(time.monotonic() - started, 3)
    )


@contextmanager
def restored(place: Place, manifest: Manifest) -> Iterator[Restored]:
    """The snapshot in a scratch database, gone again with the block. Raises Damaged naming the object."""
    remove_abandoned(place.settings.home)
    major = int(manifest.tool.split(".")[0])
    with scratch_folder(place.settings.home) as folder, ThreadPoolExecutor(1) as pool:
        # While the scratch server starts: each takes a second or two of a small snapshot's five.
        fetched = pool.submit(fetch, place, manifest, folder / "dump")
        with scratch(place.backup, major) as copy:
            fetched.result()
            contents = Contents.from_json(
                unseal_bytes(place.vault, manifest.objects[CONTENTS], place.identity)
            )
            tools = tools_for(major * 10_000, place.backup.programs)
            restore_folder(copy.admin_url, folder / "dump", contents, tools=tools)
            yield Restored(copy, contents, folder)


def fetch(place: Place, manifest: Manifest, folder: Path) -> None:
    """The dump's folder, decrypted. Raises Damaged naming the object that is not what the manifest says."""
    folder.mkdir(mode=0o700)
    data = manifest.data()

    def one(name: str) -> None:
        unseal_to(place.vault, data[name], folder / name, place.identity)

    with ThreadPoolExecutor(THREADS) as pool:
        for number, _ in enumerate(pool.map(one, data), 1):
            report("verification", "decrypted", number, len(data))


def _other_objects(place: Place, manifest: Manifest) -> None:
    """What a restore of ours does not need and one by hand does: the scripts, the page, the protected key."""
    data = {f"{DATA}/{name}.age" for name in manifest.data()}
    for name, sealed in manifest.objects.items():
        if name in data or name in {CONTENTS, MEDIA}:
            continue  # read by the restore itself
        if sealed.sha256 != sealed.plain_sha256:
            unseal_bytes(place.vault, sealed, place.identity)
        elif (
            place.vault.size(sealed.key) is None
            or as_it_is(sealed.key, place.vault.get(sealed.key)) != sealed
        ):
            raise damaged(place.vault, sealed.key)


def _media(place: Place, manifest: Manifest, folder: Path, now: datetime) -> list[str]:
    """All files are there; those that are read whole today are those of this day of the week's seventh."""
    files = media.from_json(unseal_bytes(place.vault, manifest.objects[MEDIA], place.identity))
    day = now.toordinal() % FILE_DAYS

    def read(file: media.MediaFile) -> bool:
        return int(file.sha256[:8], 16) % FILE_DAYS == day

    # Whoever was erased since: their files are gone from the vault too.
    erased = {key for one in register.listed(place.vault, place.identity) for key in one.files}
    return media.problems(place, files, read, folder, erased=erased)
