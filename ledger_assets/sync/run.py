"""A sync: what changed since the newest export, as one new export.

What belongs here: the order of reading, what ends in a full export, and what stops. What does not: each step.

Invariants: nothing counts before the manifest, which is put last; a sync that cannot be exact makes a full export and says
why; one whose base has another design stops. The new export's cursor is where the last told change was taken in.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from ledger_assets.erasure.model import Erasure, records_of
from ledger_assets.errors import CheckFailed, StoreError
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.export import Export, ExportManifest, latest_export
from ledger_assets.extract.metadata import BaseMeta, parse_metadata
from ledger_assets.extract.run import export_base, exporting, tool
from ledger_assets.extract.unfinished import Begun, Unfinished, begin, interrupted, owner, timestamp
from ledger_assets.storage import ObjectStore
from ledger_assets.sync.before import Before
from ledger_assets.sync.depends import design_changes, named, time_fields
from ledger_assets.sync.drain import Drain
from ledger_assets.sync.erased import nobody_returned, nobody_there
from ledger_assets.sync.payloads import FullExportNeeded, Reported, SchemaChanged
from ledger_assets.sync.rereading import AT_ONCE, counted
from ledger_assets.sync.spread import Spread, TableNow
from ledger_assets.sync.write import write_table

log = logging.getLogger(__name__)

ROUNDS = 20
"""Times that more may have changed while we read. After them the next sync goes on; a final one says so."""
SHOWN = 20


@dataclass(frozen=True)
class Synced:
    """A sync's export, and how it came to be.

    ``changed``, ``created``, ``destroyed``: records by table name, those included whose computed cells alone changed; empty
    after a full export. ``fallback``: why it is a full export, None when it is none. ``time_fields``: fields that change
    with time alone (``Table: Field``), in which records that nobody touched may differ from a full export.
    """

    export_id: str
    changed: Mapping[str, int] = field(default_factory=dict)
    created: Mapping[str, int] = field(default_factory=dict)
    destroyed: Mapping[str, int] = field(default_factory=dict)
    fallback: str | None = None
    time_fields: tuple[str, ...] = ()
    calls: int = 0


def sync_base(
    client: AirtableClient,
    store: ObjectStore,
    *,
    environment: str,
    erased: Sequence[Erasure] = (),
    final: bool = False,
) -> Synced:
    """Bring over what changed since the newest export of the base, as one new export (none when nothing changed).

    ``final``: afterwards the ids and comment counts of the whole base are scanned once and must agree, and nothing may have
    changed meanwhile. Raises :class:`SchemaChanged` when tables or fields changed, :class:`SourceError` when Airtable does
    not deliver, :class:`CheckFailed` when a final sync meets people at work.
    """
    calls = client.calls
    try:
        with exporting(client, store):
            synced = _Sync(client, store, environment, erased, final=final).run()
    except FullExportNeeded as needed:
        log.warning("a full export instead of a sync: %s", needed)
        manifest = export_base(client, store, environment=environment, final=final, erased=erased)
        meta = Export(store, manifest.export_id).metadata
        synced = Synced(manifest.export_id, fallback=str(needed), time_fields=named(meta, time_fields(meta)))
    return replace(synced, calls=client.calls - calls)


class _Sync:
    def __init__(
        self,
        client: AirtableClient,
        store: ObjectStore,
        environment: str,
        erased: Sequence[Erasure],
        *,
        final: bool,
    ) -> None:
        self._client = client
        self._store = store
        self._environment = environment
        self._erased = erased
        self._final = final
        self._calls = client.calls
        self._started_at = timestamp(client.clock.now())
        self._owner = owner(client.lock_folder)
        self._gone = records_of(erased, client.base_id)

    def run(self) -> Synced:
        self._discard(synced=True)
        try:
            export = latest_export(self._store, self._client.base_id)
            meta = export.metadata
        except StoreError:
            raise FullExportNeeded("there is no export yet that could be read") from None
        nobody_there(export, self._gone)
        drain = Drain(self._client, meta, export.manifest.cursor)
        reported = drain.more()
        if not reported.any and not self._final:
            return Synced(export.export_id, time_fields=named(meta, time_fields(meta)))
        text = self._design(meta, reported)
        new = begin(self._store, self._begun(export), text)
        try:
            # Begun before it is read: a purge of the erased sees it, or has changed what is read.
            before = Before(Export(self._store, export.export_id))
            nobody_there(before.export, self._gone)
            return self._bring(drain, reported, before, new, text)
        except BaseException:
            new.discard()
            raise

    def _bring(self, drain: Drain, reported: Reported, before: Before, new: Unfinished, text: str) -> Synced:
        meta = parse_metadata(self._client.base_id, text)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sync") as pool:
            spread = Spread(self._client, before, meta, pool)
            position, text = self._settled(drain, reported, spread, meta, text, before, pool)
        nobody_returned(spread.now, self._gone)
        self._store.put(new.key("metadata.json"), text.encode())
        at = timestamp(self._client.clock.now())
        tables = tuple(
            write_table(new, before, table, spread.now[table.id], at)
            for table in before.export.manifest.tables
        )
        manifest = ExportManifest(
            export_id=new.export_id,
            environment=self._environment,
            base_id=meta.base_id,
            started_at=self._started_at,
            finished_at=at,
            final=self._final,
            calls=self._client.calls - self._calls,
            metadata_sha256=hashlib.sha256(text.encode()).hexdigest(),
            tables=tables,
            tool=tool(),
            erasures=new.begun.erasures,
            cursor=drain.cursor_at(position),
            synced_from=before.export.export_id,
        )
        self._store.put(new.key("MANIFEST.json"), manifest.to_json(), create=True)
        self._discard(synced=False)
        return _synced(manifest, before, spread.now, meta)

    def _settled(
        self,
        drain: Drain,
        reported: Reported,
        spread: Spread,
        meta: BaseMeta,
        text: str,
        before: Before,
        pool: ThreadPoolExecutor,
    ) -> tuple[int, str]:
        """Read until nothing new is told; the position that is taken in whole, and the metadata as it is now."""
        scanned = False
        for _ in range(ROUNDS):
            spread.round(reported)
            position = drain.position
            reported = drain.more()
            if reported.schema or reported.options:
                text = self._design(meta, reported)
            if not reported.any and self._final and not scanned:
                reported = self._untold(drain, spread, before, meta, pool)
                scanned = True
            elif not reported.any:
                return position, text
            else:
                scanned = False
        if self._final:
            raise CheckFailed(
                f"people are still editing the base: something new came in {ROUNDS} times. Stop all changes in the base and "
                "run it again"
            )
        return position, text

    def _design(self, before: BaseMeta, reported: Reported) -> str:
        """The base's metadata, whose design must be the export's. Raises :class:`SchemaChanged`."""
        text = self._client.metadata()
        found = reported.schema or design_changes(before, parse_metadata(self._client.base_id, text))
        if found:
            more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            raise SchemaChanged(
                f"the base's tables or fields have changed since the last export ({'; '.join(found[:SHOWN])}{more}): export "
                "again, and look at what the changed fields mean for the tables: ledger-assets export ENV"
            )
        return text

    def _untold(
        self, drain: Drain, spread: Spread, before: Before, meta: BaseMeta, pool: ThreadPoolExecutor
    ) -> Reported:
        """What a scan of the whole base finds that no webhook tells: comments.

        Raises :class:`FullExportNeeded` when it finds other records than are known, and nobody is at work.
        """
        found = Reported()
        strangers = 0
        scans = pool.map(lambda table: counted(self._client, table), meta.tables)
        for table, counts in zip(meta.tables, scans, strict=True):
            now, known = spread.now[table.id], before.comment_counts(table.id)
            expected = {r: known[r] for r in before.ids(table.id) if r not in now.gone}
            expected |= {r: text.comment_count for r, text in now.fresh.items()}
            strangers += len(expected.keys() ^ counts.keys())
            commented = {r for r, count in counts.items() if count != expected.get(r, count)}
            spread.comments_differ |= commented
            found.table(table.id).changed |= commented
        if not strangers:
            return found
        told = drain.more()
        if not told.any:
            raise FullExportNeeded(
                f"a scan of the base finds {strangers} records otherwise than the webhook told"
            )
        if told.schema or told.options:
            self._design(meta, told)
        return told

    def _begun(self, export: Export) -> Begun:
        return Begun(
            base_id=export.manifest.base_id,
            environment=self._environment,
            final=self._final,
            owner=self._owner,
            started_at=self._started_at,
            erasures=tuple(sorted(one.request_id for one in self._erased)),
            synced_from=export.export_id,
        )

    def _discard(self, *, synced: bool) -> None:
        """Throw away what killed processes have left: of syncs at once, of full exports once they are not wanted."""
        for one in interrupted(self._store, self._client.base_id, self._owner):
            if not synced or one.begun.synced_from is not None:
                one.discard()


def _synced(manifest: ExportManifest, before: Before, now: Mapping[str, TableNow], meta: BaseMeta) -> Synced:
    counts: dict[str, dict[str, int]] = {"changed": {}, "created": {}, "destroyed": {}}
    for table in manifest.tables:
        known, one = before.ids(table.id), now[table.id]
        for name, count in (
            ("changed", sum(record_id in known for record_id in one.fresh)),
            ("created", sum(record_id not in known for record_id in one.fresh)),
            ("destroyed", sum(record_id in known for record_id in one.gone)),
        ):
            if count:
                counts[name][table.name] = count
    return Synced(
        manifest.export_id,
        changed=counts["changed"],
        created=counts["created"],
        destroyed=counts["destroyed"],
        time_fields=named(meta, time_fields(meta)),
    )
