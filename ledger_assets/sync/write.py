"""The new export: the old one's exact texts with the fresh ones in their places, the gone ones left out.

What belongs here: pages, comments, indexes and the manifest of one export. What does not: Airtable.

Invariants: same layout as a full export's, the manifest last and create-only; every page is read back for its hashes, as
always. A table's ``scan_started`` stays that of its oldest text: by it addresses of files are known to be old.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from ledger_assets.extract.digest import digest
from ledger_assets.extract.export import TableManifest, comments_key, index_key, pack
from ledger_assets.extract.unfinished import Unfinished
from ledger_assets.progress import report
from ledger_assets.sync.before import Before
from ledger_assets.sync.spread import TableNow

PAGE = 100


def write_table(
    export: Unfinished, before: Before, table: TableManifest, now: TableNow, at: str
) -> TableManifest:
    """Write one table. Raises :class:`FullExportNeeded` when the old export cannot be read."""
    pages: list[list[str]] = []
    for page in _pages(before, table.id, now):
        export.keep_page(table.id, len(pages), pack(raw for _, raw in page))
        pages.append([record_id for record_id, _ in page])
    comments = list(_comments(before, table.id, now))
    if comments:
        export.store.put(comments_key(export.export_id, table.id), pack(comments))
    found = digest(export.store, export.export_id, table.id, pages)
    export.store.put(index_key(export.export_id, table.id), found.index)
    report("sync", table.name, found.records, found.records)
    return replace(
        table,
        records=found.records,
        pages=len(pages),
        duplicates=found.duplicates,
        comments=len(comments),
        ids_sha256=found.ids_sha256,
        content_sha256=found.content_sha256,
        scan_finished=at,
        restarts=0,
        index_sha256=hashlib.sha256(found.index).hexdigest(),
    )


def _pages(before: Before, table_id: str, now: TableNow) -> Iterator[list[tuple[str, str]]]:
    new = dict(now.fresh)
    for page in before.pages(table_id):
        kept = []
        for record_id, raw in page:
            fresh = new.pop(record_id, None)
            if record_id not in now.gone:
                kept.append((record_id, raw if fresh is None else fresh.raw))
        yield kept
    created = sorted((one.created_time, one.id, one.raw) for one in new.values())
    for first in range(0, len(created), PAGE):
        yield [(record_id, raw) for _, record_id, raw in created[first : first + PAGE]]


def _comments(before: Before, table_id: str, now: TableNow) -> Iterator[str]:
    for record_id, line in before.comments(table_id):
        if record_id not in now.gone and record_id not in now.fresh:
            yield line
    for record_id, comments in now.comments.items():
        yield from (f'{{"record_id":"{record_id}","comment":{raw}}}' for raw in comments)
