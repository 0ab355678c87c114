"""The final sync: what it costs in calls to Airtable grows with what was changed, not with the base.

Calls are counted and not seconds: they are what Airtable's 5 a second makes people wait for. What was brought over is
compared with a full export of the same moment, record by record: nothing missed, nothing doubled. More records are brought
than were edited: those with a cell that is computed from an edited record are read again.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import requests

from benchmarks.run import Run
from benchmarks.table import Row
from ledger_assets.demo import schema
from ledger_assets.demo.basefile import SEQ_PER_TABLE, BaseFile
from ledger_assets.demo.model import Table
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.content import content_sha256
from ledger_assets.extract.export import Export
from ledger_assets.extract.run import export_base
from ledger_assets.storage import ObjectStore, open_store
from ledger_assets.sync.run import Synced, sync_base

FIELDS = {"Stories": "Watermark", "Media": "Video draft link", "Themes": "Description", "Quotes": "Theme"}
"""One of each table that no other field is computed from."""
A_REQUEST = 10
"""Records that Airtable takes at once."""
ALWAYS, A_PAGE, A_CALL = 16, 50, 100
"""At most so many calls whatever was changed (webhooks, design, each table's last page); payloads and records a call."""


@dataclass(frozen=True)
class _Base:
    """A base of its own, exported, and somebody who edits it."""

    airtable: LocalAirtable
    client: AirtableClient
    store: ObjectStore
    other: ObjectStore
    tables: list[tuple[Table, list[str]]]

    def edit(self, wanted: int, word: str) -> int:
        """So many records get another value, ten a request; the number of requests."""
        sent = 0
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self.airtable.api_key}"
            for table, ids in self.tables:
                chosen = ids[:wanted]
                wanted -= len(chosen)
                for first in range(0, len(chosen), A_REQUEST):
                    fields = {FIELDS[table.name]: word}
                    records = [{"id": one, "fields": fields} for one in chosen[first : first + A_REQUEST]]
                    url = f"{self.airtable.url}/v0/{self.airtable.base_id}/{table.id}"
                    session.patch(url, json={"records": records}).raise_for_status()
                    sent += 1
        return sent

    def sync(self) -> tuple[Synced, bool]:
        """And whether it is what a full export is, record by record."""
        synced = sync_base(self.client, self.store, environment="staging")
        full = export_base(self.client, self.other, environment="staging")
        return synced, _content(Export(self.store, synced.export_id)) == _content(
            Export(self.other, full.export_id)
        )


def _content(export: Export) -> dict[str, list[bytes]]:
    """Each record's hash, without the addresses of files, which are new with every answer."""
    return {
        table.id: sorted(content_sha256(record.raw) for record in export.records(table.id))
        for table in export.manifest.tables
    }


def measure(run: Run) -> list[Row]:
    """The same edits in a small and a large base, then many."""
    sizes, found = run.sizes, []
    for records, edits in (
        (sizes.sync_bases[0], sizes.sync_edits[:1]),
        (sizes.sync_bases[1], sizes.sync_edits),
    ):
        with _base(run, records) as base:
            for edited in edits:
                payloads = base.edit(edited, f"edited {edited}")
                synced, same = base.sync()
                found.append(_row(records, edited, payloads, synced, same))
    return found


def _row(records: int, edited: int, payloads: int, synced: Synced, same: bool) -> Row:
    most = ALWAYS + -(-payloads // A_PAGE) + -(-edited // A_CALL)
    brought = sum(synced.changed.values())
    return Row(
        f"sync of {edited:,} changes in a base of {records:,} records",
        f"{synced.calls:,} calls; {brought:,} changed records brought, {'equal' if same else 'NOT EQUAL'} to a full export",
        f"at most {most:,} calls, equal",
        same and synced.fallback is None and brought >= edited and synced.calls <= most,
    )


@contextmanager
def _base(run: Run, records: int) -> Iterator[_Base]:
    home = run.world.home()
    path = home / "base.sqlite"
    shutil.copyfile(run.world.base(records), path)  # the other rows read the same base
    with closing(BaseFile(path)) as file:
        tables = [(one, _ids(file, number)) for number, one in enumerate(schema.TABLES) if one.name in FIELDS]
    with LocalAirtable(path, requests_per_second=None) as airtable:
        client = AirtableClient(
            airtable.url,
            airtable.api_key,
            airtable.base_id,
            requests_per_second=1e6,
            lock_folder=home / "locks",
        )
        with closing(client):
            store, other = (open_store((home / name).as_uri()) for name in ("objects", "other"))
            export_base(client, store, environment="staging")
            yield _Base(airtable, client, store, other, tables)
    shutil.rmtree(home)


def _ids(file: BaseFile, number: int) -> list[str]:
    rows = file.db.execute(
        "select record_id from records where seq > ? and seq <= ? order by seq",
        (number * SEQ_PER_TABLE, (number + 1) * SEQ_PER_TABLE),
    )
    return [row[0] for row in rows]
