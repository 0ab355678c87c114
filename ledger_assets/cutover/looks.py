"""Health as a cut-over asks for it: what is bad, in words.

What belongs here: one look before the switch, many after it. What does not: a measure (``health``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ledger_assets.errors import TargetError

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

    found = watch(look, minutes, clock=clock)
    return _bad(found.last) if found.stopped else []


def _look(night: Night) -> Report:
    from ledger_assets.health.collect import collect

    with night.database("health") as connection:
        return collect(night.settings, connection, night.store)


def _bad(report: Report) -> list[str]:
    return [f"{one.name} ({one.value})" for one in report.of("bad")]
