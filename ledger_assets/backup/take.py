"""Taking a snapshot: dump, files, everything encrypted, and the manifest last.

What belongs here: the order of the steps. What does not: any step itself, and verification (``verify``): a snapshot is born
unverified.

Invariants: without a manifest there is no snapshot, and it is written when everything else is in the vault and was
read back; an orderly failure leaves no object; what a killed process has left is removed by the next one, a
day later; no byte of a database leaves this machine unencrypted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ledger_assets.backup import catalogue, media, recovery
from ledger_assets.backup.catalogue import Catalogue
from ledger_assets.backup.contents import Contents
from ledger_assets.backup.dump import Dumped, Kind, dump
from ledger_assets.backup.manifest import (
    CLAIM,
    CONTENTS,
    DATA,
    FOLDER,
    MEDIA,
    Manifest,
    as_it_is,
    manifest_key,
    new_id,
    sign,
    utc,
)
from ledger_assets.backup.place import Place
from ledger_assets.backup.sealing import Sealed, seal_bytes, seal_file
from ledger_assets.backup.tools import needs_tls, tools_for
from ledger_assets.backup.vault import wrapped
from ledger_assets.erasure.model import FOLDER as ERASURES
from ledger_assets.errors import StoreError
from ledger_assets.extract.scratch import remove_abandoned, scratch_folder
from ledger_assets.load.connect import connect
from ledger_assets.load.history import last_load
from ledger_assets.progress import report
from ledger_assets.storage import ObjectExists, ObjectStore

if TYPE_CHECKING:
    import psycopg

THREADS = 4
IDENTITY = "identity.age"
LEFT_OVER = timedelta(hours=24)
"""Objects without a manifest that are younger may be of a snapshot that is being taken now."""


@dataclass(frozen=True)
class _Facts:
    """What is asked of the database beside its dump."""

    database: str
    load_id: int | None
    export_id: str | None
    files: list[tuple[str, str]]


def take(
    place: Place,
    store: ObjectStore,
    url: str,
    *,
    kind: Kind,
    reason: str,
    run_id: str | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Manifest:
    """Take one. ``store``: where the files lie. Raises a LedgerError naming what prevents it; nothing is left then."""
    started = time.monotonic()
    remove_abandoned(place.settings.home)
    known = catalogue.read(place)
    remove_left_over(place, known, clock())
    with scratch_folder(place.settings.home) as folder:
        with connect(url, application_name="ledger:snapshot") as connection:
            tools = tools_for(connection.info.server_version, place.backup.programs, tls=needs_tls(url))
        taken_at = clock()
        # Asked in the dump's own snapshot: a load that commits meanwhile brings rows and files together, or neither.
        asked: list[_Facts] = []
        dumped = dump(
            url, folder / "dump", kind=kind, tools=tools, beside=lambda live: asked.append(_facts(live))
        )
        facts = asked[-1]
        snapshot_id = _claim(place, kind, taken_at)
        try:
            earlier = [snapshot.manifest for snapshot in reversed(known.snapshots)]
            files = media.copy_new(place, store, facts.files, earlier, folder)
            objects = _objects(place, snapshot_id, folder, dumped, files, taken_at)
            manifest = _manifest(
                place, snapshot_id, kind, reason, run_id, taken_at, dumped, facts, files, objects, started
            )
            # With what is missed by now: the snapshots that remember it expire.
            listed = {info.key for info in place.vault.list(ERASURES)}
            manifest = replace(manifest, erasures=tuple(sorted(listed | known.erasures)))
            place.vault.put(manifest_key(snapshot_id), sign(manifest, place.identity), create=True)
        except BaseException:
            # A store that has just failed may fail again: what failed first is what is told.
            with suppress(StoreError):
                discard(place, snapshot_id)
            raise
        place.vault.delete(f"{FOLDER}/{snapshot_id}/{CLAIM}")
        return manifest


def database_identity(connection: psycopg.Connection) -> str:
    """Which database this is, whatever its address: a restored copy on another server is another one."""
    row = connection.execute(
        "select (select system_identifier from pg_control_system()) || '/' || oid from pg_database "
        "where datname = current_database()"
    ).fetchone()
    assert row is not None
    return str(row[0])


def discard(place: Place, snapshot_id: str) -> None:
    """Remove every object of a snapshot that has no manifest. The claim last: what is left without it was whole once."""
    claim = f"{FOLDER}/{snapshot_id}/{CLAIM}"
    for info in sorted(place.vault.list(f"{FOLDER}/{snapshot_id}"), key=lambda info: info.key == claim):
        place.vault.delete(info.key)


def remove_left_over(place: Place, known: Catalogue, now: datetime) -> list[str]:
    """Remove what killed processes have left; the ids."""
    gone = []
    for snapshot_id in known.unfinished:
        newest = max((info.modified for info in place.vault.list(f"{FOLDER}/{snapshot_id}")), default=None)
        if newest is not None and now - newest > LEFT_OVER:
            discard(place, snapshot_id)
            gone.append(snapshot_id)
    return gone


def _facts(connection: psycopg.Connection) -> _Facts:
    row = connection.execute("select to_regclass('migration.loads') is not null").fetchone()
    last = last_load(connection) if row is not None and row[0] else None
    return _Facts(
        database_identity(connection),
        None if last is None else last.load_id,
        None if last is None else last.export_id,
        media.listed(connection),
    )


def _claim(place: Place, kind: str, at: datetime) -> str:
    """An id that nobody else has: two runs of one second get two."""
    while True:
        snapshot_id = new_id(kind, at)
        try:
            place.vault.put(f"{FOLDER}/{snapshot_id}/{CLAIM}", utc(at).encode(), create=True)
        except ObjectExists:
            at += timedelta(seconds=1)
            continue
        if place.vault.size(manifest_key(snapshot_id)) is None:
            return snapshot_id
        place.vault.delete(f"{FOLDER}/{snapshot_id}/{CLAIM}")
        at += timedelta(seconds=1)


def _objects(
    place: Place,
    snapshot_id: str,
    folder: Path,
    dumped: Dumped,
    files: list[media.MediaFile],
    taken_at: datetime,
) -> dict[str, Sealed]:
    prefix = f"{FOLDER}/{snapshot_id}"

    def seal(name: str) -> tuple[str, Sealed]:
        key = f"{DATA}/{name}.age"
        sealed = seal_file(
            place.vault, f"{prefix}/{key}", folder / "dump" / name, place.recipients, folder=folder
        )
        return key, sealed

    objects: dict[str, Sealed] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        for number, (key, sealed) in enumerate(pool.map(seal, dumped.files), 1):
            objects[key] = sealed
            report("snapshot", "encrypted", number, len(dumped.files))
    texts = {CONTENTS: dumped.contents.to_json(), MEDIA: media.to_json(files)}
    texts |= {f"{name}.age": text for name, text in recovery.scripts(dumped.contents).items()}
    for key, text in texts.items():
        objects[key] = seal_bytes(place.vault, f"{prefix}/{key}", text, place.recipients)
    page = recovery.page(
        snapshot_id=snapshot_id,
        taken_at=utc(taken_at),
        target=place.settings.target_name,
        tool=dumped.tool,
        server=dumped.server,
        key_id=place.identity.key_id,
    )
    for name, data in {recovery.PAGE: page.encode(), IDENTITY: wrapped(place.vault, place.identity)}.items():
        place.vault.put(f"{prefix}/{name}", data, create=True)
        objects[name] = as_it_is(f"{prefix}/{name}", data)
    return objects


def _manifest(
    place: Place,
    snapshot_id: str,
    kind: str,
    reason: str,
    run_id: str | None,
    taken_at: datetime,
    dumped: Dumped,
    facts: _Facts,
    files: list[media.MediaFile],
    objects: dict[str, Sealed],
    started: float,
) -> Manifest:
    contents: Contents = dumped.contents
    return Manifest(
        id=snapshot_id,
        kind=kind,
        environment=place.settings.environment.value,
        target=place.settings.target_name,
        database=facts.database,
        taken_at=utc(taken_at),
        reason=reason,
        key_id=place.identity.key_id,
        recipients=place.recipients,
        tool=dumped.tool,
        server=dumped.server,
        schemas=dumped.schemas,
        schema_version=max(contents.migrations, default=None),
        load_id=facts.load_id,
        export_id=facts.export_id,
        run_id=run_id,
        tables=len(contents.tables),
        rows=contents.rows,
        plain_bytes=dumped.bytes,
        seconds=round(time.monotonic() - started, 3),
        media_files=len(files),
        media_bytes=sum(file.sealed.plain_size for file in files),
        objects=objects,
    )
