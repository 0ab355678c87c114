"""Create, update and delete records, with all that follows: inverse links, derived cells, numbers, times.

Invariants: links that have an inverse are the same on both sides after every change; every derived cell that
a change reaches is computed anew; a change that is refused changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ledger_assets.demo import files
from ledger_assets.demo.api_errors import ApiError, not_found, unprocessable
from ledger_assets.demo.basefile import Attachment, BaseFile, Row
from ledger_assets.demo.catalogue import SERVER_TYPES, Catalogue
from ledger_assets.demo.cells import Cells, encode, is_empty, links, pack, unpack
from ledger_assets.demo.derived import set_derived
from ledger_assets.demo.draft import attachment_text, iso
from ledger_assets.demo.model import Field, Table, airtable_id

USER = {"id": "usrLocalApiUser00", "email": "api@example.org", "name": "Local API"}


@dataclass
class Loaded:
    """A record at work: as it was (None: new) and as it is."""

    row: Row
    table: Table
    cells: Cells
    before: Cells | None
    touched: bool = False
    deleted: bool = False
    direct: bool = False
    """The request named it; else it follows from one that was."""


@dataclass
class Change:
    """What one request changed: for the answer and for the webhooks."""

    records: dict[str, Loaded] = field(default_factory=dict)


def new_id(prefix: str) -> str:
    """An id never given before."""
    return airtable_id(prefix, uuid4().hex)


class Changes:
    """One request's changes; :meth:`finish` writes them all."""

    def __init__(self, file: BaseFile, catalogue: Catalogue) -> None:
        self._file = file
        self.catalogue = catalogue
        self._now = datetime.now(UTC)
        self._change = Change()
        self._attachments: list[Attachment] = []

    def create(self, table: Table, fields: Mapping[str, Any], *, typecast: bool = False) -> str:
        """A new record; its id."""
        number = self.catalogue.numbers[table.id]
        key = f"seq:{table.id}"
        last = self._file.one("select value from meta where key = ?", key)
        seq = max(int(last or 0), self._file.last_seq(number)) + 1
        self._file.set_meta(key, str(seq))
        row = Row(seq, new_id("rec"), iso(self._now.replace(microsecond=0)), iso(self._now), 0, "")
        loaded = Loaded(row, table, {}, None, touched=True, direct=True)
        self._change.records[row.record_id] = loaded
        for f_id, f in self.catalogue.fields[table.id].items():
            if f.type == "autoNumber":
                following = int(self._file.get_meta("autonumber"))
                self._file.set_meta("autonumber", str(following + 1))
                loaded.cells[f_id] = str(following)
            elif f.type == "createdBy":
                loaded.cells[f_id] = encode(USER)
        self._set(loaded, fields, typecast)
        return row.record_id

    def update(
        self,
        table: Table,
        record_id: str,
        fields: Mapping[str, Any],
        *,
        replace: bool,
        typecast: bool = False,
    ) -> None:
        """Change the named cells; with ``replace`` empty all others. Raises 404 for an unknown record."""
        loaded = self._load(record_id)
        if loaded is None or loaded.table.id != table.id:
            raise not_found()
        given = {self.catalogue.field_id(table, name): value for name, value in fields.items()}
        if replace:
            own = {f_id for f_id, f in self.catalogue.fields[table.id].items() if f.type not in SERVER_TYPES}
            given = {**dict.fromkeys(own & loaded.cells.keys()), **given}
        loaded.touched = loaded.direct = True
        self._set(loaded, given, typecast)

    def delete(self, table: Table, record_id: str) -> None:
        """Delete a record and every link to it."""
        loaded = self._load(record_id)
        if loaded is None or loaded.table.id != table.id or loaded.deleted:
            raise not_found()
        for incoming in self.catalogue.incoming[table.id]:
            linked = (
                links(loaded.cells, incoming.inverse)
                if incoming.inverse
                else [row.record_id for row in self._file.mentioning(incoming.table, record_id)]
            )
            for other_id in linked:
                self._unlink(other_id, incoming.field, record_id)
        loaded.deleted = loaded.direct = True

    def finish(self) -> Change:
        """Compute what is derived, write everything, and tell what changed."""
        self._file.add_attachments(self._attachments)
        for loaded in self._change.records.values():
            if loaded.touched and not loaded.deleted:
                self._stamp(loaded)
        self._derive()
        for record_id, loaded in self._change.records.items():
            loaded.row.cells = pack(loaded.cells)
            if loaded.touched:
                loaded.row.modified = iso(self._now)
            if loaded.deleted:
                self._file.remove([record_id])
            elif loaded.before is None:
                self._file.add_records([loaded.row])
            elif loaded.cells != loaded.before or loaded.touched:
                self._file.replace(loaded.row)
        return self._change

    def _stamp(self, loaded: Loaded) -> None:
        for f_id, f in self.catalogue.fields[loaded.table.id].items():
            if f.type == "lastModifiedTime":
                loaded.cells[f_id] = f'"{iso(self._now)}"'
            elif f.type == "lastModifiedBy":
                loaded.cells[f_id] = encode(USER)

    def _load(self, record_id: str) -> Loaded | None:
        if record_id in self._change.records:
            return self._change.records[record_id]
        row = self._file.record(record_id)
        if row is None:
            return None
        cells = unpack(row.cells)
        loaded = Loaded(row, self.catalogue.table_of(row), cells, dict(cells))
        self._change.records[record_id] = loaded
        return loaded

    def _set(self, loaded: Loaded, fields: Mapping[str, Any], typecast: bool) -> None:
        for name, value in fields.items():
            f_id = self.catalogue.field_id(loaded.table, name)
            f = self.catalogue.fields[loaded.table.id][f_id]
            if f.type in SERVER_TYPES:
                raise unprocessable(
                    "INVALID_VALUE_FOR_COLUMN",
                    f'Field "{f.name}" cannot accept a value because the field is computed',
                )
            old = links(loaded.cells, f_id) if f.type == "multipleRecordLinks" else []
            text = None if is_empty(value) else self._text(loaded.table, f_id, f, value, typecast)
            if text is None:
                loaded.cells.pop(f_id, None)
            else:  # in its place: a cell that is written as it was leaves the record's text as it was
                loaded.cells[f_id] = text
            if f.type == "multipleRecordLinks":
                self._relink(loaded, f_id, old)

    def _text(self, table: Table, f_id: str, f: Field, value: Any, typecast: bool) -> str:
        if f.type == "multipleRecordLinks":
            return self._links(f, value)
        if f.type == "multipleAttachments":
            return self._files(f, value)
        if f.type in {"singleSelect", "multipleSelects"}:
            for name in value if isinstance(value, list) else [value]:
                if name in f.choices:
                    continue
                if not typecast:
                    raise unprocessable(
                        "INVALID_MULTIPLE_CHOICE_OPTIONS",
                        f"Insufficient permissions to create new select option {encode(name)}",
                    )
                self.catalogue = self.catalogue.with_choice(self.catalogue.table(table.id), f_id, name)
        try:
            return encode(value)
        except ValueError:
            raise _refused(f) from None

    def _links(self, f: Field, value: Any) -> str:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _refused(f, "Value is not an array of record IDs.")
        for record_id in value:
            linked = self._load(record_id)
            if linked is None or linked.table.name != f.to or linked.deleted:
                raise unprocessable(
                    "ROW_DOES_NOT_EXIST", f"Record ID {record_id} does not exist in this table"
                )
        return encode(list(dict.fromkeys(value)))

    def _files(self, f: Field, value: Any) -> str:
        """Files named by id stay; a file named by address becomes a new one with content of our own."""
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise _refused(f)
        attached = []
        for item in value:
            kept = self._file.attachment(str(item.get("id"))) if "id" in item else None
            if kept is None:
                seed = uuid4().int >> 66
                name = str(item.get("filename") or str(item.get("url", "file.jpeg")).rpartition("/")[2])
                kind = "image/png" if name.endswith(".png") else "image/jpeg"
                kept = Attachment(new_id("att"), seed, name, kind, len(files.content(seed, kind)))
                self._attachments.append(kept)
            attached.append(kept)
        return attachment_text(attached)

    def _relink(self, loaded: Loaded, f_id: str, old: Iterable[str]) -> None:
        """Bring the other side of a link in line."""
        inverse = next(
            (i.inverse for found in self.catalogue.incoming.values() for i in found if i.field == f_id), None
        )
        if inverse is None:
            return
        now = links(loaded.cells, f_id)
        for record_id in dict.fromkeys([*old, *now]):
            if record_id not in now:
                self._unlink(record_id, inverse, loaded.row.record_id)
            elif (other := self._load(record_id)) is not None:
                shown = links(other.cells, inverse)
                if loaded.row.record_id not in shown:
                    other.cells[inverse] = encode([*shown, loaded.row.record_id])
                    other.touched = True

    def _unlink(self, record_id: str, f_id: str, gone: str) -> None:
        other = self._load(record_id)
        if other is None or other.deleted:
            return
        left = [linked for linked in links(other.cells, f_id) if linked != gone]
        other.touched = True
        other.cells.pop(f_id, None)
        if left:
            other.cells[f_id] = encode(left)

    def _derive(self) -> None:
        """Derived cells of what changed, and of what links to it, as deep as lookups go."""
        frontier = {record_id for record_id, loaded in self._change.records.items() if loaded.touched}
        reached = set(frontier)
        for _ in range(self.catalogue.depth):
            frontier = {other for record_id in frontier for other in self._referrers(record_id)} - reached
            reached |= frontier
        by_table: dict[str, list[tuple[str, str, Cells]]] = {}
        for record_id in reached:
            loaded = self._load(record_id)
            if loaded is not None and not loaded.deleted:
                entry = (record_id, loaded.row.created, loaded.cells)
                by_table.setdefault(loaded.table.id, []).append(entry)
        set_derived(self.catalogue.plan, by_table, self._cells)

    def _referrers(self, record_id: str) -> Iterable[str]:
        loaded = self._load(record_id)
        if loaded is None or loaded.deleted:
            return
        for incoming in self.catalogue.incoming[loaded.table.id]:
            if incoming.inverse is not None:
                yield from links(loaded.cells, incoming.inverse)
            else:
                yield from (row.record_id for row in self._file.mentioning(incoming.table, record_id))

    def _cells(self, record_id: str) -> Cells | None:
        loaded = self._load(record_id)
        return None if loaded is None or loaded.deleted else loaded.cells


def _refused(f: Field, why: str = "") -> ApiError:
    return unprocessable(
        "INVALID_VALUE_FOR_COLUMN", f'Field "{f.name}" cannot accept the provided value. {why}'.rstrip()
    )


def changed_fields(loaded: Loaded) -> list[str]:
    """Ids of the fields whose cells differ from before."""
    before = loaded.before or {}
    return [f for f in {**before, **loaded.cells} if before.get(f) != loaded.cells.get(f)]
