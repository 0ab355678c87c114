"""One environment's cut-overs, as the op jobs and the commands both use them, without Dagster.

What belongs here: finding the one that is meant, and its way back. What does not: the steps (``cutover``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger_assets import connections
from ledger_assets.environment import Settings
from ledger_assets.errors import SettingsError, TargetError
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    from ledger_assets.backups import Tell
    from ledger_assets.cutover.attempts import Step
    from ledger_assets.cutover.back import Returned
    from ledger_assets.cutover.gates import StagingProof
    from ledger_assets.cutover.state import Cutover, Phase


def to_go_back(settings: Settings, snapshot_id: str | None) -> Cutover | None:
    """The cut-over that a rollback to this checkpoint takes back (None: the unfinished one, else the newest).

    One that is taken back already counts while somebody is still to be told of it.
    """
    from ledger_assets.cutover import aftermath, state

    with connections.database(settings, purpose="cutover") as connection:
        if snapshot_id is None:
            found = state.unfinished(connection) or state.latest(connection)
        else:
            found = state.of_checkpoint(connection, snapshot_id)
        if found is None or (found.state == "returned" and aftermath.is_left(connection, found)):
            return found
        if snapshot_id is not None and state.phase(connection, found) == "lapsed":
            return None  # it never loaded: whoever wants that checkpoint's rows wants a restore
    return None if found.state in ("returned", "abandoned") else found


def live(settings: Settings) -> Cutover | None:
    """The cut-over that is done and that the app reads from here since."""
    from ledger_assets import switch
    from ledger_assets.cutover import state

    with connections.database(settings, purpose="cutover") as connection:
        found, now = state.latest(connection), switch.live(connection)
    done = found is not None and found.state == "done" and now.run_id in found.runs
    return found if done and now.source == "supabase" else None


def assert_ready(
    settings: Settings, *, confirm: str, base_is_read_only: bool, staging: StagingProof | None
) -> None:
    """The gates, before a run is begun: a refusal is no failed run, which health would count for a day.

    One that was begun is asked nothing: it goes on. Raises SettingsError, TargetError, SourceError.
    """
    from ledger_assets.cutover import gates, state

    with connections.database(settings, purpose="cutover") as connection:
        if state.unfinished(connection) is None:
            gates.ask(
                settings, connection, confirm=confirm, base_is_read_only=base_is_read_only, staging=staging
            )


@dataclass(frozen=True)
class Seen:
    """The newest cut-over, how far it came, its steps; and the attempts at that night that were given up before it."""

    cutover: Cutover
    phase: Phase
    steps: list[Step]
    given_up: list[tuple[Cutover, list[Step]]]


def seen(settings: Settings) -> Seen | None:
    """What is known of the newest cut-over."""
    from ledger_assets.cutover import attempts, state

    with connections.database(settings, purpose="cutover") as connection:
        found = state.latest(connection)
        if found is None:
            return None
        before = [(one, attempts.steps(connection, one.id)) for one in state.given_up(connection, found)]
        return Seen(found, state.phase(connection, found), attempts.steps(connection, found.id), before)


def go_back(
    settings: Settings,
    store: ObjectStore,
    cutover_id: str,
    *,
    who: str,
    run_id: str,
    why: str,
    emergency: bool,
    lives: Callable[[str], bool],
    tell: Tell = lambda _: None,
) -> Returned:
    """Take a cut-over back: one that is done, or one whose process was killed. Raises SettingsError, TargetError."""
    from ledger_assets.cutover import aftermath, back, state

    with connections.database(settings, purpose="cutover") as connection:
        found = state.by_id(connection, cutover_id)
        if found is None:
            raise SettingsError(f"there is no cut-over {cutover_id} in {settings.target_name}")
        if aftermath.is_left(connection, found):
            return back.Returned(found, None, False, aftermath.tell(settings, found, run_id))
        if found.state in ("returned", "abandoned"):
            raise SettingsError(f"cut-over {cutover_id[:8]} was taken back already ({found.state})")
        phase = state.phase(connection, found)
    if phase in ("frozen", "loaded", "switched", "returning"):
        running = [one for one in found.runs if one != run_id and lives(one)]
        if running:
            raise TargetError(
                f"cut-over {cutover_id[:8]} is under way in run {running[0][:8]}: stop that run first"
            )
    return back.roll_back(
        settings, store, found, who=who, run_id=run_id, why=why, emergency=emergency, tell=tell
    )
