"""The base as it lies in one SQLite file: tables, records, comments, attachments, webhooks.

Only storing and finding; what a change does to links and derived cells: :mod:`ledger_assets.demo.changes`.

Invariants: a record's ``seq`` grows with its creation inside its table and is never used again: pages are
ranges of it. A file is complete or absent: it is written beside and renamed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ledger_assets.demo.model import Field, Table

SEQ_PER_TABLE = 10**9

_SCHEMA = """
create table meta (key text primary key, value text not null);
create table records (
  seq integer primary key, record_id text not null, created text not null, modified text not null,
  comments integer not null, cells text not null);
create table comments (
  id text primary key, record_id text not null, position integer not null, body text not null);
create table attachments (
  id text primary key, seed integer not null, filename text not null, type text not null,
  size integer not null);
create table webhooks (id text primary key, body text not null);
create table payloads (
  webhook_id text not null, position integer not null, body text not null,
  primary key (webhook_id, position));
"""
_INDEXES = """
create unique index records_by_id on records (record_id);
create index comments_by_record on comments (record_id, position);
"""


@dataclass(slots=True)
class Row:
    """A record as stored; ``cells`` in the form of :mod:`ledger_assets.demo.cells`."""

    seq: int
    record_id: str
    created: str
    modified: str
    comments: int
    cells: str


@dataclass(frozen=True)
class Attachment:
    """A file: its content follows from ``seed`` and ``type``."""

    id: str
    seed: int
    filename: str
    type: str
    size: int


@dataclass(frozen=True)
class Comment:
    """A record comment; ``body`` is its JSON as delivered."""

    id: str
    record_id: str
    position: int
    body: str


def tables_to_json(tables: Iterable[Table]) -> str:
    """The tables, to be kept in the file."""
    return json.dumps([asdict(table) for table in tables])


def tables_from_json(text: str) -> tuple[Table, ...]:
    """The tables that :func:`tables_to_json` wrote."""
    return tuple(
        Table(table["name"], tuple(Field(**{**f, "choices": tuple(f["choices"])}) for f in table["fields"]))
        for table in json.loads(text)
    )


class BaseFile:
    """A base's file, open for reading and writing, used by one thread at a time."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Open ``path``; with ``create``, make it (it must not exist)."""
        if not create and not path.is_file():
            raise FileNotFoundError(path)
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.db.execute("pragma synchronous = off")
        self.db.execute("pragma cache_size = -16000")
        if create:
            self.db.execute("pragma journal_mode = off")
            self.db.executescript(_SCHEMA)
        else:
            self.db.execute("pragma journal_mode = memory")

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def finish(self) -> None:
        """Index what has been written and commit."""
        self.db.executescript(_INDEXES)
        self.db.commit()

    def get_meta(self, key: str) -> str:
        """A value of the file itself: tables, base_id, shape, seed, ..."""
        row = self.db.execute("select value from meta where key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Set a value of the file itself."""
        self.db.execute("insert or replace into meta values (?, ?)", (key, value))

    def add_records(self, rows: Iterable[Row]) -> None:
        """Add records."""
        self.db.executemany(
            "insert into records values (?, ?, ?, ?, ?, ?)",
            ((r.seq, r.record_id, r.created, r.modified, r.comments, r.cells) for r in rows),
        )

    def add_attachments(self, files: Iterable[Attachment]) -> None:
        """Add files; one that is there already stays."""
        self.db.executemany(
            "insert or ignore into attachments values (?, ?, ?, ?, ?)",
            ((a.id, a.seed, a.filename, a.type, a.size) for a in files),
        )

    def add_comments(self, comments: Iterable[Comment]) -> None:
        """Add comments; the records' counts are the caller's to keep."""
        self.db.executemany(
            "insert into comments values (?, ?, ?, ?)",
            ((c.id, c.record_id, c.position, c.body) for c in comments),
        )

    def count_comments(self, record_id: str) -> None:
        """Bring a record's comment count up to date."""
        count = self.one("select count(*) from comments where record_id = ?", record_id)
        self.db.execute("update records set comments = ? where record_id = ?", (count, record_id))

    def page(self, table: int, after: int, up_to: int, limit: int) -> list[Row]:
        """At most ``limit`` records of table number ``table`` in order, after and up to a ``seq``."""
        start = max(after, table * SEQ_PER_TABLE)
        found = self.db.execute(
            "select * from records where seq > ? and seq <= ? order by seq limit ?", (start, up_to, limit)
        )
        return [Row(*row) for row in found]

    def last_seq(self, table: int) -> int:
        """The ``seq`` of the table's newest record, or that before its first."""
        low, high = table * SEQ_PER_TABLE, (table + 1) * SEQ_PER_TABLE
        row = self.db.execute(
            "select max(seq) from records where seq > ? and seq < ?", (low, high)
        ).fetchone()
        return int(row[0]) if row[0] is not None else low

    def all(self, table: int) -> Iterator[Row]:
        """Every record of a table, in order."""
        low, high = table * SEQ_PER_TABLE, (table + 1) * SEQ_PER_TABLE
        query = "select * from records where seq > ? and seq < ? order by seq"
        for row in self.db.execute(query, (low, high)):
            yield Row(*row)

    def record(self, record_id: str) -> Row | None:
        """The record of that id, whatever its table."""
        row = self.db.execute("select * from records where record_id = ?", (record_id,)).fetchone()
        return None if row is None else Row(*row)

    def mentioning(self, table: int, record_id: str) -> list[Row]:
        """The records of a table whose cells hold ``record_id`` (slow: reads the whole table)."""
        return [row for row in self.all(table) if f'"{record_id}"' in row.cells]

    def replace(self, row: Row) -> None:
        """Write a record's cells and its time of modification."""
        self.db.execute(
            "update records set modified = ?, cells = ? where record_id = ?",
            (row.modified, row.cells, row.record_id),
        )

    def remove(self, record_ids: Sequence[str]) -> None:
        """Delete records and their comments."""
        ids = [(record_id,) for record_id in record_ids]
        self.db.executemany("delete from records where record_id = ?", ids)
        self.db.executemany("delete from comments where record_id = ?", ids)

    def attachment(self, attachment_id: str) -> Attachment | None:
        """The file of that id."""
        row = self.db.execute("select * from attachments where id = ?", (attachment_id,)).fetchone()
        return None if row is None else Attachment(*row)

    def one(self, query: str, *parameters: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.db.execute(query, parameters).fetchone()
        return None if row is None else row[0]
