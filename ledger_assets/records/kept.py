"""Inventories kept by their moment in the object store, written once and never edited, and found again.

inventories/<utc time>.json
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger_assets.errors import SettingsError, StoreError
from ledger_assets.records.database import DatabaseInventory
from ledger_assets.storage import ObjectMissing, ObjectStore

FOLDER = "inventories"
STAMP = "%Y%m%dT%H%M%S%fZ"


def keep(store: ObjectStore, found: DatabaseInventory) -> str:
    """Keep it; its name. Moments are told to the millisecond: two were once counted within a second."""
    name = _name(datetime.fromisoformat(found.at).astimezone(UTC))
    store.put(f"{FOLDER}/{name}.json", json.dumps(found.document(), indent=1).encode())
    return name


def _name(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}Z"


def moments(store: ObjectStore) -> list[datetime]:
    """When inventories were kept, oldest first."""
    names = (Path(entry.key).stem for entry in store.list(FOLDER))
    return sorted(datetime.strptime(name, STAMP).replace(tzinfo=UTC) for name in names)


def at_or_before(store: ObjectStore, moment: datetime) -> DatabaseInventory | None:
    """The newest that was kept by then."""
    known = [one for one in moments(store) if one <= moment]
    return _read(store, known[-1]) if known else None


def before_and_after(
    store: ObjectStore, beginning: datetime, until: datetime
) -> tuple[DatabaseInventory | None, DatabaseInventory | None]:
    """The last that was kept before ``beginning`` (else the first after it), and the last by ``until``, if it is another."""
    known = [one for one in moments(store) if one <= until]
    earlier = [one for one in known if one <= beginning]
    first = earlier[-1] if earlier else known[0] if known else None
    last = known[-1] if known and known[-1] != first else None
    return None if first is None else _read(store, first), None if last is None else _read(store, last)


def find(store: ObjectStore, named: str, *, zone: str = "UTC") -> DatabaseInventory:
    """The inventory in a file, or the newest of a moment (ISO 8601, ``zone`` unless it says). Raises SettingsError."""
    from zoneinfo import ZoneInfo

    if Path(named).is_file():
        return parse(Path(named).read_bytes(), named)
    try:
        moment = datetime.fromisoformat(named)
    except ValueError:
        raise SettingsError(
            f"--compare {named!r} is neither a file nor a moment: write it as 2026-11-22T02:00"
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    found = at_or_before(store, moment.astimezone(UTC))
    if found is None:
        known = ", ".join(f"{one:%Y-%m-%dT%H:%MZ}" for one in moments(store)[:5]) or "none yet"
        raise SettingsError(
            f"--compare {named}: no inventory was kept by then (the first: {known}); see {FOLDER}/"
        )
    return found


def _read(store: ObjectStore, moment: datetime) -> DatabaseInventory:
    key = f"{FOLDER}/{_name(moment)}.json"
    try:
        return parse(store.get(key), key)
    except ObjectMissing:
        raise StoreError(f"{key} is gone from {store.url}") from None


def parse(data: bytes, where: str) -> DatabaseInventory:
    """An inventory from its JSON, or from the output of ``inventory --json``. Raises StoreError."""
    try:
        document: dict[str, Any] = json.loads(data)
        document = document.get("database") or document
        return DatabaseInventory(**{name: document[name] for name in DatabaseInventory.__dataclass_fields__})
    except (ValueError, LookupError, TypeError, AttributeError):
        raise StoreError(
            f"{where} is not an inventory; write one with: ledger-assets inventory ENV --json"
        ) from None
