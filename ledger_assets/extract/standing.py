"""Which erased records stand in Airtable still, and how far every other record is away from them.

What belongs here: asking Airtable before the records are read: the words of an erased person must not reach the store,
and which cells repeat them is known only from the links of the whole base. What does not: leaving anything out
(``leave_out``).

Invariants: of the erased records one call per table and 100 of them is asked; the links of the base are read only while
one of them stands there still (as many calls as the export's pages: delete it in Airtable, and they are saved).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ledger_assets.errors import SourceError
from ledger_assets.extract.client import PAGE_SIZE, AirtableClient
from ledger_assets.extract.leave_out import LeaveOut, furthest, linked, links_of, near
from ledger_assets.extract.metadata import BaseMeta, TableMeta
from ledger_assets.extract.responses import IteratorLost
from ledger_assets.progress import report

RESTARTS = 5


def standing(client: AirtableClient, meta: BaseMeta, erased: Mapping[str, frozenset[str]]) -> LeaveOut:
    """What an export must leave out now. ``erased``: record ids by table id."""
    tables = [table for table in meta.tables if erased.get(table.id)]
    if not any(_stands(client, table, sorted(erased[table.id])) for table in tables):
        return LeaveOut(meta, erased)
    found: dict[str, list[str]] = {}
    fields = links_of(meta)
    for number, table in enumerate(meta.tables):
        if fields[table.id]:
            found |= _links(client, table, sorted(fields[table.id]))
        report("export", "links, because of what was erased", number + 1, len(meta.tables))
    every = frozenset[str]().union(*erased.values())
    return LeaveOut(meta, erased, near(found, every, furthest(meta)))


def _stands(client: AirtableClient, table: TableMeta, ids: list[str]) -> bool:
    for first in range(0, len(ids), PAGE_SIZE):
        formula = f"OR({','.join(f'RECORD_ID()={one!r}' for one in ids[first : first + PAGE_SIZE])})"
        if client.records(table, fields=_primary(table), formula=formula).records:
            return True
    return False


def _links(client: AirtableClient, table: TableMeta, fields: Iterable[str]) -> dict[str, list[str]]:
    """The ids that each record of the table links to."""
    fields = list(fields)
    for _ in range(RESTARTS):
        found: dict[str, list[str]] = {}
        offset: str | None = None
        try:
            while True:
                page = client.records(table, offset=offset, fields=fields)
                found |= {one.id: linked(fields, one.raw) for one in page.records}
                if page.offset is None:
                    return found
                if page.offset == offset:
                    raise SourceError(
                        f"table {table.name!r} ({table.id}): Airtable's answers do not advance; run again later"
                    )
                offset = page.offset
        except IteratorLost:
            continue
    raise SourceError(
        f"table {table.name!r} ({table.id}): Airtable lost the scan's place {RESTARTS} times; run again later"
    )


def _primary(table: TableMeta) -> list[str]:
    return [table.primary_field_id] if table.primary_field_id else []
