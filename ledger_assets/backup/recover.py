"""Recovery by scenario: what is the extent, which snapshot, what is restored. A plan first, then just that.

What belongs here: making the plan, and carrying it out. What does not: the extent (``extent``), restoring (``restore``), old
versions of objects (``versions``), the schema's repair (``repair``).

    recovery/<plan id>.json     in the object store: ids and counts, never words

Invariants: a plan changes nothing; it is of one database and is refused for another, or when it is a day old; it restores
the least that its scenario needs.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from ledger_assets.backup import catalogue, extent, merge, repair
from ledger_assets.backup.catalogue import Snapshot
from ledger_assets.backup.contents import Contents
from ledger_assets.backup.extent import REPAIR
from ledger_assets.backup.manifest import CONTENTS
from ledger_assets.backup.place import Place
from ledger_assets.backup.restore import Done, copy_of, restore
from ledger_assets.backup.sealing import unseal_bytes
from ledger_assets.backup.take import database_identity
from ledger_assets.errors import SettingsError, StoreError
from ledger_assets.load import schema
from ledger_assets.schema import expected as expected_schema
from ledger_assets.schema.compare import differences
from ledger_assets.storage import ObjectMissing, ObjectStore

if TYPE_CHECKING:
    import psycopg

FOLDER = "recovery"
VALID = timedelta(hours=24)
LOOKED_AT = 8
"""Snapshots that one plan looks at: each is restored into scratch, which takes seconds to minutes."""
INTO = "into"
"""The mode of a plan that needs a new database."""
OBJECTS = "objects"
"""The mode of a plan that brings back the snapshots' own objects."""


class Scenario(StrEnum):
    """What happened."""

    DATA_LOSS = "data_loss"
    DATA_CORRUPTION = "data_corruption"
    BAD_MIGRATION = "bad_migration"
    RANSOMWARE = "ransomware"
    REGIONAL_FAILURE = "regional_failure"


NEWEST_ALONE = (Scenario.BAD_MIGRATION, Scenario.RANSOMWARE)
"""They go back exactly: which older state is the right one is for a person to say."""


@dataclass(frozen=True)
class Plan:
    """What would be restored, and why. ``modes`` are carried out in order; none: nothing is to be done."""

    id: str
    scenario: str
    made_at: str
    database: str
    snapshot_id: str
    modes: tuple[str, ...]
    extent: tuple[str, ...]
    """For a person: counts, tables and record ids."""

    def to_json(self) -> bytes:
        """As its object's bytes."""
        return json.dumps(asdict(self), indent=1).encode()


def make(
    place: Place,
    store: ObjectStore,
    live: psycopg.Connection,
    scenario: Scenario,
    *,
    now: datetime,
    notes: Sequence[str] = (),
) -> Plan:
    """Find the extent, choose the snapshot, write the plan; ``notes`` are told with its extent. Raises StoreError where no
    verified snapshot is there."""
    candidates = _candidates(place, live, scenario)
    found = []
    for snapshot in candidates:
        modes, lines = _EXTENTS[scenario](place, snapshot, live)
        found.append((snapshot, modes, lines))
        # A snapshot may have been taken after the damage: then an earlier one shows it. Not where everything since would
        # go: a database that is as in its newest snapshot would be emptied back to before its last load.
        if modes or scenario in NEWEST_ALONE:
            break
    snapshot, modes, lines = found[-1] if found[-1][1] else found[0]
    plan = Plan(
        plan_id(now),
        scenario.value,
        now.isoformat(timespec="seconds"),
        _identity(live),
        snapshot.id,
        tuple(str(mode) for mode in modes),
        (*notes, *_passed_over(found, snapshot), *_older_by_hand(scenario, place, snapshot, modes), *lines),
    )
    return keep(store, plan)


def _older_by_hand(
    scenario: Scenario, place: Place, snapshot: Snapshot, modes: Sequence[merge.Mode]
) -> list[str]:
    if scenario is not Scenario.RANSOMWARE or modes:
        return []
    line = (
        f"the database is as in its newest verified snapshot {snapshot.id}: if what happened is older than that, look at an "
        f"earlier one: ledger-assets restore {place.settings.environment} ID --mode exact --dry-run"
    )
    return [line]


def _passed_over(
    found: Sequence[tuple[Snapshot, Sequence[merge.Mode], Sequence[str]]], chosen: Snapshot
) -> list[str]:
    """An older snapshot was chosen: what it misses may have been removed on purpose since."""
    newer = [one.id for one, _, _ in found if one.manifest.at > chosen.manifest.at]
    return [f"against newer snapshots nothing is to be restored: {', '.join(newer)}"] if newer else []


def keep(store: ObjectStore, plan: Plan) -> Plan:
    """Write the plan where it is found again."""
    store.put(f"{FOLDER}/{plan.id}.json", plan.to_json(), create=True)
    return plan


