"""Rows of schema airtable: keys and hashes staged, new rows COPYed into the table, changed ones beside and merged.

What belongs here: how the rows of one kind are written and judged. What does not: which rows an export delivers
(``records``, ``delivered``), target tables (``merge``).

Invariants: a row that is the same is not touched; nothing is deleted.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from psycopg import sql

from ledger_assets.load.copytext import copy_frame, row_text
from ledger_assets.load.merge import Scope
from ledger_assets.load.report import SAMPLE, CheckOutcome, TableCounts
from ledger_assets.load.sqlfiles import Cursor, names, one, statement
from ledger_assets.progress import report

_encode = json.JSONEncoder(sort_keys=True).encode
Columns = tuple[Any, ...]
BATCH_ROWS = 2_000
BATCH_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Kind:
    """A table of schema airtable: its key after base and table, its hash, its other columns."""

    table: str
    key: tuple[str, ...]
    hash: str
    columns: tuple[str, ...]

    @property
    def keys(self) -> sql.Identifier:
        """Temporary table of the delivered keys and hashes."""
        return sql.Identifier(f"keys_airtable_{self.table}")

    @property
    def stage(self) -> sql.Identifier:
        """Temporary table of changed rows."""
        return sql.Identifier(f"stage_airtable_{self.table}")

    @property
    def same_key(self) -> sql.Composed:
        """SQL: ``d`` and ``s`` are the same row of one Airtable table."""
        return sql.SQL(" and ").join(sql.SQL("d.{0} = s.{0}").format(sql.Identifier(k)) for k in self.key)


RECORDS = Kind(
    "records", ("record_id",), "content_sha256", ("created_time", "raw", "fields", "lossy", "sha256")
)
# By content: the text of a record with a file differs in every export, by the file's expiring address.
COMMENTS = Kind("comments", ("record_id", "comment_id"), "sha256", ("raw",))
ATTACHMENTS = Kind(
    "attachments",
    ("record_id", "field_id", "attachment_id"),
    "entry_sha256",
    ("filename", "size", "content_type", "file_sha256", "object_key", "problem"),
)


@dataclass(frozen=True)
class Row:
    """One delivered row; ``size`` is about its bytes. ``source`` gives the other columns when they are
    needed.
    """

    key: tuple[str, ...]
    hash: bytes
    source: Any
    size: int


class RawLoad:
    """Loads one kind: :meth:`add` for each Airtable table, then :meth:`finish`, then :meth:`verify`."""

    def __init__(self, cur: Cursor, kind: Kind, scope: Scope) -> None:
        self._cur, self._kind, self._scope = cur, kind, scope
        self._counts: dict[str, dict[str, int]] = {}
        self._same: list[str] = []
        self._stored = ("base_id", "table_id", *kind.key, *kind.columns, kind.hash, "export_id")
        keys = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(k)) for k in kind.key)
        cur.execute(
            sql.SQL("create temp table {} (table_id text, {}, hash bytea) on commit drop").format(
                kind.keys, keys
            )
        )
        cur.execute(
            sql.SQL("create temp table {} on commit drop as select {} from airtable.{} with no data").format(
                kind.stage, names(self._stored), sql.Identifier(kind.table)
            )
        )

    def add(self, table_id: str, rows: Iterable[Row], values: Any, *, label: str, total: int | None) -> None:
        """Load one Airtable table's rows; ``values`` makes a row's other columns, only for rows that are
        written.
        """
        some = self._any_known(table_id)
        for batch in _batches(rows):
            known = self._known(table_id, batch) if some else {}
            columns = ("table_id", *self._kind.key, "hash")
            self._copy(self._kind.keys, columns, ((table_id, *r.key, r.hash) for r in batch))
            self._count(table_id, staged=len(batch))
            new = [r for r in batch if r.key not in known]
            changed = [r for r in batch if r.key in known and known[r.key] != r.hash]
            self.write(
                table_id, *([(*r.key, *values(r.source), r.hash) for r in part] for part in (new, changed))
            )
            report("load", label, self._counts[table_id]["staged"], total)

    def holds(self, table_id: str, keys: pl.DataFrame) -> bool:
        """Whether the rows of one Airtable table are exactly these, by key and ``hash``: then that is the judgement, and
        nothing of it is staged. One hash of the whole table on both sides."""
        kind = self._kind
        query = statement("raw_digest", table=sql.Identifier(kind.table), hash=sql.Identifier(kind.hash))
        parameters = {"base": self._scope.base_id, "table": table_id}
        if one(self._cur, query, parameters) != _digest(keys):
            return False
        self._same.append(table_id)
        self._count(table_id, staged=keys.height)
        return True

    def stage(self, table_id: str, keys: pl.DataFrame) -> None:
        """Stage keys and ``hash`` of one Airtable table."""
        copy_frame(self._cur, self._kind.keys, keys.select(pl.lit(table_id).alias("table_id"), pl.all()))
        self._count(table_id, staged=keys.height)

    def changes(self, table_id: str) -> pl.DataFrame | None:
        """``record_id`` and ``new`` of the staged rows that are not here as they are; None: nothing of the table is."""
        if not self._any_known(table_id):
            return None
        kind = self._kind
        query = statement(
            "raw_changes",
            table=sql.Identifier(kind.table),
            keys=kind.keys,
            same_key=kind.same_key,
            hash=sql.Identifier(kind.hash),
        )
        found = self._cur.execute(query, {"base": self._scope.base_id, "table": table_id}).fetchall()
        return pl.DataFrame(found, schema={"record_id": pl.String, "new": pl.Boolean}, orient="row")

    def _count(self, table_id: str, *, staged: int) -> None:
        self._counts.setdefault(table_id, {"staged": 0, "inserted": 0, "updated": 0})["staged"] += staged

    def write(self, table_id: str, new: Sequence[Columns], changed: Sequence[Columns]) -> None:
        """Write new rows, and put changed ones beside: each its key, its other columns, its hash."""
        base, export = self._scope.base_id, self._scope.export_id
        target = sql.Identifier("airtable", self._kind.table)
        rows = ((base, table_id, *row, export, export) for row in new)
        self._copy(target, self._columns(new=True), rows)
        self._copy(
            self._kind.stage, self._columns(new=False), ((base, table_id, *row, export) for row in changed)
        )
        counts = self._counts[table_id]
        counts["inserted"] += len(new)
        counts["updated"] += len(changed)

    def text(self, table_id: str, rows: Iterable[Columns], *, new: bool) -> bytes:
        """Rows (key, other columns, hash; none NULL) as COPY takes them. Touches no connection."""
        base, export = self._scope.base_id, self._scope.export_id
        last = (export, export) if new else (export,)
        return "".join([row_text((base, table_id, *row, *last)) for row in rows]).encode()

    def write_texts(self, table_id: str, texts: Iterable[tuple[int, bytes]], *, new: bool) -> None:
        """Write new rows, or put changed ones beside, in one COPY; with each text the number of its rows."""
        target = sql.Identifier("airtable", self._kind.table) if new else self._kind.stage
        columns, counts = names(self._columns(new=new)), self._counts[table_id]
        with self._cur.copy(sql.SQL("copy {} ({}) from stdin").format(target, columns)) as copy:
            for count, text in texts:
                copy.write(text)
                counts["inserted" if new else "updated"] += count

    def _columns(self, *, new: bool) -> tuple[str, ...]:
        return (*self._stored, "first_export_id") if new else self._stored

    def finish(self, in_scope: sql.Composable) -> dict[str, TableCounts]:
        """Write changed rows, mark those that are gone or back; counts by Airtable table."""
        cur, kind = self._cur, self._kind
        cur.execute(sql.SQL("analyze {}").format(kind.keys))
        parts = {
            "table": sql.Identifier(kind.table),
            "keys": kind.keys,
            "stage": kind.stage,
            "same_key": kind.same_key,
        }
        returned = self._marked("raw_return", parts, in_scope)
        deleted = self._marked("raw_delete", parts, in_scope)
        if any(c["updated"] for c in self._counts.values()):
            columns = (*kind.columns, kind.hash, "export_id")
            assignments = sql.SQL(", ").join(
                sql.SQL("{0} = s.{0}").format(sql.Identifier(c)) for c in columns
            )
            cur.execute(sql.SQL("analyze {}").format(kind.stage))
            cur.execute(statement("raw_update", assignments=assignments, **parts))
        tables = {*self._counts, *deleted}
        return {t: self._table_counts(t, returned, deleted) for t in sorted(tables)}

    def verify(self, in_scope: sql.Composable) -> CheckOutcome:
        """What was delivered is there, by key and by hash, and nothing else is."""
        kind = self._kind
        query = statement(
            "raw_verify",
            table=sql.Identifier(kind.table),
            keys=kind.keys,
            same_key=kind.same_key,
            hash=sql.Identifier(kind.hash),
            in_scope=in_scope,
        )
        rows = self._cur.execute(query, {**self._parameters, "sample": SAMPLE}).fetchall()
        wrong = {verdict: {"rows": count, "ids": ids} for verdict, count, ids in rows}
        staged = sum(c["staged"] for c in self._counts.values())
        return CheckOutcome(f"airtable.{kind.table}", "raw", not wrong, {"staged": staged, **wrong})

    @property
    def _parameters(self) -> dict[str, Any]:
        return {**self._scope.parameters, "same": self._same}

    def _marked(
        self, name: str, parts: dict[str, sql.Composable], in_scope: sql.Composable
    ) -> dict[str, int]:
        rows = self._cur.execute(statement(name, in_scope=in_scope, **parts), self._parameters).fetchall()
        return {table: len(list(group)) for table, group in itertools.groupby(sorted(row[0] for row in rows))}

    def _table_counts(self, table_id: str, returned: dict[str, int], deleted: dict[str, int]) -> TableCounts:
        counts = self._counts.get(table_id, {"staged": 0, "inserted": 0, "updated": 0})
        return TableCounts(
            **counts,
            unchanged=counts["staged"] - counts["inserted"] - counts["updated"],
            deleted=deleted.get(table_id, 0),
            returned=returned.get(table_id, 0),
        )

    def _any_known(self, table_id: str) -> bool:
        query = sql.SQL("select from airtable.{} where base_id = %s and table_id = %s limit 1")
        self._cur.execute(query.format(sql.Identifier(self._kind.table)), (self._scope.base_id, table_id))
        return self._cur.fetchone() is not None

    def _known(self, table_id: str, batch: list[Row]) -> dict[tuple[str, ...], bytes]:
        query = sql.SQL(
            "select {}, {} from airtable.{} where base_id = %s and table_id = %s and record_id = any(%s)"
        ).format(names(self._kind.key), sql.Identifier(self._kind.hash), sql.Identifier(self._kind.table))
        records = list({row.key[0] for row in batch})
        found = self._cur.execute(query, (self._scope.base_id, table_id, records)).fetchall()
        return {tuple(row[:-1]): row[-1] for row in found}

    def _copy(self, table: sql.Composable, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
        first = next(iterator := iter(rows), None)
        if first is None:
            return
        with self._cur.copy(sql.SQL("copy {} ({}) from stdin").format(table, names(columns))) as copy:
            for row in itertools.chain([first], iterator):
                copy.write_row(row)


def content_hash(value: Any) -> bytes:
    """SHA-256 of a value's JSON text, keys sorted."""
    return hashlib.sha256(_encode(value).encode()).digest()


def _digest(keys: pl.DataFrame) -> str:
    """The hash of ``raw_digest.sql``, of one key column and ``hash``."""
    ordered = keys.select("record_id", pl.col("hash").bin.encode("hex")).sort("record_id")
    lines: list[str] = ordered.select(pl.concat_str(pl.all(), separator=" ")).to_series().to_list()
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += row.size
        if len(batch) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
