"""One table, read whole: page after page, each kept before the progress that counts it, then its comments.

What belongs here: the order of reading and writing, and what happens when Airtable loses the scan's place.
What does not: other tables, and the manifest.

Invariants: the next page is asked for as soon as its offset is known, writing runs beside it; a scan that is
begun anew begins at page 0 and replaces what was kept, so that an export never mixes two scans of a table (a
record that was deleted in between would stay in it).
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from ledger_assets.errors import SourceError, StoreError
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.digest import digest
from ledger_assets.extract.export import TableManifest, comments_key, index_key, pack, page_key, read_lines
from ledger_assets.extract.leave_out import LeaveOut, LeftOut
from ledger_assets.extract.metadata import TableMeta
from ledger_assets.extract.responses import IteratorLost
from ledger_assets.extract.slices import RecordSlice, record
from ledger_assets.extract.unfinished import TableProgress, Unfinished, timestamp
from ledger_assets.progress import report

RESTARTS = 5
"""Scans of one table in one run that Airtable may lose before we say so."""
WRITES_BEHIND = 4


class Stopped(Exception):
    """Another table has failed: this one ends where it is, what is kept stays."""


@dataclass(frozen=True)
class Job:
    """What the tables of one export share."""

    client: AirtableClient
    export: Unfinished
    comment_readers: Executor
    stop: threading.Event
    calls_before: int
    """The client's calls that are not this export's, less those of the export's interrupted runs."""
    leave_out: LeaveOut

    def now(self) -> str:
        """The time, as manifests have it."""
        return timestamp(self.client.clock.now())

    @property
    def calls(self) -> int:
        """Requests of this export so far, in all its runs."""
        return self.client.calls - self.calls_before

    def keep_progress(self, table_id: str, progress: TableProgress) -> None:
        """Write down how far the table is, and when that was."""
        self.export.keep_progress(table_id, replace(progress, at=self.now(), calls=self.calls))

    def check(self) -> None:
        """Raise :class:`Stopped` when the export has failed elsewhere."""
        if self.stop.is_set():
            raise Stopped


@dataclass(frozen=True)
class Scanned:
    """A table as it was read: its manifest and its record ids; erased ones are none of them."""

    manifest: TableManifest
    ids: frozenset[str]


@dataclass
class _Kept:
    """What is known of the pages that are kept: their record ids, and the comments being read."""

    pages: list[list[str]] = field(default_factory=list)
    comments: dict[str, Future[list[str]]] = field(default_factory=dict)
    records: int = 0

    def add(
        self, job: Job, table: TableMeta, records: Iterable[RecordSlice], *, comments: bool = True
    ) -> None:
        page = []
        for one in records:
            page.append(one.id)
            if comments and one.comment_count and one.id not in self.comments:
                self.comments[one.id] = job.comment_readers.submit(job.client.comments, table, one.id)
        self.pages.append(page)
        self.records += len(page)

    def forget_pages(self) -> None:
        """The scan was lost. Its comments stay: they are asked for by record."""
        self.pages.clear()
        self.records = 0


def scan_table(job: Job, table: TableMeta) -> Scanned:
    """Read the table, from where an interrupted run has left it. Raises :class:`SourceError` naming the
    table.
    """
    progress = job.export.progress(table.id) or TableProgress(scan_started=job.now())
    kept = _Kept()
    try:
        for number in range(progress.pages):
            lines = read_lines(job.export.store, page_key(job.export.export_id, table.id, number))
            kept.add(job, table, map(record, lines), comments=not progress.finished)
    except StoreError:  # what the interrupted run has left is damaged: nothing of it is taken
        progress, kept = TableProgress(scan_started=job.now(), restarts=progress.restarts + 1), _Kept()
        job.keep_progress(table.id, progress)
    if not progress.scanned:
        progress = _read_pages(job, table, progress, kept)
    if not progress.finished:
        progress = _keep_comments(job, table, progress, kept)
    found = digest(job.export.store, job.export.export_id, table.id, kept.pages)
    job.export.store.put(index_key(job.export.export_id, table.id), found.index)
    report("export", table.name, found.records, found.records)
    manifest = TableManifest(
        id=table.id,
        name=table.name,
        records=found.records,
        pages=progress.pages,
        duplicates=found.duplicates,
        comments=progress.comments,
        ids_sha256=found.ids_sha256,
        content_sha256=found.content_sha256,
        scan_started=progress.scan_started,
        scan_finished=progress.scan_finished,
        restarts=progress.restarts,
        index_sha256=hashlib.sha256(found.index).hexdigest(),
        erased=len(progress.erased),
        redacted={field_id: progress.redacted[field_id] for field_id in sorted(progress.redacted)},
    )
    return Scanned(manifest, frozenset(record_id for page in kept.pages for record_id in page))


