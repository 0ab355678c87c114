"""A cut-over played against a copy of the database: does everything hold, and how long will people be kept from writing?

What belongs here: the copy, and the same engine's steps on it. What does not: the steps' own lease and record in the real
database (``night``).

Invariants: the real database is only read (its snapshot is taken); no hook is called, nothing is announced; the copy is
gone afterwards. The export and the snapshot that it makes are real ones and stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ledger_assets import backups, connections, events, freeze, lane, switch
from ledger_assets.cutover.fetch import fetch
from ledger_assets.environment import Settings
from ledger_assets.errors import CheckFailed, LedgerError
from ledger_assets.progress import report
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.backups import Tell
    from ledger_assets.tables.fields import TableSpec

T = TypeVar("T")
WHO = "a rehearsal"


@dataclass
class Rehearsed:
    """Seconds by step in the order of the night; ``problems``: what would have stopped it."""

    snapshot_id: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    written: int = 0
    """Rows that the load would write."""

    @property
    def total(self) -> float:
        """How long writing would be frozen, without the watch."""
        return sum(self.seconds.values())


def rehearse(
    settings: Settings,
    store: ObjectStore,
    specs: Sequence[TableSpec],
    *,
    run_id: str,
    tell: Tell = lambda _: None,
) -> Rehearsed:
    """Play the night. Raises what a step raises that cannot be played at all (Airtable, the bucket)."""
    found = Rehearsed()
    _record(settings, run_id, "begun", found)
    try:
        _rehearse(settings, store, specs, found, run_id, tell)
    except LedgerError:
        _record(settings, run_id, "failed", found)
        raise
    _record(settings, run_id, "failed" if found.problems else "done", found)
    return found


def _record(settings: Settings, run_id: str, outcome: events.Outcome, found: Rehearsed) -> None:
    detail = {"snapshot": found.snapshot_id, "seconds": found.seconds, "problems": len(found.problems)}
    with connections.database(settings, purpose="rehearsal") as connection:
        events.record(connection, "cutover_rehearsal", outcome, run_id=run_id, detail=detail)


def _rehearse(
    settings: Settings,
    store: ObjectStore,
    specs: Sequence[TableSpec],
    found: Rehearsed,
    run_id: str,
    tell: Tell,
) -> None:
    """Up to the copy's end."""
    from ledger_assets.backup.place import open_place
    from ledger_assets.backup.verify import restored
    from ledger_assets.load import schema
    from ledger_assets.load.connect import connect

    fetched = _timed(found, "sync", lambda: fetch(settings, store, specs, final=False))
    taken = _timed(
        found,
        "checkpoint",
        lambda: backups.take(
            settings, store, kind="full", reason="rehearsal of a cut-over", run_id=run_id, tell=tell
        ),
    )
    found.snapshot_id = taken.snapshot.id
    if taken.problems:
        raise CheckFailed(f"snapshot {taken.snapshot.id} does not restore exactly: {taken.problems[0]}")
    with (
        restored(open_place(settings), taken.snapshot.manifest) as copy,
        connect(copy.scratch.url, application_name="ledger:rehearsal") as connection,
    ):
        schema.apply(connection)
        _play(settings, store, specs, connection, found, run_id)
    report("cutover", f"rehearsed with export {fetched.brought.export.export_id}", 1, 1)


def _play(
    settings: Settings,
    store: ObjectStore,
    specs: Sequence[TableSpec],
    connection: psycopg.Connection,
    found: Rehearsed,
    run_id: str,
) -> None:
    """From the freeze to the thaw, on the copy."""
    from ledger_assets.health.collect import collect

    token = _timed(
        found,
        "freeze",
        lambda: freeze.take_lease(
            connection, reason=WHO, who=WHO, cutover=run_id, planned_end=None, seconds=24 * 3600.0
        ),
    )
    loaded = _timed(
        found, "load", lambda: lane.load_into(settings, connection, store, specs, run_id=run_id, token=token)
    )
    found.written = loaded.written
    if not loaded.committed:
        found.problems += [f"load: {c.table} {c.name}" for c in loaded.checks if not c.passed]
        return
    proof = _timed(found, "proof", lambda: lane.prove(settings, connection, store, specs))
    found.problems += [f"proof: {c.table} {c.name}" for c in proof.checks if not c.passed]
    access = _timed(found, "access", lambda: lane.access(connection))
    found.problems += [f"access: {line}" for line in access.lines]
    health = _timed(found, "health", lambda: collect(settings, connection, store))
    found.problems += [f"health: {one.name} ({one.value})" for one in health.of("bad")]
    _timed(
        found,
        "switch",
        lambda: switch.switch(connection, "supabase", token=token, who=WHO, run_id=run_id),
    )
    _timed(found, "unfreeze", lambda: freeze.thaw(connection, token, who=WHO))


def _timed(found: Rehearsed, name: str, run: Callable[[], T]) -> T:
    report("cutover", f"{name} rehearsed", len(found.seconds), 9)
    started = time.monotonic()
    done = run()
    found.seconds[name] = round(time.monotonic() - started, 3)
    return done
