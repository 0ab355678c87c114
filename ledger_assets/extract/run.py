"""A whole export: metadata, all tables at once, and the manifest last.

What belongs here: what makes an export complete. What does not: one table (``scan``), one request
(``client``).

Invariants: no manifest before every table is whole, the base's tables and fields are the same as at the
beginning and, for a final export, a second scan has found the same records; one export of a base at a time in
a store.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

from ledger_assets.erasure.model import Erasure, records_of
from ledger_assets.errors import CheckFailed, SourceError
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.export import ExportManifest
from ledger_assets.extract.leave_out import LeaveOut
from ledger_assets.extract.limiter import only_one
from ledger_assets.extract.metadata import BaseMeta, TableMeta, parse_metadata
from ledger_assets.extract.scan import Job, Scanned, Stopped, scan_ids, scan_table
from ledger_assets.extract.scratch import remove_abandoned
from ledger_assets.extract.standing import standing
from ledger_assets.extract.unfinished import (
    Begun,
    Unfinished,
    begin,
    can_continue,
    interrupted,
    owner,
    timestamp,
)
from ledger_assets.extract.webhooks import ensure_cursor
from ledger_assets.progress import report
from ledger_assets.storage import ObjectStore

log = logging.getLogger(__name__)

MOST_THREADS = 64
COMMENT_READERS = 4
"""Enough for five requests a second at 0.8 s each; more would only take slots from the longest table."""
SHOWN_IDS = 20

T = TypeVar("T")


def export_base(
    client: AirtableClient,
    store: ObjectStore,
    *,
    environment: str,
    final: bool = False,
    resume: bool = True,
    erased: Sequence[Erasure] = (),
) -> ExportManifest:
    """Export the base into the store, going on with an export that was interrupted just now; a final one is
    always begun anew. ``erased``: what people had erased; while it stands in Airtable still it is left out, and its
    words never reach the store.

    Raises :class:`SourceError` when Airtable does not deliver everything, :class:`CheckFailed` when the
    second scan of a final export differs, :class:`LedgerError` when the same export is running already. None
    leaves a manifest.
    """
    with exporting(client, store):
        return _export(client, store, erased, environment=environment, final=final, resume=resume)


def exporting(client: AirtableClient, store: ObjectStore) -> AbstractContextManager[None]:
    """The right to write an export of the base into the store. Raises :class:`LedgerError` while somebody has it."""
    busy = (
        f"an export of base {client.base_id} into {store.url} is running already: wait until it has "
        "ended, then run this again"
    )
    return only_one(lock_file(client.lock_folder, store, client.base_id), busy)


def lock_file(folder: Path, store: ObjectStore, base_id: str) -> Path:
    """The lock of exports of the base into the store."""
    return folder / f"export-{base_id}-{hashlib.sha256(store.url.encode()).hexdigest()[:12]}.lock"


def _export(
    client: AirtableClient,
    store: ObjectStore,
    erased: Sequence[Erasure],
    *,
    environment: str,
    final: bool,
    resume: bool,
) -> ExportManifest:
    remove_abandoned(client.home)
    calls_before = client.calls
    metadata = client.metadata()
    meta = parse_metadata(client.base_id, metadata)
    wanted = Begun(
        base_id=client.base_id,
        environment=environment,
        final=final,
        owner=owner(client.lock_folder),
        started_at=timestamp(client.clock.now()),
        erasures=tuple(sorted(one.request_id for one in erased)),
    )
    export = _continued(store, wanted, meta, resume=resume)
    reached = None if export is None else export.reached()
    if export is None:
        export = begin(store, replace(wanted, cursor=ensure_cursor(client, store)), metadata)
    if reached is not None:
        said = f"continued from {datetime.fromisoformat(reached.at):%H:%M} UTC"
        log.info("export %s %s", export.export_id, said)
        report("export", said, 1, 1)
        calls_before -= reached.calls
    leave_out = standing(client, meta, records_of(erased, client.base_id))
    tables = _scan(client, export, meta, calls_before, leave_out, final=final)
    _unchanged(meta, parse_metadata(client.base_id, client.metadata()))
    manifest = ExportManifest(
        export_id=export.export_id,
        environment=environment,
        base_id=client.base_id,
        started_at=export.begun.started_at,
        finished_at=timestamp(client.clock.now()),
        final=final,
        calls=client.calls - calls_before,
        metadata_sha256=hashlib.sha256(store.get(export.key("metadata.json"))).hexdigest(),
        tables=tuple(table.manifest for table in tables),
        tool=tool(),
        continued=None if reached is None else reached.at,
        erasures=wanted.erasures,
        cursor=export.begun.cursor,
    )
    store.put(export.key("MANIFEST.json"), manifest.to_json(), create=True)
    return manifest


def _continued(store: ObjectStore, wanted: Begun, meta: BaseMeta, *, resume: bool) -> Unfinished | None:
    """The interrupted export to go on with. Others are thrown away: half an export is people's words for
    nothing.
    """
    chosen: Unfinished | None = None
    for export in interrupted(store, wanted.base_id, wanted.owner):
        if resume and chosen is None and can_continue(export, wanted, meta):
            chosen = export
        else:
            export.discard()
    return chosen


def _scan(
    client: AirtableClient,
    export: Unfinished,
    meta: BaseMeta,
    calls_before: int,
    leave_out: LeaveOut,
    *,
    final: bool,
) -> list[Scanned]:
    stop = threading.Event()
    threads = max(1, min(len(meta.tables), MOST_THREADS))
    with (
        ThreadPoolExecutor(COMMENT_READERS, thread_name_prefix="comments") as comment_readers,
        ThreadPoolExecutor(threads, thread_name_prefix="table") as tables,
    ):
        try:
            job = Job(client, export, comment_readers, stop, calls_before, leave_out)
            scanned = _all(tables, meta.tables, lambda table: scan_table(job, table))
            if final:
                _same_ids(
                    export,
                    meta.tables,
                    scanned,
                    _all(tables, meta.tables, lambda table: scan_ids(job, table)),
                )
            return scanned
        finally:
            stop.set()
            comment_readers.shutdown(wait=False, cancel_futures=True)
            tables.shutdown(wait=False, cancel_futures=True)


def _all(pool: ThreadPoolExecutor, tables: Iterable[TableMeta], read: Callable[[TableMeta], T]) -> list[T]:
    """``read`` of every table at once. The first fault is raised as soon as it happens."""
    futures: list[Future[T]] = [pool.submit(read, table) for table in tables]
    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    for future in done:
        error = future.exception()
        if error is not None and not isinstance(error, Stopped):
            raise error
    return [future.result() for future in futures]


def _same_ids(
    export: Unfinished,
    tables: Iterable[TableMeta],
    scanned: Iterable[Scanned],
    again: Iterable[frozenset[str]],
) -> None:
    """Raise :class:`CheckFailed` naming the tables and ids in which the two scans differ."""
    faults = []
    for table, first, second in zip(tables, scanned, again, strict=True):
        for ids, where in (
            (second - first.ids, "only in the second"),
            (first.ids - second, "only in the first"),
        ):
            if ids:
                shown = ", ".join(sorted(ids)[:SHOWN_IDS])
                faults.append(f"table {table.name!r}: {len(ids)} records {where} scan ({shown})")
    if faults:
        export.discard()  # it is never gone on with: nobody's words are kept for nothing
        raise CheckFailed(
            f"the final export is not complete: {'; '.join(faults)}. Stop all changes in the base and run it "
            "again"
        )


def tool() -> dict[str, str]:
    """What made an export, as manifests have it."""
    try:
        return {"name": "ledger-assets", "version": version("ledger-assets")}
    except PackageNotFoundError:  # run from a checkout that is not installed
        return {"name": "ledger-assets", "version": "not installed"}


def _unchanged(before: BaseMeta, after: BaseMeta) -> None:
    """Raise :class:`SourceError` when tables or fields have changed while the records were read."""
    if before == after:
        return
    changed = {t.name for t in before.tables if after.table_by_id(t.id) != t}
    changed |= {t.name for t in after.tables if before.table_by_id(t.id) is None}
    names = ", ".join(repr(name) for name in sorted(changed)) or "the order of the tables"
    raise SourceError(
        f"the base's tables or fields were changed while it was exported ({names}): the records were read "
        "under two designs. Run the export again while nobody changes them"
    )
