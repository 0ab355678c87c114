"""One environment's way back, step by step, without Dagster: what the op jobs and the commands both do.

What belongs here: which database, bucket and snapshot a step takes; the emergency snapshot before it. What does not: how a
step works (``backup``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ledger_assets import backups, connections
from ledger_assets.backups import Tell
from ledger_assets.environment import Settings
from ledger_assets.errors import LedgerError, SettingsError, TargetError

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.backup.catalogue import Snapshot
    from ledger_assets.backup.media import PutBack
    from ledger_assets.backup.merge import Preview
    from ledger_assets.backup.place import Place
    from ledger_assets.backup.recover import Plan
    from ledger_assets.backup.rehearse import Rehearsal
    from ledger_assets.backup.restore import Done
    from ledger_assets.storage import ObjectStore


def preview(settings: Settings, snapshot_id: str, mode: str) -> Preview:
    """What a restore would change; nothing is changed."""
    from ledger_assets.backup.recover import mode_of
    from ledger_assets.backup.restore import preview as preview_of

    with _to_restore(settings, snapshot_id) as (place, snapshot, connection):
        return preview_of(place, snapshot, connection, mode_of(mode))


def restore(
    settings: Settings,
    store: ObjectStore,
    snapshot_id: str,
    mode: str,
    *,
    who: str,
    emergency: bool,
    run_id: str | None,
    cutover: str | None = None,
    tell: Tell = lambda _: None,
) -> list[Done]:
    """Take an emergency snapshot, then restore in one transaction. ``cutover``: the one whose way back it is."""
    from ledger_assets.backup.recover import mode_of
    from ledger_assets.backup.restore import restore as restore_from

    with _to_restore(settings, snapshot_id) as (place, snapshot, connection):
        _refuse_cutover(settings, connection, own=cutover)
        if emergency:
            _emergency(settings, store, f"before restore of {snapshot_id}", run_id)
        done = restore_from(place, snapshot, connection, mode_of(mode), who=who)
        done = replace(done, files=_files_back(settings, place, store, snapshot, connection))
    _tell_restored(settings, [done], tell)
    return [done]


def files_back(settings: Settings, snapshot_id: str) -> PutBack:
    """Bring the files back that the database names and the object store lacks; no row is touched, so that the database may
    be a new one, restored elsewhere."""
    with _to_restore(settings, snapshot_id, elsewhere=True) as (place, snapshot, connection):
        return _files_back(settings, place, connections.object_store(settings), snapshot, connection)


def plan(settings: Settings, scenario: str) -> Plan:
    """A plan of recovery."""
    from ledger_assets.backup.beyond import of_a_lost_region, of_tampered_objects
    from ledger_assets.backup.history import NoVersions
    from ledger_assets.backup.place import open_place
    from ledger_assets.backup.recover import Scenario, make
    from ledger_assets.backup.settings import read_backup_settings

    store, now = connections.object_store(settings), datetime.now(UTC)
    notes: list[str] = []
    if scenario == Scenario.RANSOMWARE:  # first the objects: the key may be among them
        try:
            tampered = of_tampered_objects(read_backup_settings(settings), store, now=now)
        except (
            NoVersions
        ) as error:  # the database is looked at all the same: each snapshot is proven before it is used
            notes.append(str(error))
        else:
            if tampered is not None:
                return tampered
    place = open_place(settings)
    if scenario == Scenario.REGIONAL_FAILURE:  # its database is gone: nothing of it is asked
        return of_a_lost_region(place, store, now=now)
    with connections.database(settings, purpose="recover") as connection:
        return make(place, store, connection, Scenario(scenario), now=now, notes=notes)


def is_of_objects(store: ObjectStore, plan_id: str) -> bool:
    """Is it a plan of the snapshots' own objects? Raises SettingsError for one that needs a new database."""
    from ledger_assets.backup.recover import INTO, OBJECTS, read

    made = read(store, plan_id)
    if INTO in made.modes:
        raise SettingsError(
            f"plan {plan_id} needs a new database: ledger-assets restore ENV {made.snapshot_id} --into URL"
        )
    return OBJECTS in made.modes


def bring_back_objects(settings: Settings) -> int:
    """The true versions of the snapshots' objects; how many were brought back."""
    from ledger_assets.backup.beyond import bring_back_objects as bring_back
    from ledger_assets.backup.settings import read_backup_settings

    return bring_back(read_backup_settings(settings), now=datetime.now(UTC))


def recover(
    settings: Settings,
    store: ObjectStore,
    plan_id: str,
    *,
    who: str,
    emergency: bool,
    run_id: str | None,
    tell: Tell = lambda _: None,
) -> list[Done]:
    """Take an emergency snapshot, then carry out a plan."""
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place
    from ledger_assets.backup.recover import carry_out, read

    place, made = open_place(settings), read(store, plan_id)
    with connections.database(settings, purpose="recover") as connection:
        _refuse_cutover(settings, connection)
        if emergency:
            _emergency(settings, store, f"before {plan_id}", run_id)
        done = carry_out(place, connection, made, who=who)
        if done:
            snapshot = catalogue.read(place).find(made.snapshot_id)
            files = _files_back(settings, place, store, snapshot, connection)
            done = [*done[:-1], replace(done[-1], files=files)]
    _tell_restored(settings, done, tell)
    return done