def read(store: ObjectStore, plan_id: str) -> Plan:
    """A plan again. Raises StoreError."""
    try:
        document = json.loads(store.get(f"{FOLDER}/{plan_id}.json"))
        modes, extent = tuple(document.pop("modes")), tuple(document.pop("extent"))
        return Plan(modes=modes, extent=extent, **document)
    except ObjectMissing:
        raise StoreError(
            f"there is no plan {plan_id}: make one with ledger-assets recover ENV --scenario ..."
        ) from None
    except (ValueError, LookupError, TypeError):
        raise StoreError(f"plan {plan_id} cannot be read: make a new one") from None


def carry_out(
    place: Place,
    live: psycopg.Connection,
    plan: Plan,
    *,
    who: str,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[Done]:
    """Restore what the plan says. Raises SettingsError for a plan that is old or of another database."""
    if clock() - datetime.fromisoformat(plan.made_at) > VALID:
        raise SettingsError(
            f"plan {plan.id} is older than a day: make a new one, the extent may be another by now"
        )
    if _identity(live) != plan.database:
        raise SettingsError(f"plan {plan.id} is of another database: make one of this one")
    snapshot = catalogue.read(place).find(plan.snapshot_id)
    done: list[Done] = []
    for mode in map(mode_of, plan.modes):
        if mode != REPAIR:
            done.append(restore(place, snapshot, live, mode, who=who, clock=clock))
            continue
        repaired = _repaired(place, snapshot, live, who)
        done.append(repaired[0])
        if repaired[1]:
            break
    return done


def _repaired(
    place: Place, snapshot: Snapshot, live: psycopg.Connection, who: str
) -> tuple[Done, tuple[str, ...]]:
    """The repair, and what stands in the way of restoring rows afterwards."""
    started = time.monotonic()
    with copy_of(place, snapshot, live) as copy:
        made = repair.repair(live, copy.connection, who=who)
    extra = tuple(d.object for d in made.left if d.kind in repair.HOLDS_DATA)
    lines = [*made.lines, *(f"left: {d.line}" for d in made.left)]
    if extra:
        lines.append(
            f"no rows were restored: {', '.join(extra)} may hold data and is of nobody's release: move or drop it, then "
            "make a new plan"
        )
    preview = merge.Preview(REPAIR, ())
    return Done(snapshot.id, None, preview, None, time.monotonic() - started, tuple(lines)), extra


def plan_id(now: datetime) -> str:
    """An id that nobody else has."""
    return f"plan-{int(now.timestamp())}-{secrets.token_hex(3)}"


def _candidates(place: Place, live: psycopg.Connection, scenario: Scenario) -> list[Snapshot]:
    """The snapshots to look at, newest first. An emergency one is of a database in trouble: never the first choice."""
    kinds = ("checkpoint",) if scenario is Scenario.BAD_MIGRATION else ("full", "checkpoint")
    database = _identity(live)
    known = catalogue.read(place).snapshots
    good = [one for one in known if one.verified_at is not None and one.manifest.database == database]
    found = [one for one in good if one.manifest.kind in kinds] or [
        one for one in good if one.manifest.kind == "emergency"
    ]
    if scenario is Scenario.BAD_MIGRATION:
        # One that was taken after the damage holds it too; then any kind will do.
        every = [*reversed(found), *(one for one in reversed(good) if one not in found)]
        whole = next((one for one in every[:LOOKED_AT] if _is_whole(place, one)), None)
        found = [] if whole is None else [whole]
    if not found:
        raise StoreError(
            f"there is no verified snapshot ({' or '.join(kinds)}) of this database to recover from: see ledger-assets "
            f"backup list {place.settings.environment}"
        )
    return found[::-1][:LOOKED_AT]


def _is_whole(place: Place, snapshot: Snapshot) -> bool:
    """Was it taken of an undamaged schema? One of an older release is told by its migrations, and is brought up to date."""
    stored = unseal_bytes(place.vault, snapshot.manifest.objects[CONTENTS], place.identity)
    contents = Contents.from_json(stored)
    release = [migration.version for migration in schema.migrations()]
    if list(contents.migrations) != release:
        return set(contents.migrations) < set(release)
    # A view's query is written otherwise by other versions; a dump holds the record of the migrations besides.
    found = differences(expected_schema.shipped().items, contents.catalogue)
    return not [d for d in found if d.kind != "query" and d.kind not in repair.NOT_OURS]


def _identity(live: psycopg.Connection) -> str:
    with live.transaction():
        return database_identity(live)


_EXTENTS: dict[Scenario, Callable[[Place, Snapshot, psycopg.Connection], extent.Extent]] = {
    Scenario.DATA_LOSS: extent.of_loss,
    Scenario.DATA_CORRUPTION: extent.of_corruption,
    Scenario.BAD_MIGRATION: extent.of_migration,
    Scenario.RANSOMWARE: extent.of_everything,
}


def mode_of(text: str) -> merge.Mode:
    """The mode that prints as ``text``."""
    kind, _, of = text.partition(" ")
    if kind == "table":
        return merge.Mode.of_table(of)
    return merge.Mode.of_storyteller(of) if kind == "storyteller" else merge.Mode(kind)
