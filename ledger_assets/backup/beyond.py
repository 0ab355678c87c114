"""Plans for damage beyond the database: its region is gone, or the snapshots' own objects were tampered with.

What belongs here: plans that ask nothing of the live database. What does not: those that do (``recover``), finding and
bringing back objects (``versions``).
"""

from __future__ import annotations

from datetime import datetime

from ledger_assets.backup import catalogue, versions
from ledger_assets.backup.place import Place
from ledger_assets.backup.recover import INTO, OBJECTS, Plan, Scenario, keep, plan_id
from ledger_assets.backup.settings import BackupSettings
from ledger_assets.errors import StoreError
from ledger_assets.storage import ObjectStore

SHOWN = 20


def of_a_lost_region(place: Place, store: ObjectStore, *, now: datetime) -> Plan:
    """The newest verified snapshot, whole, into a new database. Raises StoreError where no verified snapshot is there."""
    newest = catalogue.read(place).newest_verified("full", "checkpoint", "emergency")
    if newest is None:
        raise StoreError(
            f"{place.vault.url} holds no verified snapshot: set BACKUP_BUCKET to the copy in another region"
        )
    m = newest.manifest
    extent = (f"the whole database: {m.rows:,} rows of {m.taken_at}, {m.media_files:,} files",)
    return keep(store, _plan(now, Scenario.REGIONAL_FAILURE, newest.id, (INTO,), extent))


def of_tampered_objects(backup: BackupSettings, store: ObjectStore, *, now: datetime) -> Plan | None:
    """The true versions of every object that somebody else has overwritten or deleted; None where there are none.

    The key itself may be among them, so no vault is opened. Raises SettingsError where the bucket keeps no versions.
    """
    found = versions.find(backup, now=now)
    if not found.any:
        return None
    extent = []
    for what, keys in (("overwritten", found.overwritten), ("deleted", found.deleted), ("lost", found.lost)):
        if keys:
            more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
            extent.append(f"{what}: {len(keys)} objects ({', '.join(keys[:SHOWN])}{more})")
    back = (OBJECTS,) if found.overwritten or found.deleted else ()
    return keep(store, _plan(now, Scenario.RANSOMWARE, "", back, tuple(extent)))


def bring_back_objects(backup: BackupSettings, *, now: datetime) -> int:
    """Write the true versions over what is there; how many. What was tampered with since the plan is brought back too."""
    return versions.bring_back(backup, versions.find(backup, now=now), now=now)


def _plan(
    now: datetime, scenario: Scenario, snapshot_id: str, modes: tuple[str, ...], extent: tuple[str, ...]
) -> Plan:
    return Plan(
        plan_id(now), scenario.value, now.isoformat(timespec="seconds"), "", snapshot_id, modes, extent
    )
