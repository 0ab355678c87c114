"""The extent of a disaster: what differs between a snapshot and the live database, and which restores that needs.

What belongs here: a function for each scenario, which compares and says. What does not: choosing the snapshot, the plan
(``recover``).

Invariant: nothing is changed; counts, names of tables and ids are told, never words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ledger_assets.backup import merge, repair
from ledger_assets.backup.catalogue import Snapshot
from ledger_assets.backup.contents import Contents
from ledger_assets.backup.manifest import CONTENTS
from ledger_assets.backup.place import Place
from ledger_assets.backup.restore import preview
from ledger_assets.backup.sealing import unseal_bytes
from ledger_assets.load.history import last_load

if TYPE_CHECKING:
    import psycopg

REPAIR = merge.Mode("repair")
"""The mode of a plan that makes a damaged schema whole, before any row is looked at."""
Extent = tuple[Sequence[merge.Mode], Sequence[str]]


def of_loss(place: Place, snapshot: Snapshot, live: psycopg.Connection) -> Extent:
    found = preview(place, snapshot, live, merge.LOST)
    return ([merge.LOST] if found.inserted else []), found.lines()


def of_corruption(place: Place, snapshot: Snapshot, live: psycopg.Connection) -> Extent:
    """The tables with rows that differ although nobody has written them: the audit has no line of it since the snapshot.

    Of what is not in schema public the audit has no lines: after a newer load that tells nothing (the proof compares it).
    """
    found = preview(place, snapshot, live, merge.EXACT)
    since, loaded = _audited(place, snapshot), _loaded_since(live, snapshot)
    silent = [
        change
        for change in found.changes
        if change.differing > _written(live, change.table, since, loaded=loaded)
        and not (loaded and not change.table.startswith("public."))
    ]
    lines = [
        f"{change.table}: {change.differing} rows differ" for change in found.changes if change.differing
    ]
    lines += [
        f"{change.table}: more rows differ than people have changed: {_ids(change)}" for change in silent
    ]
    return [merge.Mode.of_table(change.table) for change in silent], lines


def of_migration(place: Place, snapshot: Snapshot, live: psycopg.Connection) -> Extent:
    damage = repair.differences(live)
    live.rollback()
    if any(d.kind not in repair.NOT_OURS for d in damage):
        # Rows can only be compared where the tables are the same.
        return [REPAIR, merge.EXACT], [d.line for d in damage]
    return of_everything(place, snapshot, live)


def of_everything(place: Place, snapshot: Snapshot, live: psycopg.Connection) -> Extent:
    """Whoever had the database may have written anything: as in the snapshot, whatever differs."""
    found = preview(place, snapshot, live, merge.EXACT)
    touched = found.inserted + found.updated + found.deleted
    return ([merge.EXACT] if touched else []), found.lines()


def _audited(place: Place, snapshot: Snapshot) -> int:
    """The last line of the audit that the snapshot holds; by number, since its time is to the second."""
    data = unseal_bytes(place.vault, snapshot.manifest.objects[CONTENTS], place.identity)
    sequence = Contents.from_json(data).sequences.get("audit.log_log_id_seq")
    return 0 if sequence is None or not sequence.low[1] else sequence.low[0]


def _loaded_since(live: psycopg.Connection, snapshot: Snapshot) -> bool:
    with live.transaction():
        last = last_load(live)
    return (None if last is None else last.load_id) != snapshot.manifest.load_id


def _written(live: psycopg.Connection, table: str, since: int, *, loaded: bool) -> int:
    """Rows of the table that the audit has lines of after that one. Restores have one line for many rows; ``loaded``: what
    they removed a load may have put in again, otherwise than it was."""
    schema, _, name = table.partition(".")
    if schema != "public":
        return 0
    with live.transaction():
        row = live.execute(
            "select count(distinct row_id) + coalesce(sum(rows) filter (where row_id is null and action = 'update'), 0)"
            " + case when %s then least(coalesce(sum(rows) filter (where row_id is null and action = 'insert'), 0),"
            " coalesce(sum(rows) filter (where row_id is null and action = 'delete'), 0)) else 0 end"
            " from audit.log where table_name = %s and log_id > %s",
            (loaded, name, since),
        ).fetchone()
    assert row is not None
    return int(row[0])


def _ids(change: merge.Change) -> str:
    return ", ".join(dict.fromkeys(change.ids.get("differing", ()))) or "no ids"
