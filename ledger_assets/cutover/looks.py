"""Health as a cut-over asks for it: what is bad, in words.

What belongs here: one look before the switch, many after it. What does not: a measure (``health``).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ledger_assets import progress
from ledger_assets.cutover import outside, state
from ledger_assets.cutover.state import STEPS
from ledger_assets.errors import LedgerError, TargetError

if TYPE_CHECKING:
    from ledger_assets.cutover.night import Night
    from ledger_assets.health.model import Report
    from ledger_assets.health.watch import Clock


def once(night: Night) -> list[str]:
    """What is bad now."""
    return _bad(_look(night))


def until(night: Night, minutes: float, alive: Callable[[], bool], clock: Clock | None = None) -> list[str]:
    """What was bad in two looks in a row before ``minutes`` were over. Raises TargetError when the freeze is lost."""
    from ledger_assets.health.watch import watch
    from ledger_assets.monitoring import unreachable

    def look() -> Report:
        if not alive():
            raise TargetError("the freeze is no longer ours: people may be writing; look at it by hand")
        try:
            return _look(night)
        except TargetError as error:  # one that comes back before the next look was a moment's
            return unreachable(night.settings, error)

    def tell(report: Report) -> None:
        said = "nothing bad" if report.passed else f"bad: {', '.join(report.bad)}"
        progress.report("cutover", f"watch: {said}", STEPS.index("watch"), len(STEPS))
        # Two hours are long for who looks at the terminal or at the page; neither may end the watch.
        with suppress(LedgerError), night.database("watch") as connection:
            outside.publish(night.settings, state.of_run(connection, night.run_id), night.run_id)

    found = watch(look, minutes, tell=tell, clock=clock)
    return _bad(found.last) if found.stopped else []


def _look(night: Night) -> Report:
    from ledger_assets.health.collect import collect

    with night.database("health") as connection:
        return collect(night.settings, connection, night.store)


def _bad(report: Report) -> list[str]:
    return [f"{one.name} ({one.value})" for one in report.of("bad")]