def scan_ids(job: Job, table: TableMeta) -> frozenset[str]:
    """The table's record ids by a scan of their own that delivers the primary field alone."""
    for _ in range(RESTARTS):
        ids: set[str] = set()
        offset: str | None = None
        try:
            while True:
                job.check()
                fields = [table.primary_field_id] if table.primary_field_id else []
                page = job.client.records(table, offset=offset, fields=fields)
                kept, _ = job.leave_out.page(table.id, page.records)
                ids.update(one.id for one in kept)
                report("final scan", table.name, len(ids))
                if page.offset is None:
                    return frozenset(ids)
                offset = _advanced(table, offset, page.offset)
        except IteratorLost:
            continue
    raise _lost(table)


def _read_pages(job: Job, table: TableMeta, progress: TableProgress, kept: _Kept) -> TableProgress:
    restarts = 0
    left_out = LeftOut(set(progress.erased), {name: set(ids) for name, ids in progress.redacted.items()})
    writes: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix=f"write-{table.id}") as writer:
        while not progress.scanned:
            job.check()
            try:
                page = job.client.records(table, offset=progress.offset, comment_counts=True)
            except IteratorLost:
                restarts += 1
                if restarts == RESTARTS:
                    raise _lost(table) from None
                _wait(writes, 0)
                progress = TableProgress(scan_started=job.now(), restarts=progress.restarts + 1)
                job.keep_progress(table.id, progress)
                kept.forget_pages()
                left_out = LeftOut()
                continue
            records, left = job.leave_out.page(table.id, page.records)
            if left.records and not job.leave_out.placed:
                raise _returned(table, left)
            left_out.add(left)
            number = progress.pages
            progress = replace(
                progress,
                pages=number + 1,
                offset=page.offset and _advanced(table, progress.offset, page.offset),
                scanned=page.offset is None,
                scan_finished=job.now(),
                erased=tuple(sorted(left_out.records)),
                redacted=left_out.named(),
            )
            kept.add(job, table, records)
            texts = [one.raw for one in records]
            writes.append(writer.submit(_keep_page, job, table.id, number, texts, progress))
            report("export", table.name, kept.records)
            _wait(writes, WRITES_BEHIND)
        _wait(writes, 0)
    return progress


def _keep_page(job: Job, table_id: str, page: int, texts: list[str], progress: TableProgress) -> None:
    job.export.keep_page(table_id, page, pack(texts))
    job.keep_progress(table_id, progress)


def _wait(writes: deque[Future[None]], behind: int) -> None:
    """Wait until at most so many writes are under way; what a write raised is raised here."""
    while len(writes) > behind:
        writes.popleft().result()


def _keep_comments(job: Job, table: TableMeta, progress: TableProgress, kept: _Kept) -> TableProgress:
    present = {record_id for page in kept.pages for record_id in page}
    lines: list[str] = []
    for record_id, comments in kept.comments.items():
        if record_id in present:
            lines.extend(f'{{"record_id":"{record_id}","comment":{raw}}}' for raw in comments.result())
            job.check()
    if lines:
        job.export.store.put(comments_key(job.export.export_id, table.id), pack(lines))
    progress = replace(progress, finished=True, comments=len(lines))
    job.keep_progress(table.id, progress)
    return progress


def _advanced(table: TableMeta, before: str | None, after: str) -> str:
    if after == before:
        raise SourceError(
            f"table {table.name!r} ({table.id}): Airtable's answers do not advance; run again later"
        )
    return after


def _returned(table: TableMeta, left: LeftOut) -> SourceError:
    return SourceError(
        f"table {table.name!r} ({table.id}): {', '.join(sorted(left.records)[:20])}, which people had erased, returned to "
        "Airtable while it was exported; run it again"
    )


def _lost(table: TableMeta) -> SourceError:
    return SourceError(
        f"table {table.name!r} ({table.id}): Airtable lost the scan's place {RESTARTS} times; run again later"
    )
