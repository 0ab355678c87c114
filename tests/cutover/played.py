"""The night by its engine, without Dagster, as the op job plays it; and as a process of its own that is killed at a point.

``python -m tests.cutover.killed`` is the latter: ``night|back POINT``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from ledger_assets import connections
from ledger_assets.build import table_specs
from ledger_assets.cutover import looks, steps
from ledger_assets.cutover.begin import Wish, freeze_writes
from ledger_assets.cutover.fetch import fetch
from ledger_assets.cutover.gates import StagingProof
from ledger_assets.cutover.night import Night
from ledger_assets.environment import Settings
from ledger_assets.health.watch import Clock
from ledger_assets.load.schema import version

NAME = "ledger_production"


def a_night(settings: Settings) -> Night:
    """As the first op of a new run has it."""
    run_id = uuid.uuid4().hex
    return Night(settings, connections.object_store(settings), run_id, run_id)


def play(
    night: Night, *, until: str = "unfreeze", watch_minutes: float = 0.0, clock: Clock | None = None
) -> None:
    """From the freeze to the step ``until``, as ``assets.cutover`` orders them."""
    settings, specs = night.settings, table_specs(night.settings.profile)
    with night.database("test") as connection:
        proof = StagingProof(datetime.now(UTC), True, version(connection), "0" * 16)
    acts: dict[str, Callable[[], object]] = {
        "freeze": lambda: freeze_writes(
            night, Wish(NAME, True, "a tester", watch_minutes=watch_minutes), proof, lambda _: False
        ),
        "sync": lambda: steps.sync(
            night, lambda: fetch(settings, night.store, specs).brought.export.export_id
        ),
        "checkpoint": lambda: steps.checkpoint(night),
        "load": lambda: steps.load(night, specs, NAME),
        "proof": lambda: steps.prove(night, specs),
        "access": lambda: steps.access(night),
        "health": lambda: steps.health(night, lambda: looks.once(night)),
        "switch": lambda: steps.switch_over(night),
        "watch": lambda: steps.watch(
            night, lambda minutes, alive: looks.until(night, minutes, alive, clock=clock)
        ),
        "unfreeze": lambda: steps.unfreeze(night),
    }
    for name, act in acts.items():
        act()
        if name == until:
            return
