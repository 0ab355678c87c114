"""The two limits that only the user can know: what the plans of Airtable and of the database allow."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ledger_assets.errors import SettingsError

MONTHLY_CALLS = "AIRTABLE_MONTHLY_CALLS"
DATABASE_GB = "LEDGER_DATABASE_GB"


@dataclass(frozen=True)
class HealthSettings:
    """None: not said."""

    monthly_calls: int | None = None
    database_gb: float | None = None


def read_health_settings(environ: Mapping[str, str] | None = None) -> HealthSettings:
    """Read the variables. Raises SettingsError."""
    env = {k: v.strip() for k, v in (os.environ if environ is None else environ).items() if v.strip()}
    calls = _number(env, MONTHLY_CALLS, "the calls a month of Airtable's plan, such as 100000")
    return HealthSettings(
        None if calls is None else int(calls),
        _number(env, DATABASE_GB, "the GB that the database's plan allows, such as 8"),
    )


def _number(env: Mapping[str, str], name: str, what: str) -> float | None:
    value = env.get(name)
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e12:
        raise SettingsError(f"{name}: {value!r} is not a number above 0: write {what}")
    return number
