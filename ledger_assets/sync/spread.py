"""From the records that were reported to all that changed: read again, compared, and followed along the links.

A record that has other cells than before may change the computed cells of those that link to it, and the link cells of
those that it links to. These are read again, too; where they have changed, it goes on from there, as deep as lookups go,
and where nothing has changed it ends. So what nobody reports is found, and no more is read than may have changed.

Invariants: within a round (what was told up to one moment) each record is read once, after that moment; a record counts as
changed by its content, without addresses of files, and goes on by its content without what changes with time alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.content import content_sha256
from ledger_assets.extract.cut import cut
from ledger_assets.extract.metadata import BaseMeta, TableMeta
from ledger_assets.extract.slices import RecordSlice
from ledger_assets.progress import report
from ledger_assets.sync.before import Before, linked
from ledger_assets.sync.depends import LinkField, link_fields, time_fields
from ledger_assets.sync.payloads import Reported, SchemaChanged
from ledger_assets.sync.rereading import read_again, read_comments

PORTION = 2_000
"""Records compared at once: as many old texts are in memory."""


@dataclass
class TableNow:
    """What is known of a table beyond the old export. ``gone`` may name records that it never held."""

    fresh: dict[str, RecordSlice] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    comments: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Target:
    """A record that may have changed. ``on``: who looks at it may have changed although its own cells have not."""

    table: str
    record: str
    on: bool


@dataclass(frozen=True)
class _Dirty:
    """A record that has changed, or that shows one that has; its text before and now."""

    table: str
    record: str
    before: str | None
    after: str | None


@dataclass
class _Round:
    """Records that wait to be read by table, that were read, that go on whatever their cells are, that were followed."""

    waiting: dict[str, set[str]]
    read: set[str] = field(default_factory=set)
    on: set[str] = field(default_factory=set)
    followed: set[str] = field(default_factory=set)


class Spread:
    """All that changed since the old export, gathered round by round."""

    def __init__(
        self, client: AirtableClient, before: Before, meta: BaseMeta, pool: ThreadPoolExecutor
    ) -> None:
        self._client = client
        self._before = before
        self._pool = pool
        self._tables = {table.id: table for table in meta.tables}
        self._time = time_fields(meta)
        links = link_fields(meta)
        self._from = {table.id: [one for one in links if one.table == table.id] for table in meta.tables}
        self._to = {table.id: [one for one in links if one.to in {table.id, ""}] for table in meta.tables}
        self.now = {table.id: TableNow() for table in meta.tables}
        self.comments_differ: set[str] = set()
        """Records whose comments are read again whatever their cells are."""
        self._linking_now: dict[tuple[str, str], set[str]] = {}
        """Link field and target, and which of the records read again have linked there since the old export."""
        self._owed: dict[str, set[str]] = {table.id: set() for table in meta.tables}
        """Records that were read before one that they follow from. If people are at work that may be too early: when more
        is told they are read again, and when no more is told nothing has changed in between."""

    def round(self, reported: Reported) -> None:
        """Read again what was reported and all that follows from it. Raises SourceError."""
        now = _Round(waiting=self._owed)
        self._owed = {table_id: set() for table_id in self._tables}
        dirty: list[_Dirty] = []
        for table_id, changes in reported.tables.items():
            if table_id not in self._tables:
                raise SchemaChanged(
                    f"the base has a table {table_id} that the export does not know: export again"
                )
            self.now[table_id].gone -= changes.created | changes.changed
            now.waiting[table_id] |= changes.created | changes.changed
            dirty += self._destroyed(table_id, changes.destroyed)
        portions: list[tuple[str, set[str]]] = []
        while True:
            while dirty:
                dirty = self._follow(dirty, now)
            portions = portions or self._portions(now)
            if not portions:
                return
            table_id, portion = portions.pop()
            now.read |= portion
            dirty = self._read(self._tables[table_id], portion, now.on)
            report("sync", "records read again", len(now.read))

    def _portions(self, now: _Round) -> list[tuple[str, set[str]]]:
        """What waits of one table, by the old export's pages: each of them is read for one portion or two."""
        for table_id in sorted(now.waiting, key=lambda one: len(now.waiting[one]), reverse=True):
            wanted = now.waiting[table_id] - self.now[table_id].gone - now.read
            now.waiting[table_id] = set()
            if wanted:
                ids = self._before.in_order(table_id, wanted)
                firsts = range(0, len(ids), PORTION)
                return [(table_id, set(ids[first : first + PORTION])) for first in reversed(firsts)]
        return []

    def _follow(self, dirty: list[_Dirty], now: _Round) -> list[_Dirty]:
        """Let those wait that follow from these; those that were read already and are now known to show one of these."""
        shown: dict[str, set[str]] = {table_id: set() for table_id in self._tables}
        for one in dirty:
            if one.record in now.followed:
                continue
            now.followed.add(one.record)
            for target in self._targets(one):
                if target.on:
                    now.on.add(target.record)
                if target.record not in now.read:
                    now.waiting[target.table].add(target.record)
                    continue
                self._owed[target.table].add(target.record)
                if target.on:
                    shown[target.table].add(target.record)
        # After all of these: one that is among them is followed by what it was before, too.
        return [
            again
            for table_id, ids in shown.items()
            for again in self._again(table_id, ids - now.followed - self.now[table_id].gone)
        ]

    def _destroyed(self, table_id: str, ids: set[str]) -> Iterator[_Dirty]:
        now = self.now[table_id]
        known = self._texts(table_id, ids)
        for record_id in sorted(ids - now.gone):
            now.fresh.pop(record_id, None)
            now.comments.pop(record_id, None)
            now.gone.add(record_id)
            yield _Dirty(table_id, record_id, known.get(record_id), None)

    def _texts(self, table_id: str, ids: set[str]) -> dict[str, str]:
        """The records' texts as last known."""
        fresh = self.now[table_id].fresh
        known = self._before.texts(table_id, {one for one in ids if one not in fresh})
        return known | {one: fresh[one].raw for one in ids if one in fresh}

    def _again(self, table_id: str, ids: set[str]) -> Iterator[_Dirty]:
        """Records that have not changed, as far as is known, and show one that has."""
        known = self._texts(table_id, ids)
        for record_id in sorted(ids):
            text = known.get(record_id)
            yield _Dirty(table_id, record_id, text, text)

    def _read(self, table: TableMeta, ids: set[str], on: set[str]) -> list[_Dirty]:
        known = self._texts(table.id, ids)
        found = read_again(self._client, self._pool, table, ids)
        changed: list[RecordSlice] = []
        dirty: list[_Dirty] = []
        for record_id, one in found.items():
            text = known.get(record_id)
            if one is None:
                dirty += self._destroyed(table.id, {record_id})
                continue
            if (
                text is None
                or record_id in self.comments_differ
                or content_sha256(text) != content_sha256(one.raw)
            ):
                changed.append(one)
            if text is None or record_id in on or self._differ(table.id, text, one.raw):
                dirty.append(_Dirty(table.id, record_id, text, one.raw))
        now = self.now[table.id]
        for one in changed:
            now.fresh[one.id] = one
            now.comments.pop(one.id, None)
            for link in self._from[table.id]:
                for target in linked(one.raw, link.field):
                    self._linking_now.setdefault((link.field, target), set()).add(one.id)
        now.comments |= read_comments(self._client, self._pool, table, changed)
        return dirty

    def _differ(self, table_id: str, before: str, after: str) -> bool:
        left_out = self._time[table_id]
        if left_out:
            before, after = (cut(raw, lambda name, _: name not in left_out)[0] for raw in (before, after))
        return content_sha256(before) != content_sha256(after)

    def _targets(self, one: _Dirty) -> Iterator[_Target]:
        """The records that may have changed because this one has."""
        for link in self._from[one.table]:
            if one.before != one.after and (link.inverse is not None or not link.to):
                for other in {*linked(one.before, link.field)} ^ {*linked(one.after, link.field)}:
                    if (to := link.to or self._table_of(other)) is not None:
                        yield _Target(to, other, on=False)
        for link in self._to[one.table]:
            if link.seen or link.shows or one.after is None:
                for other in self._linking(link, one):
                    yield _Target(link.table, other, on=link.shows)

    def _table_of(self, record_id: str) -> str | None:
        """Of a link whose table the metadata does not tell."""
        for table_id, now in self.now.items():
            if record_id in now.fresh or record_id in self._before.ids(table_id):
                return table_id
        return None

    def _linking(self, link: LinkField, one: _Dirty) -> set[str]:
        found = set(self._linking_now.get((link.field, one.record), ()))
        if link.inverse is None:
            return found.union(self._before.linking(link, one.record))
        return found.union(linked(one.before, link.inverse), linked(one.after, link.inverse))
