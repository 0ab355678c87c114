"""The final sync: what it costs in calls to Airtable grows with what was changed, not with the base.

Calls are counted and not seconds: they are what Airtable's 5 a second makes people wait for. What was brought over is
compared with a full export of the same moment, record by record, and with what the two full exports differ in: nothing
missed, nothing doubled. More records are brought than were edited: what links to an edited record is read again, as it may
be computed from it; and so are the comments of every record that changed and has any.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import requests

from benchmarks.run import Run
from benchmarks.table import Row
from benchmarks.world import UNLIMITED
from ledger_assets.demo import schema
from ledger_assets.demo.basefile import SEQ_PER_TABLE, BaseFile
from ledger_assets.demo.model import Table
from ledger_assets.demo.server import LOCAL_API_KEY
from ledger_assets.environment import SYNTHETIC_BASE_ID
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.content import content_sha256
from ledger_assets.extract.export import Export, latest_export
from ledger_assets.extract.run import export_base
from ledger_assets.storage import ObjectStore, open_store
from ledger_assets.sync.run import Synced, sync_base

FIELDS = {"Stories": "Watermark", "Media": "Video draft link", "Themes": "Description", "Quotes": "Theme"}
"""One of each table that no other field is computed from."""
A_REQUEST = 10
"""Records that Airtable takes at once."""
ALWAYS, A_PAGE, A_CALL = 16, 50, 100
"""At most so many calls whatever was changed (webhooks, design, each table's last page); payloads and records a call."""
AN_ID = re.compile(r'"(rec[0-9A-Za-z]{14})"')
A_SECOND = 5
"""What Airtable allows."""


@dataclass(frozen=True)
class _Brought:
    """What a sync brought, and what it should have. ``told``: payloads; ``near``: records that changed, link to one that
    did or are linked from it; ``commented``: changed records with comments."""

    synced: Synced
    told: int
    changed: int
    near: int
    commented: int
    same: bool

    @property
    def most(self) -> int:
        """As many calls as what changed explains."""
        return ALWAYS + -(-self.told // A_PAGE) + -(-self.near // A_CALL) + self.commented


@dataclass(frozen=True)
class _Base:
    """A base of its own, exported, and somebody who edits it."""

    url: str
    client: AirtableClient
    store: ObjectStore
    other: ObjectStore
    tables: list[tuple[Table, list[str]]]

    def edit(self, wanted: int, word: str) -> None:
        """So many records get another value, ten a request."""
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {LOCAL_API_KEY}"
            for table, ids in self.tables:
                chosen = ids[:wanted]
                wanted -= len(chosen)
                for first in range(0, len(chosen), A_REQUEST):
                    fields = {FIELDS[table.name]: word}
                    records = [{"id": one, "fields": fields} for one in chosen[first : first + A_REQUEST]]
                    url = f"{self.url}/v0/{SYNTHETIC_BASE_ID}/{table.id}"
                    session.patch(url, json={"records": records}).raise_for_status()

    def sync(self) -> _Brought:
        """Bring it over, and compare with full exports."""
        old = latest_export(self.store)
        synced = sync_base(self.client, self.store, environment="staging")
        new = Export(self.store, synced.export_id)
        full = Export(self.other, export_base(self.client, self.other, environment="staging").export_id)
        before, truth = _content(old), _content(full)
        changed = {one for one, content in truth.items() if before.get(one) != content}
        changed |= before.keys() - truth.keys()
        commented = {
            str(json.loads(line)["record_id"])
            for table in full.manifest.tables
            for line in full.comments(table.id)
        }
        twice = sum(table.duplicates for table in new.manifest.tables)
        return _Brought(
            synced,
            _position(new) - _position(old),
            len(changed),
            _near(full, changed),
            len(commented & changed),
            twice == 0 and _content(new) == truth,
        )


def _near(export: Export, changed: set[str]) -> int:
    found = set(changed)
    for table in export.manifest.tables:
        for record in export.records(table.id):
            named = set(AN_ID.findall(record.raw))
            if record.id in changed:
                found |= named
            elif not named.isdisjoint(changed):
                found.add(record.id)
    return len(found)


def _position(export: Export) -> int:
    cursor = export.manifest.cursor
    return 0 if cursor is None else cursor.position


def _content(export: Export) -> dict[str, bytes]:
    """Each record's hash, without the addresses of files, which are new with every answer."""
    return {
        record.id: content_sha256(record.raw)
        for table in export.manifest.tables
        for record in export.records(table.id)
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
                base.edit(edited, f"edited {edited}")
                found.append(_row(records, edited, base.sync()))
    return found


def _row(records: int, edited: int, found: _Brought) -> Row:
    calls, brought = found.synced.calls, sum(found.synced.changed.values())
    return Row(
        f"sync of {edited:,} changes in a base of {records:,} records",
        f"{calls:,} calls ({calls / A_SECOND:,.0f} s at {A_SECOND} a second); {brought:,} changed records brought, "
        f"{'equal' if found.same else 'NOT EQUAL'} to a full export",
        f"at most {found.most:,} calls, {found.changed:,} records, equal",
        found.same
        and found.synced.fallback is None
        and edited <= brought == found.changed
        and calls <= found.most,
    )


@contextmanager
def _base(run: Run, records: int) -> Iterator[_Base]:
    home = run.world.home()
    path = home / "base.sqlite"
    shutil.copyfile(run.world.base(records), path)  # the other rows read the same base
    with closing(BaseFile(path)) as file:
        tables = [(one, _ids(file, number)) for number, one in enumerate(schema.TABLES) if one.name in FIELDS]
    with run.world.airtable(path) as url:
        client = AirtableClient(
            url,
            LOCAL_API_KEY,
            SYNTHETIC_BASE_ID,
            requests_per_second=UNLIMITED,
            lock_folder=home / "locks",
        )
        with closing(client):
            store, other = (open_store((home / name).as_uri()) for name in ("objects", "other"))
            export_base(client, store, environment="staging")
            yield _Base(url, client, store, other, tables)
    shutil.rmtree(home)


def _ids(file: BaseFile, number: int) -> list[str]:
    rows = file.db.execute(
        "select record_id from records where seq > ? and seq <= ? order by seq",
        (number * SEQ_PER_TABLE, (number + 1) * SEQ_PER_TABLE),
    )
    return [row[0] for row in rows]
