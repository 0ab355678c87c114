"""One environment's backups, step by step, without Dagster: what the assets and the commands both do.

What belongs here: which database, bucket and snapshot a step takes, and what a load asserts before it begins. What does not:
how a step works (``backup``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ledger_assets import connections, erased
from ledger_assets.environment import Settings
from ledger_assets.errors import TargetError

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.backup.catalogue import Snapshot
    from ledger_assets.backup.dump import Kind
    from ledger_assets.backup.messages import Message
    from ledger_assets.backup.place import Place
    from ledger_assets.backup.retention import Decision
    from ledger_assets.backup.three_way import Compared
    from ledger_assets.backup.verify import Restored, Verification
    from ledger_assets.erasure.model import Erasure
    from ledger_assets.storage import ObjectStore

Tell = Callable[["Message"], object]
"""Tells people; never raises."""
CHANGED = "changed"
"""Reason of a snapshot that is taken because the database was written to; ``backup.catalogue`` knows it by this word."""
GOES_BACK = ("checkpoint", "full", "emergency")
"""Kinds that a load may rely on as its way back."""


@dataclass(frozen=True)
class Taken:
    """A snapshot and its verification; ``compared`` is None where the verification failed or there was never a load.

    ``erased_left``: a line for each row in it of somebody who had been erased before it was taken.
    """

    snapshot: Snapshot
    verification: Verification
    compared: Compared | None
    erased_left: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is wrong with it; a difference to the live database is not."""
        return (
            *self.verification.problems,
            *(f"erased, and still there: {line}" for line in self.erased_left),
        )


def take(
    settings: Settings,
    store: ObjectStore,
    *,
    kind: Kind,
    reason: str,
    run_id: str | None = None,
    tell: Tell = lambda _: None,
) -> Taken:
    """Take a snapshot of the environment's database and verify it; ``tell`` people of either outcome."""
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place
    from ledger_assets.backup.take import take as take_snapshot

    with _told(settings, kind, tell):
        place = open_place(settings)
        with connections.database_url(settings) as url:
            if kind != "baseline":
                # Opened as every step does: the embedded database gets its schema when it is first opened.
                with connections.database(settings, purpose="snapshot") as connection:
                    erased.publish(place, connection)
            manifest = take_snapshot(place, store, url, kind=kind, reason=reason, run_id=run_id)
    return verify(settings, store, place, catalogue.read(place).find(manifest.id), tell=tell)


@contextmanager
def _told(settings: Settings, kind: str, tell: Tell) -> Iterator[None]:
    from ledger_assets.backup import messages

    try:
        yield
    except Exception as error:
        tell(messages.snapshot_failed(settings.environment, kind, error, at=datetime.now(UTC)))
        raise


def reverify(settings: Settings, store: ObjectStore, tell: Tell = lambda _: None) -> list[Taken]:
    """Verify stored snapshots again, see :func:`to_reverify`."""
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place

    place = open_place(settings)
    chosen = to_reverify(catalogue.read(place).snapshots)
    return [verify(settings, store, place, snapshot, tell=tell) for snapshot in chosen]


def verify(
    settings: Settings, store: ObjectStore, place: Place, snapshot: Snapshot, *, tell: Tell = lambda _: None
) -> Taken:
    """Restore a stored snapshot into a scratch database and compare it: with its manifest, its export, the live
    database."""
    from ledger_assets.backup import catalogue, messages
    from ledger_assets.backup.verify import verify as verify_snapshot
    from ledger_assets.erasure.register import listed

    # Read before: an entry of the list that is damaged says nothing of the snapshot.
    every = listed(place.vault, place.identity, expected=catalogue.read(place).erasures)
    before = [one for one in every if one.at < snapshot.manifest.at]
    compared: list[Compared] = []
    erased_left: list[str] = []

    def look(copy: Restored) -> None:
        erased_left.extend(_erased_left(before, copy.scratch.admin_url))
        found = three_way(settings, store, snapshot, copy.scratch.admin_url)
        if found is not None:
            compared.append(found)

    env = settings.environment
    try:
        done = verify_snapshot(place, snapshot, look=look)
    except Exception as error:
        at = datetime.now(UTC)
        tell(messages.verification_failed(env, snapshot.id, differences=0, error=error, at=at))
        raise
    at = datetime.now(UTC)
    if done.passed:
        tell(messages.snapshot_verified(env, snapshot.id, rows=done.rows, seconds=done.seconds, at=at))
    else:
        differences = len(done.problems)
        tell(messages.verification_failed(env, snapshot.id, differences=differences, error=None, at=at))
    said = catalogue.read(place).find(snapshot.id)
    return Taken(said, done, compared[0] if compared else None, tuple(erased_left))


def _erased_left(before: Sequence[Erasure], scratch_url: str) -> list[str]:
    """What a snapshot holds of people who had themselves erased before it was taken: nothing, or an erasure failed."""
    from ledger_assets.erasure.applied import assert_absent
    from ledger_assets.load.connect import connect

    if not before:
        return []
    with connect(scratch_url, application_name="ledger:erased") as copy:
        return assert_absent(copy, before)


