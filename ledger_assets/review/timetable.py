"""The roadmap's timetable of the night, moved to begin at MIGRATION_AT.

02:00 maintenance on   02:30 migration   04:00 verify   05:00 switch   05:00-07:00 monitor   07:00 maintenance off
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ledger_assets.errors import SettingsError
from ledger_assets.review.model import Line, Step

AT = "MIGRATION_AT"


@dataclass(frozen=True)
class Planned:
    """A step, how long after the beginning it is due, and the actions whose end is its end."""

    name: str
    after: timedelta
    actions: frozenset[str]


def _planned(name: str, hours: float, *actions: str) -> Planned:
    return Planned(name, timedelta(hours=hours), frozenset(actions))


TIMETABLE = (
    _planned("maintenance on (nobody can write)", 0, "freeze", "cutover_freeze"),
    _planned("final sync", 0.5, "sync", "cutover_sync"),
    _planned("migration (load committed)", 2, "load", "cutover_load"),
    _planned("verification (proof)", 3, "proof", "cutover_proof"),
    _planned("switch of the app", 3, "switch", "cutover_switch"),
    _planned("monitoring", 5, "cutover_watch", "health"),
    _planned("maintenance off (people can write)", 5, "thaw", "cutover_unfreeze"),
)
"""Due is the end of each: the migration, which begins at 02:30, before the verification at 04:00, that before the switch."""


def read_beginning(environ: Mapping[str, str], zone: str) -> datetime | None:
    """MIGRATION_AT; without a zone of its own in ``zone``. None: not set. Raises SettingsError."""
    value = environ.get(AT, "").strip()
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise SettingsError(
            f"{AT}: {value!r} is not a time with its zone; write it as 2026-12-06T02:00+11:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))


def steps(lines: Sequence[Line], beginning: datetime | None) -> tuple[Step, ...]:
    """Each step with the last time that it was done: an attempt that was undone is not when it was done."""
    found = []
    for planned in TIMETABLE:
        done = [line.at for line in lines if line.what in planned.actions and line.outcome == "done"]
        due = None if beginning is None else beginning + planned.after
        found.append(Step(planned.name, due, max(done, default=None)))
    return tuple(found)
