"""Measures of the way back: how old it is, how much work would be lost, how long going back takes."""

from __future__ import annotations

from datetime import datetime

from ledger_assets.backup.absence import WITHIN
from ledger_assets.backup.settings import read_backup_settings
from ledger_assets.errors import LedgerError
from ledger_assets.health.context import Context
from ledger_assets.health.model import Measure, State, span

POINT = ("full", "checkpoint", "emergency")
"""Kinds that hold the whole database as people left it; a baseline is from before us."""
MARGIN = 1800.0
"""To take and verify a snapshot once it is due."""
TIME_BAD = 4 * 3600.0
"""The community's strategy: back within four hours."""
REHEARSED_WARN = 35 * 86_400.0
"""A rehearsal a month, with some days to spare: one of last year says little of this year's size."""


def snapshot_age(context: Context) -> Measure:
    """When the newest snapshot that really was restored and compared was taken."""
    environment, most = context.settings.environment, WITHIN.total_seconds()
    threshold = f"bad from {span(most)}: a day, and two hours for the snapshot and its verification"
    remedy = f"ledger-assets backup take {environment}; ledger-assets backup list {environment} shows what is there"
    try:
        newest = context.snapshots.newest_verified()
    except LedgerError as error:
        return Measure("snapshot_age", "bad", f"the snapshots cannot be read: {error}", threshold, remedy)
    if newest is None:
        return Measure("snapshot_age", "bad", "there is no verified snapshot", threshold, remedy)
    age = (context.now - newest.manifest.at).total_seconds()
    value = f"{newest.id}, {newest.manifest.kind}, taken {span(max(age, 0))} ago"
    return Measure("snapshot_age", "bad" if age >= most else "ok", value, threshold, remedy)


def recovery_point(context: Context) -> Measure:
    """How much work would be lost if the database were lost now."""
    environment, most = context.settings.environment, WITHIN.total_seconds()
    try:
        warn = read_backup_settings(context.settings).changed_hours * 3600 + MARGIN
        newest = context.snapshots.newest_verified(*POINT)
    except LedgerError as error:
        return Measure("recovery_point", "unknown", "the snapshots cannot be read", "", str(error))
    threshold = (
        f"warn from {span(warn)} of work (BACKUP_CHANGED_HOURS and its verification), bad from {span(most)}"
    )
    remedy = f"ledger-assets backup take {environment}; switch on the sensor backup_when_changed_{environment} (web UI)"
    written = _last_written(context)
    if written is None:
        return Measure("recovery_point", "ok", "nothing was written yet", threshold, remedy)
    if newest is None:
        return Measure(
            "recovery_point", "bad", "everything: there is no verified snapshot", threshold, remedy
        )
    taken = newest.manifest.at
    if written <= taken:
        return Measure(
            "recovery_point", "ok", f"nothing: nobody has written since {newest.id}", threshold, remedy
        )
    age = (context.now - taken).total_seconds()
    state: State = "bad" if age >= most else "warn" if age >= warn else "ok"
    return Measure("recovery_point", state, f"the work of {span(age)}, since {newest.id}", threshold, remedy)


def _last_written(context: Context) -> datetime | None:
    """When a person or a load wrote last: all that matters stands in the audit or among the loads."""
    row = context.connection.execute(
        "select greatest((select max(at) from audit.log), (select max(committed_at) from migration.loads))"
    ).fetchone()
    assert row is not None
    written: datetime | None = row[0]
    return written


def recovery_time(context: Context) -> Measure:
    """How long the last rehearsal took from the damage being noticed to the database being proven."""
    remedy = f"ledger-assets backup rehearse {context.settings.environment}"
    threshold = f"bad from {span(TIME_BAD)} or when it failed, warn when it is {span(REHEARSED_WARN)} old or never was"
    if context.runs is None:
        return Measure("recovery_time", "unknown", "Dagster was not asked", threshold, remedy)
    last = context.runs.rehearsal
    if last is None:
        return Measure("recovery_time", "warn", "a recovery was never rehearsed", threshold, remedy)
    age = (context.now - last.at).total_seconds()
    bad = not last.passed or last.seconds >= TIME_BAD
    word = "" if last.passed else "FAILED, "
    return Measure(
        "recovery_time",
        "bad" if bad else "warn" if age >= REHEARSED_WARN else "ok",
        f"{word}{span(last.seconds)}, rehearsed {span(max(age, 0))} ago (run {last.run_id[:8]})",
        threshold,
        remedy,
    )
