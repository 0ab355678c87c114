"""The way back of a cut-over: the app reads from Airtable again, the checkpoint is restored, writing is open.

What belongs here: the order of it, and going on with it after its process was killed. What does not: a restore (``backup``),
the switch (``switch``), what follows once writing is open (``aftermath``).

Invariants: it is written down first that the only way is back; each part may be repeated; people write only after all
of it; what people wrote after the switch lies in the restore's encrypted file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger_assets import connections, freeze, recoveries, switch
from ledger_assets.cutover import state
from ledger_assets.cutover.aftermath import finish
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
    """What was done. ``restored`` is None where nothing had been loaded."""

    cutover: Cutover
    restored: Done | None
    switched_back: bool
    left: tuple[str, ...] = ()
    """What could not be done once writing was open; everything else was."""


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
    checkpoint = _checkpoint(settings, cutover)
    with connections.database_url(settings) as url, Heartbeat(url, token) as beat:
        with connections.database(settings, purpose="cutover-back") as connection:
            state.returning(connection, cutover.id, why)
            _keep_frozen(connection, token)
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
            with connection.transaction(), connection.cursor() as cur:
                freeze.release(cur, token)
            state.end(connection, cutover.id, "returned")
            freeze.thaw(connection, token, who=cutover.who)
    return Returned(cutover, restored, flipped.changed, finish(settings, cutover, run_id=run_id))


def _keep_frozen(connection: psycopg.Connection, token: int) -> None:
    """While it is half back the freeze must not run out, also where nothing was held (after the switch)."""
    with connection.transaction(), connection.cursor() as cur:
        freeze.hold(cur, token)


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