def three_way(
    settings: Settings, store: ObjectStore, snapshot: Snapshot, scratch_url: str
) -> Compared | None:
    """Export, live database and snapshot; None for a database that was never loaded, or that cannot be reached now."""
    from ledger_assets.backup import three_way as ways
    from ledger_assets.extract.export import Export, list_exports
    from ledger_assets.load.connect import connect

    export_id = snapshot.manifest.export_id
    if export_id is None:
        return None
    base_id = settings.airtable.base_id
    exported = ways.records_of_export(Export(store, export_id)) if export_id in list_exports(store) else None
    with connect(scratch_url, application_name="ledger:three-way") as copy:
        held, present = ways.records_of(copy, base_id), ways.records_of(copy, base_id, present=True)
    try:
        with connections.database(settings, purpose="three-way") as connection:
            live, erased = ways.records_of(connection, base_id), ways.erased_of(connection)
    except TargetError as error:
        # Just then somebody asks which snapshot is good: it is verified all the same.
        _log.warning("snapshot %s is not compared with the live database: %s", snapshot.id, error)
        return None
    return ways.compare(export_id, exported, live, held, present, erased)


def assert_checkpoint(settings: Settings, connection: psycopg.Connection) -> str:
    """The id of a verified snapshot of this very database that is newer than its last load. Raises TargetError.

    Asked by the load itself: however it was started, there is a way back.
    """
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place
    from ledger_assets.backup.take import database_identity
    from ledger_assets.load.history import last_load

    with connection.transaction():
        database, last = database_identity(connection), last_load(connection)
    load_id = None if last is None else last.load_id
    known = catalogue.read(open_place(settings))
    for snapshot in reversed(known.snapshots):
        manifest = snapshot.manifest
        if manifest.kind not in GOES_BACK or snapshot.verified_at is None:
            continue
        if manifest.database == database and manifest.load_id == load_id:
            return snapshot.id
    raise TargetError(
        f"load into {settings.target_name} refused: there is no verified checkpoint of this database newer than its last "
        f"load to go back to; run: ledger-assets backup take {settings.environment} --kind checkpoint"
    )


def to_reverify(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """Which stored snapshots are verified again today: the newest, and the one that was not looked at for longest."""
    from ledger_assets.backup.catalogue import State

    if not snapshots:
        return []

    def looked_at(snapshot: Snapshot) -> datetime:
        said = snapshot.newest(State.VERIFIED, State.CORRUPT)
        return datetime.min.replace(tzinfo=UTC) if said is None else said.at

    newest, longest = snapshots[-1], min(snapshots, key=looked_at)
    return [newest] if newest is longest else [longest, newest]


def prune(settings: Settings, *, apply: bool, now: datetime | None = None) -> tuple[Decision, list[str]]:
    """What retention says of the snapshots; with ``apply`` what may go is gone, and what restores have kept for their way
    back for 30 days. Second: ids of unfinished snapshots that were removed."""
    from ledger_assets.backup import merge
    from ledger_assets.backup.aside import KEPT
    from ledger_assets.backup.place import open_place
    from ledger_assets.backup.prune import prune as prune_snapshots
    from ledger_assets.load.history import last_load

    at = now or datetime.now(UTC)
    place, store = open_place(settings), connections.object_store(settings)
    with connections.database(settings, purpose="prune") as connection:
        with connection.transaction():
            lasts = (last_load(connection), last_load(connection, full=True))
        loaded = {last.export_id for last in lasts if last is not None}
        found = prune_snapshots(place, store, loaded=loaded, apply=apply, now=at)
        if apply:
            merge.forget_undo(connection, at - KEPT)
    return found


def newest_verified_at(settings: Settings) -> datetime | None:
    """When the newest verified snapshot was taken."""
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place

    newest = catalogue.read(open_place(settings)).newest_verified()
    return None if newest is None else newest.manifest.at


def changes(settings: Settings) -> tuple[float, int]:
    """``BACKUP_CHANGED_HOURS``, and a counter of the rows that were ever written to the database's tables of ours.

    Postgres's own statistics: they cost nothing, and start anew after a crash, which is a change too.
    """
    from ledger_assets.backup.settings import read_backup_settings
    from ledger_assets.schema.catalogue import SCHEMAS

    hours = read_backup_settings(settings).changed_hours
    with connections.database(settings, purpose="changes") as connection:
        row = connection.execute(
            "select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint from pg_stat_user_tables "
            # The heartbeat of a freeze writes every few seconds, and nothing that a snapshot keeps.
            "where schemaname = any (%s) and (schemaname, relname) <> ('migration', 'maintenance')",
            (list(SCHEMAS),),
        ).fetchone()
    assert row is not None
    return hours, int(row[0])
