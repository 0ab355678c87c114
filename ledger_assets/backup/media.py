"""The files of a snapshot: which there are, each stored once in the vault, encrypted.

What belongs here: the inventory, copying what is new, putting back what is gone. What does not: fetching files from
Airtable (``extract``).

    media/<keyed hash>.age      a file; its name says nothing of its content to whoever has not the key

Invariants: a file is listed only with its content's SHA-256 seen here; what a kept snapshot lists is in the vault.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ledger_assets.backup.identity import mac
from ledger_assets.backup.manifest import MEDIA as OBJECT
from ledger_assets.backup.manifest import Manifest
from ledger_assets.backup.place import Place
from ledger_assets.backup.sealing import Damaged, Sealed, open_into, seal_file, unseal_bytes, unseal_to
from ledger_assets.errors import StoreError
from ledger_assets.progress import report
from ledger_assets.storage import ObjectExists, ObjectStore

if TYPE_CHECKING:
    import psycopg

FOLDER = "media"
PURPOSE = "media"
THREADS = 4
_FILES = (
    "select object_key, min(file_sha256) from airtable.attachments "
    "where object_key is not null and file_sha256 is not null group by object_key order by object_key"
)


@dataclass(frozen=True)
class MediaFile:
    """One file: its content's hash, its key in the object store, and how it lies in the vault."""

    sha256: str
    object_key: str
    sealed: Sealed


@dataclass(frozen=True)
class PutBack:
    """How many files are in the object store again, and a line for each that could not be brought there."""

    files: int
    failed: tuple[str, ...] = ()


def media_key(place: Place, sha256: str) -> str:
    """Where the file of that content lies in the vault."""
    return f"{FOLDER}/{mac(place.identity, PURPOSE, sha256.encode())}.age"


