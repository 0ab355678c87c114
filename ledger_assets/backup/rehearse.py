"""The drill: a snapshot brought back after a made-up disaster, in scratch, timed and proven. Nothing live is touched.

What belongs here: the disaster, the clock, the proof. What does not: any step of a recovery (``verify``, ``merge``).

    live    the snapshot, restored into one scratch server: it plays the database, and is damaged
    copy    the same snapshot, restored into another: what the recovery starts from

Invariants: what is damaged is never the environment's own database: both addresses come from ``scratch``; a drill passes
only when every table's rows, keys, sequences and objects are again those that the snapshot's contents say.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import psycopg

from ledger_assets.backup import catalogue, merge
from ledger_assets.backup.catalogue import Snapshot
from ledger_assets.backup.compared import compare
from ledger_assets.backup.contents import (
    Contents,
    SequenceContents,
    fingerprint,
    fix_settings,
    read_contents,
    read_sequences,
    tables_of,
)
from ledger_assets.backup.merge import sessions
from ledger_assets.backup.merge.model import LEFT
from ledger_assets.backup.place import Place
from ledger_assets.backup.queries import text
from ledger_assets.backup.restore import judge, to_merge
from ledger_assets.backup.take import take
from ledger_assets.backup.verify import Restored, restored, verify
from ledger_assets.erasure import applied, register
from ledger_assets.erasure.model import Erasure
from ledger_assets.errors import StoreError, TargetError
from ledger_assets.load import schema
from ledger_assets.load.connect import connect
from ledger_assets.storage import ObjectStore

WHO = "rehearsal"
"""In the undo log of a database that is thrown away."""
TRACES = LEFT | {"audit.log"}
"""Tables that a recovery writes to itself, or leaves alone."""


@dataclass(frozen=True)
class Rehearsal:
    """What the drill found. ``recover_seconds``: from the damage being noticed to the database being proven equal, the
    restore of the snapshot into scratch included. ``take_seconds``: None where the snapshot was there already."""

    snapshot_id: str
    take_seconds: float | None
    restore_seconds: float
    recover_seconds: float
    rows: int
    brought_back: int
    """Rows that the made-up disaster had removed or changed."""
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """True when the database came back exactly."""
        return not self.problems


def rehearse(
    place: Place,
    store: ObjectStore,
    url: str,
    *,
    fresh: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Rehearsal:
    """Run the drill on the newest verified snapshot; on a new one with ``fresh``, or where there is none.

    Raises StoreError where the new snapshot does not restore exactly, TargetError, Damaged.
    """
    snapshot, take_seconds = _snapshot(place, store, url, fresh=fresh, clock=clock)
    erasures = register.listed(place.vault, place.identity)
    with ExitStack() as stack:
        live = stack.enter_context(restored(place, snapshot.manifest))
        contents = _ready(live, erasures)
        _damage(live)
        noticed = time.monotonic()
        copy = stack.enter_context(restored(place, snapshot.manifest))
        _ready(copy, erasures)
        at_hand = time.monotonic()
        brought_back, problems = _recover(copy, live, snapshot.id, contents, erasures)
        proven = time.monotonic()
    return Rehearsal(
        snapshot.id,
        take_seconds,
        round(at_hand - noticed, 3),
        round(proven - noticed, 3),
        contents.rows,
        brought_back,
        tuple(problems),
    )


def _snapshot(
    place: Place, store: ObjectStore, url: str, *, fresh: bool, clock: Callable[[], datetime]
) -> tuple[Snapshot, float | None]:
    newest = None if fresh else catalogue.read(place).newest_verified("full", "checkpoint", "emergency")
    if newest is not None:
        return newest, None
    started = time.monotonic()
    manifest = take(place, store, url, kind="full", reason=WHO, clock=clock)
    seconds = round(time.monotonic() - started, 3)
    taken = catalogue.read(place).find(manifest.id)
    done = verify(place, taken, clock=clock)
    if not done.passed:
        raise StoreError(
            f"snapshot {manifest.id} does not restore exactly ({done.problems[0]}): nothing can be rehearsed with it"
        )
    return catalogue.read(place).find(manifest.id), seconds


def _ready(copy: Restored, erasures: tuple[Erasure, ...]) -> Contents:
    """At this release's schema and without the erased, as a recovery has it; what it then holds."""
    with connect(copy.scratch.url, application_name="ledger:rehearsal") as connection:
        migrated = schema.apply(connection)
        if not applied.apply_to(connection, erasures) and not migrated:
            return copy.contents
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with connection.transaction(force_rollback=True):
            return read_contents(connection, copy.contents.schemas)


def _damage(live: Restored) -> None:
    with (
        connect(live.scratch.url, application_name="ledger:rehearsal") as connection,
        sessions.one_transaction(connection, "the rehearsal's disaster") as cur,
    ):
        sessions.as_restore(cur, WHO)
        cur.execute(text("disaster"))


def _recover(
    copy: Restored, live: Restored, snapshot_id: str, contents: Contents, erasures: tuple[Erasure, ...]
) -> tuple[int, list[str]]:
    """What is lost first, as a recovery does, then exactly; then the proof. Rows brought back, and what differs."""
    rows = 0
    with (
        connect(copy.scratch.url, application_name="ledger:rehearsal") as scratch,
        connect(live.scratch.url, application_name="ledger:rehearsal") as damaged,
    ):
        try:
            for mode in (merge.LOST, merge.EXACT):
                done = merge.apply(
                    scratch,
                    damaged,
                    mode,
                    snapshot=snapshot_id,
                    who=WHO,
                    erased=to_merge(erasures),
                    judge=judge,
                )
                rows += done.preview.inserted + done.preview.updated + done.preview.deleted
        except TargetError as error:
            return rows, [str(error)]
        expected = _with_traces(contents, damaged)
    return rows, compare(expected, live.scratch.admin_url)


def _with_traces(contents: Contents, recovered: psycopg.Connection) -> Contents:
    """What must be there, with what the recovery itself has written: its way back and its line in the audit."""
    with recovered.transaction():
        fix_settings(recovered)
        shapes = [shape for shape in tables_of(recovered, contents.schemas) if shape.key in TRACES]
        tables = {shape.key: fingerprint(recovered, shape) for shape in shapes}
        found = read_sequences(recovered, contents.schemas)
    sequences = {
        name: SequenceContents(value.low, max(value.high, found.get(name, value.high)))
        for name, value in contents.sequences.items()
    }
    return replace(contents, tables={**contents.tables, **tables}, sequences=sequences)
