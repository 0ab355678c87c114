"""Records read again by id: a hundred a call, whole, with their comments.

What belongs here: asking, and what it means when a record is not answered. What does not: which records (``spread``).

Invariant: a record that was asked for is answered or gone; anything else raises.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ledger_assets.errors import SourceError
from ledger_assets.extract.client import PAGE_SIZE, AirtableClient
from ledger_assets.extract.metadata import TableMeta
from ledger_assets.extract.responses import IteratorLost, Refused, Subject
from ledger_assets.extract.slices import RecordSlice

AT_ONCE = 8
"""Enough for five requests a second at 1.6 s each."""
RESTARTS = 5
NOT_THERE = "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"


def read_again(
    client: AirtableClient, pool: ThreadPoolExecutor, table: TableMeta, ids: Collection[str]
) -> dict[str, RecordSlice | None]:
    """Each record as it is now, None for one that is gone."""
    wanted = sorted(ids)
    batches = [wanted[first : first + PAGE_SIZE] for first in range(0, len(wanted), PAGE_SIZE)]
    found: dict[str, RecordSlice | None] = {}
    for batch in pool.map(partial(_batch, client, table), batches):
        found |= batch
    return found


def read_comments(
    client: AirtableClient, pool: ThreadPoolExecutor, table: TableMeta, records: Collection[RecordSlice]
) -> dict[str, list[str]]:
    """The comments of the records that have any, as delivered; none of a record that is gone."""
    commented = [one.id for one in records if one.comment_count]
    return dict(zip(commented, pool.map(partial(_comments, client, table), commented), strict=True))


def counted(client: AirtableClient, table: TableMeta) -> dict[str, int]:
    """How many comments each record of the table has now, by a scan of the whole table: its primary field alone."""
    fields = [table.primary_field_id] if table.primary_field_id else []
    for _ in range(RESTARTS):
        found: dict[str, int] = {}
        offset: str | None = None
        try:
            while True:
                page = client.records(table, offset=offset, fields=fields, comment_counts=True)
                found |= {one.id: one.comment_count for one in page.records}
                if page.offset is None:
                    return found
                if page.offset == offset:
                    raise _standing_still(table)
                offset = page.offset
        except IteratorLost:
            continue
    raise SourceError(
        f"table {table.name!r} ({table.id}): Airtable lost the scan's place {RESTARTS} times; run again later"
    )


def _batch(client: AirtableClient, table: TableMeta, ids: Sequence[str]) -> dict[str, RecordSlice | None]:
    found: dict[str, RecordSlice | None] = dict(_asked(client, table, ids))
    for record_id in ids:
        if record_id not in found:
            found[record_id] = _looked_up(client, table, record_id)
    return found


def _asked(client: AirtableClient, table: TableMeta, ids: Sequence[str]) -> dict[str, RecordSlice]:
    formula = f"OR({','.join(f'RECORD_ID()={one!r}' for one in ids)})"
    found: dict[str, RecordSlice] = {}
    offset: str | None = None
    while True:
        page = client.records(table, formula=formula, offset=offset, comment_counts=True)
        found |= {one.id: one for one in page.records}
        if page.offset is None:
            break
        if page.offset == offset:
            raise _standing_still(table)
        offset = page.offset
    if strange := sorted(found.keys() - set(ids)):
        raise SourceError(
            f"table {table.name!r} ({table.id}): Airtable answered {', '.join(strange[:20])}, which nobody asked for; if it "
            "stays so, report it"
        )
    return found


def _looked_up(client: AirtableClient, table: TableMeta, record_id: str) -> RecordSlice | None:
    """A record that was not among those answered: gone, or asked for once more."""
    if _gone(client, table, record_id):
        return None
    found = _asked(client, table, [record_id]).get(record_id)
    if found is None and not _gone(client, table, record_id):
        raise SourceError(
            f"record {record_id} of table {table.name!r} is there, but Airtable does not list it: run again later"
        )
    return found


def _gone(client: AirtableClient, table: TableMeta, record_id: str) -> bool:
    path = f"{client.base_id}/{table.id}/{record_id}"
    try:
        client.call("GET", path, Subject(f"record {record_id} of table {table.name!r}"), str)
    except Refused as error:
        # The table itself has just been read: it is the record that is not there.
        if error.status == 404 or error.code == NOT_THERE:
            return True
        raise
    return False


def _comments(client: AirtableClient, table: TableMeta, record_id: str) -> list[str]:
    try:
        return client.comments(table, record_id)
    except Refused as error:
        # Deleted since it was read, which the webhook will tell.
        if error.status == 404 and _gone(client, table, record_id):
            return []
        raise


def _standing_still(table: TableMeta) -> SourceError:
    return SourceError(
        f"table {table.name!r} ({table.id}): Airtable's answers do not advance; run again later"
    )