def undo(settings: Settings, undo_id: int, *, who: str) -> None:
    """Take a restore back."""
    from ledger_assets.backup import merge
    from ledger_assets.backup.restore import judge

    with connections.database(settings, purpose="undo") as connection:
        _refuse_cutover(settings, connection)
        merge.undo(connection, undo_id, who=who, judge=judge)


def restore_into(settings: Settings, snapshot_id: str, url: str) -> tuple[int, PutBack]:
    """Restore a whole snapshot into an empty database elsewhere, and the files that the object store lacks; its rows. The
    environment's own database need not exist any more."""
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.media import PutBack
    from ledger_assets.backup.place import open_place
    from ledger_assets.backup.restore import assert_fits, into
    from ledger_assets.erasure.register import listed
    from ledger_assets.load.connect import connect

    place = open_place(settings)
    known = catalogue.read(place)
    snapshot = known.find(snapshot_id)
    assert_fits(place, snapshot.manifest, database="", elsewhere=True)
    rows = into(place, snapshot, url, listed(place.vault, place.identity, expected=known.erasures))
    with connect(url, application_name="ledger:restore", setting="--into") as connection:
        try:
            files = _files_back(settings, place, connections.object_store(settings), snapshot, connection)
        except LedgerError as error:  # the rows are there, and the place of the files may be lost too
            files = PutBack(0, (str(error),))
    return rows, files


def rehearse(settings: Settings, *, fresh: bool) -> Rehearsal:
    """The whole drill in scratch: a made-up disaster, recovered from a snapshot, timed and proven."""
    from ledger_assets.backup.place import open_place
    from ledger_assets.backup.rehearse import rehearse as drill

    place, store = open_place(settings), connections.object_store(settings)
    with connections.database_url(settings) as url:
        return drill(place, store, url, fresh=fresh)


@contextmanager
def _to_restore(
    settings: Settings, snapshot_id: str, *, elsewhere: bool = False
) -> Iterator[tuple[Place, Snapshot, psycopg.Connection]]:
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place
    from ledger_assets.backup.restore import assert_fits
    from ledger_assets.backup.take import database_identity

    place = open_place(settings)
    snapshot = catalogue.read(place).find(snapshot_id)
    with connections.database(settings, purpose="restore") as connection:
        with connection.transaction():
            database = database_identity(connection)
        assert_fits(place, snapshot.manifest, database=database, elsewhere=elsewhere)
        yield place, snapshot, connection


def _files_back(
    settings: Settings, place: Place, store: ObjectStore, snapshot: Snapshot, connection: psycopg.Connection
) -> PutBack:
    """Only what the database names now: whoever was erased is not in it, and no file of theirs comes back."""
    from ledger_assets.backup import media
    from ledger_assets.extract.scratch import scratch_folder

    with connection.transaction():
        wanted = {key for key, _ in media.listed(connection)}
    with scratch_folder(settings.home) as folder:
        return media.put_back(place, store, snapshot.manifest, wanted, folder)


def _refuse_cutover(settings: Settings, connection: psycopg.Connection, *, own: str | None = None) -> None:
    """Rows must not change under a cut-over. Raises TargetError."""
    from ledger_assets import freeze

    try:
        found = freeze.state(connection)
    except TargetError:
        return  # a schema so damaged that this cannot be asked is what is being recovered
    if found.leased and found.cutover != own:
        raise TargetError(
            f"{found.described()} holds: to take it back: ledger-assets cutover {settings.environment} --back; to restore "
            f"something else: first ledger-assets maintenance {settings.environment} off --force"
        )


def _emergency(settings: Settings, store: ObjectStore, reason: str, run_id: str | None) -> None:
    taken = backups.take(settings, store, kind="emergency", reason=reason, run_id=run_id)
    if not taken.verification.passed:
        raise TargetError(
            f"the emergency snapshot {taken.snapshot.id} does not restore exactly ({taken.verification.problems[0]}): "
            "nothing was restored; look at it, or go on with --without-emergency"
        )


def _tell_restored(settings: Settings, restores: Sequence[Done], tell: Tell) -> None:
    from ledger_assets.backup import messages

    for done in restores:
        tell(
            messages.restore_done(
                settings.environment,
                done.snapshot_id,
                mode=str(done.preview.mode),
                inserted=done.preview.inserted,
                updated=done.preview.updated,
                deleted=done.preview.deleted,
                seconds=done.seconds,
                at=datetime.now(UTC),
            )
        )
