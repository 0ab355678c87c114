"""Edits in Airtable after the switch: for fourteen days they are listed, until each is loaded or dismissed.

What belongs here: which they are, dismissing them, and health's measure of them. What does not: reading the webhook
(``sync.changes``), loading them (a sync).

Invariants: a record that was dismissed and edited again is listed again; what Airtable cannot tell is never "nothing".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ledger_assets import connections, events
from ledger_assets.environment import Settings
from ledger_assets.errors import SettingsError
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.extract.cursor import Cursor
    from ledger_assets.health.model import Measure
    from ledger_assets.sync.changes import Changes

DAYS = 14
ACTION = "late_edits_dismissed"
SHOWN = 20


@dataclass(frozen=True)
class Late:
    """``records``: their ids; ``schema``: what changed of tables and fields; ``lost``: why it cannot be told.

    ``until``: when nobody looks any more.
    """

    until: datetime
    export_id: str
    records: tuple[str, ...] = ()
    schema: tuple[str, ...] = ()
    lost: str | None = None
    cursor: Cursor | None = None


def late(settings: Settings, connection: psycopg.Connection, store: ObjectStore) -> Late | None:
    """None where the app does not read from here, or has done so for more than fourteen days.

    What was found is kept with the cursor it was found by: Airtable itself remembers for seven days.
    """
    from ledger_assets import switch
    from ledger_assets.load.history import last_load
    from ledger_assets.sync.changes import changes_since

    live = switch.live(connection)
    with connection.transaction():
        last = last_load(connection, full=True)
    if live.source != "supabase" or live.switched_at is None or last is None:
        return None
    until = live.switched_at + timedelta(days=DAYS)
    if datetime.now(UTC) > until:
        return None
    before = _kept(store, last.export_id)
    with connections.airtable_client(settings) as client:
        found = changes_since(client, store, last.export_id, before.cursor)
    if found.lost is not None:
        return Late(until, last.export_id, before.records, before.schema, found.lost, before.cursor)
    records = tuple(sorted({*before.records, *_ids(found)}))
    schema = tuple(dict.fromkeys((*before.schema, *found.schema)))
    now = Late(until, last.export_id, records, schema, None, found.cursor)
    _keep(store, now)
    return now


def dismiss(
    settings: Settings,
    connection: psycopg.Connection,
    store: ObjectStore,
    *,
    who: str,
    records: Sequence[str] | None,
) -> int:
    """These need not be loaded (None: all that are listed now). Raises SettingsError for one that is not listed."""
    found = late(settings, connection, store)
    listed = () if found is None else found.records
    unknown = [one for one in records or () if one not in listed]
    if unknown:
        raise SettingsError(
            f"{unknown[0]} is not among the late edits: see ledger-assets late-edits {settings.environment}"
        )
    if found is None:
        return 0
    chosen = set(listed if records is None else records)
    detail = {"records": sorted(chosen)[:SHOWN], "count": len(chosen), "export": found.export_id}
    events.record(connection, ACTION, "done", who=who, detail=detail)
    left = tuple(one for one in listed if one not in chosen)
    _keep(store, replace(found, records=left, schema=found.schema if records is not None else ()))
    return len(chosen)


def _kept(store: ObjectStore, export_id: str) -> Late:
    """What was found before, since this export."""
    from ledger_assets.extract.cursor import Cursor
    from ledger_assets.storage import ObjectMissing

    try:
        document = json.loads(store.get(_key(export_id)))
    except ObjectMissing:
        return Late(datetime.now(UTC), export_id)
    cursor = Cursor(**document["cursor"])
    return Late(
        datetime.now(UTC), export_id, tuple(document["records"]), tuple(document["schema"]), None, cursor
    )


def _keep(store: ObjectStore, found: Late) -> None:
    if found.cursor is None:
        return
    document = {"cursor": asdict(found.cursor), "records": found.records, "schema": found.schema}
    store.put(_key(found.export_id), json.dumps(document).encode(), create=False)


def _key(export_id: str) -> str:
    return f"late/{export_id}.json"


def measure(settings: Settings, connection: psycopg.Connection, store: ObjectStore) -> Measure:
    """For health: bad while there are any."""
    from ledger_assets.health.model import Measure

    name, threshold = "late_edits", f"none for {DAYS} days after the switch"
    found = late(settings, connection, store)
    if found is None:
        return Measure(
            name, "ok", "not looked for: the app does not read from here, or has long done so", threshold
        )
    if found.lost is not None:
        return Measure(
            name,
            "unknown",
            f"Airtable cannot tell: {found.lost}",
            threshold,
            f"ledger-assets sync {settings.environment}",
        )
    listed = [*found.schema, *found.records]
    if not listed:
        return Measure(
            name, "ok", f"none since the last load; looked for until {found.until:%Y-%m-%d}", threshold
        )
    return Measure(
        name,
        "bad",
        f"{len(listed)} in Airtable since the last load: {', '.join(listed[:SHOWN])}",
        threshold,
        f"ledger-assets sync {settings.environment}, or: ledger-assets late-edits {settings.environment} --dismiss ID",
    )


def _ids(found: Changes) -> list[str]:
    return [record for one in found.tables.values() for record in one.changed | one.created | one.destroyed]
