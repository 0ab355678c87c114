"""The maintenance window, from ``MIGRATION_AT`` and ``MIGRATION_HOURS``, and its times in plain words.

What belongs here: when it begins and ends, and how that is written for people. What does not: what happens in it.

Invariant: every time that people read has the day of the week, the date, the hour and the zone of ``LEDGER_TIMEZONE``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ledger_assets.backup.settings import read_timezone
from ledger_assets.errors import SettingsError

AT, HOURS = "MIGRATION_AT", "MIGRATION_HOURS"
EXAMPLE = "2026-12-06T02:00+11:00"
MOST_HOURS = 72.0


@dataclass(frozen=True)
class Window:
    """From ``start``, for ``length``; written in ``zone``."""

    start: datetime
    length: timedelta
    zone: ZoneInfo

    @property
    def end(self) -> datetime:
        """When it should be over."""
        return self.start + self.length

    @property
    def key(self) -> str:
        """Its name in files: one that begins at another time is another window, of which everybody is told anew."""
        return f"{self.start.astimezone(UTC):%Y%m%dT%H%MZ}"

    def day(self, moment: datetime) -> str:
        """Such as ``Sunday 6 December 2026``."""
        local = moment.astimezone(self.zone)
        return f"{local:%A} {local.day} {local:%B %Y}"

    def clock(self, moment: datetime) -> str:
        """Such as ``2:00 am``."""
        local = moment.astimezone(self.zone)
        return f"{local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"

    def zone_words(self, moment: datetime) -> str:
        """Such as ``Brisbane time (UTC+10)``."""
        place = self.zone.key.rsplit("/", 1)[-1].replace("_", " ")
        offset = moment.astimezone(self.zone).utcoffset() or timedelta(0)
        minutes = round(abs(offset).total_seconds() / 60)
        sign = "-" if offset < timedelta(0) else "+"
        shift = f"{sign}{minutes // 60}{f':{minutes % 60:02}' if minutes % 60 else ''}" if minutes else ""
        return "UTC" if place == "UTC" else f"{place} time (UTC{shift})"

    def when(self, moment: datetime) -> str:
        """Such as ``Sunday 6 December 2026, 2:00 am Brisbane time (UTC+10)``."""
        return f"{self.day(moment)}, {self.clock(moment)} {self.zone_words(moment)}"


def read_window(environ: Mapping[str, str] | None = None) -> Window:
    """The window of the settings. Raises SettingsError naming the variable and the remedy."""
    env = os.environ if environ is None else environ
    value = env.get(AT, "").strip()
    if not value:
        raise SettingsError(f"{AT} is not set: set the time at which the migration begins, such as {EXAMPLE}")
    try:
        start = datetime.fromisoformat(value)
    except ValueError:
        start = None
    if start is None or start.tzinfo is None or len(value) < len("2026-12-06T02:00"):
        raise SettingsError(f"{AT}: {value!r} is not a time with its zone; write it as {EXAMPLE}")
    return window_from(start, env)


def window_from(start: datetime, environ: Mapping[str, str]) -> Window:
    """A window that begins at ``start``, with the settings' length and zone. Raises SettingsError."""
    return Window(start, timedelta(hours=_hours(environ)), ZoneInfo(read_timezone(environ)))


def _hours(env: Mapping[str, str]) -> float:
    value = env.get(HOURS, "").strip() or "5"
    try:
        hours = float(value)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= MOST_HOURS:
        raise SettingsError(
            f"{HOURS}: {value!r} is not a number of hours, above 0 and at most {MOST_HOURS:.0f}"
        )
    return hours
