"""Edits in Airtable after the switch: for fourteen days they are listed, until each is loaded or dismissed.

What belongs here: which they are, dismissing them, and health's measure of them. What does not: reading the webhook
(``sync.changes``), loading them (a sync).

Invariants: a record that was dismissed and edited again is listed again; what Airtable cannot tell is never "nothing".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
    records: tuple[str, ...] = ()
    schema: tuple[str, ...] = ()
    lost: str | None = None
    cursor: Cursor | None = None


def late(settings: Settings, connection: psycopg.Connection, store: ObjectStore) -> Late | None:
    """None where the app does not read from here, or has done so for more than fourteen days."""
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
    with connections.airtable_client(settings) as client:
        found = changes_since(client, store, last.export_id)
        records, schema = set(_ids(found)), found.schema
        for event in events.read(connection, actions=[ACTION]):
            if event.detail.get("export") == last.export_id:
                since = changes_since(client, store, last.export_id, _cursor(event.detail["cursor"]))
                records = (records - set(event.detail["records"])) | set(_ids(since))
                schema = since.schema
    return Late(until, tuple(sorted(records)), schema, found.lost, found.cursor)


def dismiss(
    settings: Settings,
    connection: psycopg.Connection,
    store: ObjectStore,
    *,
    who: str,
    records: Sequence[str] | None,
) -> int:
    """These need not be loaded (None: all that are listed now). Raises SettingsError for one that is not listed."""
    from ledger_assets.load.history import last_load

    found = late(settings, connection, store)
    listed = () if found is None else found.records
    unknown = [one for one in records or () if one not in listed]
    if unknown:
        raise SettingsError(
            f"{unknown[0]} is not among the late edits: see ledger-assets late-edits {settings.environment}"
        )
    if found is None or found.cursor is None:
        return 0
    chosen = list(listed if records is None else records)
    with connection.transaction():
        last = last_load(connection, full=True)
    assert last is not None
    detail = {"records": chosen, "export": last.export_id, "cursor": asdict(found.cursor)}
    events.record(connection, ACTION, "done", who=who, detail=detail)
    return len(chosen)


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


def _cursor(document: dict[str, object]) -> Cursor:
    from ledger_assets.extract.cursor import Cursor

    return Cursor(**document)  # type: ignore[arg-type]  # written by asdict above