def listed(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """Object key and SHA-256 of every file that the database names, each once."""
    row = connection.execute("select to_regclass('airtable.attachments') is not null").fetchone()
    if row is None or not row[0]:
        return []
    return [(key, sha256) for key, sha256 in connection.execute(_FILES).fetchall()]


def copy_new(
    place: Place,
    store: ObjectStore,
    files: list[tuple[str, str]],
    earlier: Iterable[Manifest],
    folder: Path,
) -> list[MediaFile]:
    """Bring every file into the vault that is not there. ``earlier``: snapshots that may list them, the newest first.

    Raises StoreError naming the file's key where the store lacks it or holds another content.
    """
    there = {info.key: info.size for info in place.vault.list(FOLDER)}
    before = _known(place, {sha256 for _, sha256 in files if media_key(place, sha256) in there}, earlier)

    def bring(one: tuple[str, str]) -> MediaFile:
        object_key, sha256 = one
        key = media_key(place, sha256)
        known = before.get(sha256)
        if known is not None and there.get(key) == known.size:
            return MediaFile(sha256, object_key, known)
        return MediaFile(sha256, object_key, _sealed(place, store, object_key, sha256, key, folder))

    found = []
    with ThreadPoolExecutor(THREADS) as pool:
        for number, one in enumerate(pool.map(bring, files), 1):
            found.append(one)
            report("snapshot", "files", number, len(files))
    return found


def _known(place: Place, wanted: set[str], earlier: Iterable[Manifest]) -> dict[str, Sealed]:
    """How those files lie in the vault that any snapshot lists. Not the newest alone: after a loss that one lists none,
    and a file stored anew would be another than the earlier ones say."""
    known: dict[str, Sealed] = {}
    for manifest in earlier:
        if known.keys() >= wanted:
            break
        try:
            listed = from_json(unseal_bytes(place.vault, manifest.objects[OBJECT], place.identity))
        except Damaged:
            continue  # its verification tells; no later snapshot may fail for it
        known = {file.sha256: file.sealed for file in listed} | known
    return known


def _sealed(place: Place, store: ObjectStore, object_key: str, sha256: str, key: str, folder: Path) -> Sealed:
    path = folder / f"{Path(key).stem}.file"
    try:
        with path.open("wb") as file:
            for piece in store.chunks(object_key):
                file.write(piece)
        if _hash(path) != sha256:
            raise StoreError(
                f"object {object_key} in {store.url} is damaged: export again, then take the snapshot"
            )
        try:
            return seal_file(place.vault, key, path, place.recipients, folder=folder)
        except ObjectExists:
            found = _found(place, key, sha256, folder)
        return found or seal_file(place.vault, key, path, place.recipients, folder=folder, create=False)
    finally:
        path.unlink(missing_ok=True)


def _found(place: Place, key: str, sha256: str, folder: Path) -> Sealed | None:
    """What lies there without a snapshot that lists it: of a run that was killed, or of one that is running now and would
    lose it if it were stored anew. None: it is not that file."""
    with tempfile.NamedTemporaryFile(dir=folder) as stored, tempfile.NamedTemporaryFile(dir=folder) as plain:
        for piece in place.vault.chunks(key):
            stored.write(piece)
        stored.flush()
        path = Path(stored.name)
        sealed = Sealed(key, path.stat().st_size, _hash(path), 0, sha256)
        try:
            with Path(plain.name).open("wb", buffering=0) as file:
                open_into(place.vault, key, file, place.identity)
        except Damaged:
            return None
        if _hash(Path(plain.name)) != sha256:
            return None
        return replace(sealed, plain_size=Path(plain.name).stat().st_size)


def put_back(
    place: Place, store: ObjectStore, manifest: Manifest, wanted: Collection[str], folder: Path
) -> PutBack:
    """Bring the snapshot's files back that a restored database names (``wanted``: object keys) and the store lacks."""
    listed = from_json(unseal_bytes(place.vault, manifest.objects[OBJECT], place.identity))
    gone = [
        file
        for file in listed
        if file.object_key in wanted and store.size(file.object_key) != file.sealed.plain_size
    ]

    def put(file: MediaFile) -> str | None:
        path = folder / f"{file.sha256}.back"
        try:
            unseal_to(place.vault, file.sealed, path, place.identity)
            store.put(file.object_key, path)
        except StoreError as error:
            return str(error)
        finally:
            path.unlink(missing_ok=True)
        return None

    with ThreadPoolExecutor(THREADS) as pool:
        failed = [line for line in pool.map(put, gone) if line is not None]
    return PutBack(len(gone) - len(failed), tuple(failed))


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def to_json(files: list[MediaFile]) -> bytes:
    """The inventory as its object's bytes."""
    return json.dumps([asdict(file) for file in files], indent=1).encode()


def from_json(data: bytes) -> list[MediaFile]:
    """The inventory in ``data``."""
    return [MediaFile(one["sha256"], one["object_key"], Sealed(**one["sealed"])) for one in json.loads(data)]


def problems(
    place: Place,
    files: list[MediaFile],
    read: Callable[[MediaFile], bool],
    folder: Path,
    *,
    erased: Collection[str] = (),
) -> list[str]:
    """A line for each file that is not in the vault as listed. Those that ``read`` chooses are decrypted whole.

    ``erased``: object keys that may be missing, because people had themselves erased.
    """
    there = {info.key: info.size for info in place.vault.list(FOLDER)}
    lines = []
    for number, file in enumerate(files, 1):
        if file.sealed.key not in there and file.object_key in erased:
            pass
        elif there.get(file.sealed.key) != file.sealed.size:
            # Not its key in the object store: that holds its hash, and a state's note lies unencrypted.
            lines.append(f"file {file.sealed.key} is missing or of another size")
        elif read(file):
            path = folder / f"{file.sha256}.check"
            try:
                unseal_to(place.vault, file.sealed, path, place.identity)
            except StoreError as error:
                lines.append(str(error))
            finally:
                path.unlink(missing_ok=True)
        report("verification", "files", number, len(files))
    return lines
