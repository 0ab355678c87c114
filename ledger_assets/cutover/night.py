"""One cut-over being played: what its steps share, and what surrounds each of them.

What belongs here: the lease, the record of a step, and what its failure leads to. What does not: what a step does
(``steps``).

Invariants: no step begins without a live token of its own cut-over; a failure after the load's commit leads back before it
is told; a step that was interrupted from outside (a signal, SIGKILL) undoes nothing by itself, and the same command again
goes on where it stood.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ledger_assets import connections, events, freeze, switch
from ledger_assets.cutover import attempts, back, outside, state
from ledger_assets.cutover.attempts import Step
from ledger_assets.cutover.state import Cutover, Phase
from ledger_assets.environment import Settings
from ledger_assets.errors import CheckFailed, LedgerError, TargetError, named
from ledger_assets.freeze import Heartbeat
from ledger_assets.progress import report
from ledger_assets.storage import ObjectStore
from ledger_assets.unexpected import place

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.backups import Tell

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Night:
    """Where a step runs. ``root_run_id``: of the run that this one goes on with, where the web UI re-executes a failure."""

    settings: Settings
    store: ObjectStore
    run_id: str
    root_run_id: str
    tell: Tell = lambda _: None

    def say(self, cutover: Cutover, step: str, how: str, *, over: bool = False) -> None:
        """To whoever watches the command, and to people outside. ``over``: nothing of it goes on."""
        report("cutover", f"{step} {how}", state.STEPS.index(step) + (how != "running"), len(state.STEPS))
        outside.publish(self.settings, cutover, self.run_id, over=over)

    @contextmanager
    def database(self, purpose: str) -> Iterator[psycopg.Connection]:
        """A connection of its own."""
        with connections.database(self.settings, purpose=f"cutover-{purpose}") as connection:
            yield connection


@dataclass
class Doing:
    """A step under way. ``facts`` are kept with its end."""

    cutover: Cutover
    phase: Phase
    token: int
    beat: Heartbeat
    facts: dict[str, object] = field(default_factory=dict)
    found_done: bool = False
    """There was nothing to do: an earlier run of this cut-over did it."""
    over: bool = False
    """The step itself has ended the freeze."""


@contextmanager
def step(night: Night, name: str) -> Iterator[Doing]:
    """One step of the run's own cut-over, under its lease. Raises what the step raises, after what that leads to."""
    with night.database(name) as connection:
        cutover = state.of_run(connection, night.root_run_id)
        if night.run_id not in cutover.runs:
            state.join(connection, cutover.id, night.run_id)
            cutover = state.of_run(connection, night.run_id)
        phase = state.phase(connection, cutover)
        if cutover.token is None or phase not in ("frozen", "loaded", "switched"):
            raise TargetError(
                f"cut-over {cutover.id[:8]} is not under way ({phase}): people may have written since; start it again: "
                f"ledger-assets cutover {night.settings.environment}"
            )
        attempt(connection, cutover, name, night.run_id)
    night.say(cutover, name, "running")
    with connections.database_url(night.settings) as url, Heartbeat(url, cutover.token) as beat:
        doing = Doing(cutover, phase, cutover.token, beat)
        try:
            yield doing
            if not doing.over:
                beat.assert_alive()
        except Exception as error:
            _failed(night, doing, name, error)
            raise
    with night.database(name) as connection:
        if not (doing.found_done and attempts.found_done(connection, cutover.id, name)):
            attempts.ended(connection, cutover.id, name, "done", doing.facts)
            events.record(
                connection,
                f"cutover_{name}",
                "done",
                who=cutover.who,
                run_id=night.run_id,
                detail=doing.facts,
            )
    night.say(cutover, name, "done", over=doing.over)


def attempt(connection: psycopg.Connection, cutover: Cutover, name: str, run_id: str) -> None:
    """A step begins, or begins anew: then a process that was killed in it is told of here, since it could not itself."""
    last = attempts.begun(connection, cutover.id, name, run_id)
    if last is not None and last.outcome is None:
        tell_killed(connection, cutover, last)


def tell_killed(connection: psycopg.Connection, cutover: Cutover, last: Step) -> None:
    """Record that the process of a step ended before the step did."""
    detail = {
        "cutover": cutover.id,
        "began_at": last.began_at,
        "why": "its process ended before the step did",
    }
    action = f"cutover_{last.name}"
    events.record(connection, action, "failed", who=cutover.who, run_id=last.run_id, detail=detail)


def _failed(night: Night, doing: Doing, name: str, error: Exception) -> None:
    """Record it; after the load's commit go back, and say so in the error that leaves the step."""
    why = named(str(error), night.settings.environment) if isinstance(error, LedgerError) else place(error)
    cutover = doing.cutover
    with night.database(name) as connection:
        doing.facts["why"] = why
        attempts.ended(connection, cutover.id, name, "failed", doing.facts)
        detail = {"cutover": cutover.id, "why": why}
        events.record(
            connection, f"cutover_{name}", "failed", who=cutover.who, run_id=night.run_id, detail=detail
        )
        phase = state.phase(connection, cutover)
    kind = CheckFailed if isinstance(error, CheckFailed) else TargetError
    # Before its load nothing has changed, and writing opens by itself.
    unloaded = phase in ("frozen", "lapsed")
    night.say(cutover, name, "failed", over=unloaded)
    if unloaded and isinstance(error, LedgerError):
        opens = "opens by itself within a minute" if phase == "frozen" else "is open"
        raise kind(f"{name}: {why}. Nothing was loaded; writing {opens}") from None
    if phase not in ("loaded", "switched"):
        return
    try:
        returned = back.go_back(
            night.settings,
            night.store,
            cutover,
            doing.token,
            run_id=night.run_id,
            why=why,
            emergency=phase == "switched",  # people may have written, should the freeze have run out before
            tell=night.tell,
        )
    except Exception as second:  # noqa: BLE001 - whatever it is, both must be told, and the database stays frozen
        said = str(second) if isinstance(second, LedgerError) else place(second)
        raise TargetError(
            f"{why}. THE WAY BACK FAILED TOO ({said}): {_writing(night)}; run: "
            f"ledger-assets cutover {night.settings.environment} --back --confirm {night.settings.target_name}"
        ) from None
    night.say(cutover, name, "returned", over=True)
    raise kind(
        f"{name}: {why}. The cut-over went back: checkpoint {cutover.checkpoint} is restored, the app reads from Airtable, "
        f"writing is open again{''.join(f'; {line}' for line in returned.told.trouble)}"
    ) from None


def _writing(night: Night) -> str:
    """What people can do where the way back failed: in that line stands what holds, and no guess."""
    try:
        with night.database("failed") as connection:
            frozen, live = freeze.state(connection), switch.live(connection)
    except LedgerError:
        return "whether writing is frozen cannot be asked"
    if frozen.live:
        return "the database stays frozen, nothing more is written to it"
    return f"writing is open, the app reads from {live.source}"


def keep_figures(night: Night) -> None:
    """Counts of the database before and after, for the review in week 5. The night does not depend on them."""
    from ledger_assets import counts

    try:
        counts.take(night.settings, night.store)
    except LedgerError as error:
        _log.warning("the database's figures were not kept: %s", error)
