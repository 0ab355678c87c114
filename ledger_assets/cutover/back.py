"""The way back of a cut-over: the app reads from Airtable again, the checkpoint is restored, writing is open.

What belongs here: the order of it, and going on with it after its process was killed. What does not: a restore (``backup``),
the switch (``switch``), whom to tell afterwards (``aftermath``).

Invariants: it is written down first that the only way is back; each part may be repeated; people write only after all
of it; what people wrote after the switch lies in the restore's encrypted file; what was never loaded is not taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger_assets import connections, events, freeze, recoveries, switch
from ledger_assets.cutover import aftermath, state
from ledger_assets.cutover.aftermath import Told
from ledger_assets.cutover.state import Cutover
from ledger_assets.environment import Settings
from ledger_assets.errors import TargetError
from ledger_assets.freeze import Heartbeat
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.backup.restore import Done
    from ledger_assets.backups import Tell

REASON = "the way back of a cut-over"


@dataclass(frozen=True)
class Returned:
    """What was done. ``restored`` is None where nothing had been loaded, or it was restored before."""

    cutover: Cutover
    restored: Done | None
    switched_back: bool
    told: Told


def roll_back(
    settings: Settings,
    store: ObjectStore,
    cutover: Cutover,
    *,
    who: str,
    run_id: str,
    why: str,
    emergency: bool,
    tell: Tell = lambda _: None,
) -> Returned:
    """Go back with a freeze of its own: after a switch, or after a cut-over's process was killed. Raises TargetError."""
    with connections.database(settings, purpose="cutover-back") as connection:
        token = freeze.take_lease(connection, reason=REASON, who=who, cutover=cutover.id, planned_end=None)
        state.note(connection, cutover.id, token=token)
        state.join(connection, cutover.id, run_id)
    return go_back(settings, store, cutover, token, run_id=run_id, why=why, emergency=emergency, tell=tell)


def go_back(
    settings: Settings,
    store: ObjectStore,
    cutover: Cutover,
    token: int,
    *,
    run_id: str,
    why: str,
    emergency: bool = False,
    tell: Tell = lambda _: None,
) -> Returned:
    """Go back under ``token``. Raises TargetError; what was done then stays, and is repeated by the next attempt."""
    with connections.database(settings, purpose="cutover-back") as connection:
        # One that never came to its load has nothing to take back, and what people wrote since its checkpoint is theirs.
        loaded = cutover.state != "open" or state.has_loaded(connection, cutover)
    checkpoint = _checkpoint(settings, cutover) if loaded else None
    with connections.database_url(settings) as url, Heartbeat(url, token) as beat:
        with connections.database(settings, purpose="cutover-back") as connection:
            _decide(connection, cutover, token, why, run_id, checkpoint)
            flipped = switch.switch(connection, "airtable", token=token, who=cutover.who, run_id=run_id)
        restored = None
        if checkpoint is not None:
            beat.assert_alive()
            (restored,) = recoveries.restore(
                settings,
                store,
                checkpoint,
                "exact",
                who=cutover.who,
                emergency=emergency,
                run_id=run_id,
                cutover=cutover.id,
                tell=tell,
            )
        with connections.database(settings, purpose="cutover-back") as connection:
            _open(connection, cutover, token, run_id, {"checkpoint": checkpoint, "why": why})
    return Returned(cutover, restored, flipped.changed, aftermath.tell(settings, cutover, run_id))


def _decide(
    connection: psycopg.Connection,
    cutover: Cutover,
    token: int,
    why: str,
    run_id: str,
    checkpoint: str | None,
) -> None:
    """From here on the only way is back, and until it is gone the freeze does not run out, also after the switch."""
    with connection.transaction(), connection.cursor() as cur:
        state.returning(connection, cutover.id, why, checkpoint)
        detail = {"cutover": cutover.id, "checkpoint": checkpoint, "why": why}
        events.record(connection, "cutover_back", "begun", who=cutover.who, run_id=run_id, detail=detail)
        freeze.hold(cur, token)


def _open(
    connection: psycopg.Connection, cutover: Cutover, token: int, run_id: str, detail: dict[str, object]
) -> None:
    """Its end, the end of the freeze and the record of both are one: whoever is killed leaves all or none."""
    with connection.transaction(), connection.cursor() as cur:
        freeze.release(cur, token)
        state.end(connection, cutover.id, "returned")
        freeze.thaw_within(cur, token, who=cutover.who)
        detail = {"cutover": cutover.id, **detail}
        events.record(connection, "cutover_back", "done", who=cutover.who, run_id=run_id, detail=detail)


def _checkpoint(settings: Settings, cutover: Cutover) -> str | None:
    """The snapshot that leads back; None: it never came to one, and so nothing was loaded. Raises TargetError."""
    if cutover.checkpoint is None:
        return None
    from ledger_assets.backup import catalogue
    from ledger_assets.backup.place import open_place

    snapshot = catalogue.read(open_place(settings)).find(cutover.checkpoint)
    if snapshot.verified_at is None:
        raise TargetError(
            f"the checkpoint {snapshot.id} of this cut-over is {snapshot.word}: choose another way back: ledger-assets "
            f"backup list {settings.environment}"
        )
    return snapshot.id
