"""One environment's database in numbers, without Dagster: counted, kept, compared.

What belongs here: which database and store. What does not: counting (``records``).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ledger_assets import connections
from ledger_assets.environment import Settings
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    from ledger_assets.records.compared import Change
    from ledger_assets.records.database import DatabaseInventory


def take(settings: Settings, store: ObjectStore) -> DatabaseInventory:
    """Count the database now and keep the figures with their moment. Raises TargetError."""
    from ledger_assets.records.database import count
    from ledger_assets.records.kept import keep

    with connections.database(settings, purpose="inventory") as connection:
        found = count(
            connection,
            environment=settings.environment.value,
            target=settings.target_name,
            now=datetime.now(UTC),
        )
    keep(store, found)
    return found


def compare(
    settings: Settings, store: ObjectStore, named: Sequence[str]
) -> tuple[DatabaseInventory, DatabaseInventory, list[Change]]:
    """One named moment with now, or two with each other. Raises SettingsError, StoreError, TargetError."""
    from ledger_assets.backup.settings import read_timezone
    from ledger_assets.records.compared import compare as compare_two
    from ledger_assets.records.kept import find

    zone = read_timezone(os.environ)
    before = find(store, named[0], zone=zone)
    after = find(store, named[1], zone=zone) if len(named) > 1 else take(settings, store)
    return before, after, compare_two(before, after)
