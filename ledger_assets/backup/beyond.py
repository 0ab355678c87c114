"""Plans for damage beyond the database: its region is gone, or the snapshots' own objects were tampered with.

What belongs here: plans that ask nothing of the live database. What does not: those that do (``recover``), finding and
bringing back objects (``versions``).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from ledger_assets.backup import catalogue, versions
from ledger_assets.backup.catalogue import Snapshot
from ledger_assets.backup.place import Place
from ledger_assets.backup.recover import INTO, OBJECTS, Plan, Scenario, keep, plan_id
from ledger_assets.backup.settings import BackupSettings
from ledger_assets.errors import StoreError
from ledger_assets.moment import utc
from ledger_assets.storage import ObjectStore

SHOWN = 20
OTHERS = 5


def of_a_lost_region(place: Place, store: ObjectStore, *, now: datetime) -> Plan:
    """The newest verified snapshot, whole, into a new database; an emergency one, of a database in trouble, only where
    there is no other. The others are named with their rows: nothing can be compared with a database that is gone.

    Raises StoreError where no verified snapshot is there.
    """
    known = catalogue.read(place)
    chosen = known.newest_verified("full", "checkpoint") or known.newest_verified("emergency")
    if chosen is None:
        raise StoreError(
            f"{place.vault.url} holds no verified snapshot: set BACKUP_BUCKET to the copy in another region"
        )
    others = [one for one in known.snapshots if one.verified_at is not None and one.id != chosen.id]
    extent = (
        f"the whole database: {_told(chosen)}",
        *(f"another choice: {one.id}, {_told(one)}" for one in others[: -OTHERS - 1 : -1]),
    )
    plan = _plan(now, Scenario.REGIONAL_FAILURE, chosen.id, (INTO,), extent)
    with suppress(StoreError):  # the object store may lie in the same region; the plan's command needs it not
        keep(store, plan)
    return plan


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


def _told(snapshot: Snapshot) -> str:
    m = snapshot.manifest
    return f"{m.rows:,} rows of {utc(m.at)}, {m.media_files:,} files"


def _plan(
    now: datetime, scenario: Scenario, snapshot_id: str, modes: tuple[str, ...], extent: tuple[str, ...]
) -> Plan:
    return Plan(
        plan_id(now), scenario.value, now.isoformat(timespec="seconds"), "", snapshot_id, modes, extent
    )
