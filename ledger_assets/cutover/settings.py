"""Settings of the cut-over, read once, with clear errors.

What belongs here: the variables. What does not: what they are asked for (``gates``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from ledger_assets.errors import SettingsError

STAGING_HOURS = 168.0
"""The roadmap tests in its second week and migrates in the third."""
SNAPSHOT_HOURS = 26.0
"""A full snapshot is taken every day; two hours for one that was late."""
HOURS = 5.0
"""The roadmap's window: 2 AM to 7 AM."""
WATCH_MINUTES = 120.0
"""The roadmap's: monitored from 5 to 7 AM."""


@dataclass(frozen=True)
class CutoverSettings:
    """``staging_within``: how old staging's proof may be; ``snapshot_within``: the newest verified full snapshot."""

    staging_within: timedelta
    snapshot_within: timedelta


def read_cutover_settings(environ: Mapping[str, str] | None = None) -> CutoverSettings:
    """Raises SettingsError naming the variable."""
    env = os.environ if environ is None else environ
    return CutoverSettings(
        _hours(env, "CUTOVER_STAGING_HOURS", STAGING_HOURS),
        _hours(env, "CUTOVER_SNAPSHOT_HOURS", SNAPSHOT_HOURS),
    )


def _hours(env: Mapping[str, str], variable: str, default: float) -> timedelta:
    value = env.get(variable, "").strip()
    try:
        hours = float(value) if value else default
    except ValueError:
        hours = 0.0
    if not 0 < hours <= 24 * 365:
        raise SettingsError(
            f"{variable}: {value!r} is not a number of hours above 0; leave it out for {default:g}"
        )
    return timedelta(hours=hours)
