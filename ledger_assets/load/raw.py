"""The raw records, comments and attachments of an export into schema airtable, page by page, keyed by
SHA-256.

What belongs here: what Airtable delivered, as delivered. What does not: target tables (``merge``).

Invariants: memory does not grow with the base; a record that is the same is not touched; nothing is deleted.
One pass over the export: each batch asks what is there, then COPYs new rows into the table and changed ones
beside.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from ledger_assets.load.merge import Scope
from ledger_assets.load.report import SAMPLE, CheckOutcome, TableCounts
from ledger_assets.load.sqlfiles import Cursor, names, statement
from ledger_assets.progress import report

BATCH_ROWS = 5_000
BATCH_BYTES = 16 * 1024 * 1024


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
        counts = self._counts.setdefault(table_id, {"staged": 0, "inserted": 0, "updated": 0})
        some = self._any_known(table_id)
        for batch in _batches(rows):
            known = self._known(table_id, batch) if some else {}
            self._copy(
                self._kind.keys,
                ("table_id", *self._kind.key, "hash"),
                ((table_id, *r.key, r.hash) for r in batch),
            )
            new = [r for r in batch if r.key not in known]
            changed = [r for r in batch if r.key in known and known[r.key] != r.hash]
            target = sql.Identifier("airtable", self._kind.table)
            self._write(
                target, (*self._stored, "first_export_id"), table_id, new, values, (self._scope.export_id,)
            )
            self._write(self._kind.stage, self._stored, table_id, changed, values, ())
            counts["staged"] += len(batch)
            counts["inserted"] += len(new)
            counts["updated"] += len(changed)
            report("load", label, counts["staged"], total)

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
        rows = self._cur.execute(query, {**self._scope.parameters, "sample": SAMPLE}).fetchall()
        wrong = {verdict: {"rows": count, "ids": ids} for verdict, count, ids in rows}
        staged = sum(c["staged"] for c in self._counts.values())
        return CheckOutcome(f"airtable.{kind.table}", "raw", not wrong, {"staged": staged, **wrong})

    def _marked(
        self, name: str, parts: dict[str, sql.Composable], in_scope: sql.Composable
    ) -> dict[str, int]:
        rows = self._cur.execute(
            statement(name, in_scope=in_scope, **parts), self._scope.parameters
        ).fetchall()
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

    def _write(
        self,
        table: sql.Composable,
        columns: tuple[str, ...],
        table_id: str,
        rows: list[Row],
        values: Any,
        last: tuple[str, ...],
    ) -> None:
        base, export = self._scope.base_id, self._scope.export_id
        self._copy(
            table, columns, ((base, table_id, *r.key, *values(r.source), r.hash, export, *last) for r in rows)
        )

    def _copy(self, table: sql.Composable, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
        first = next(iterator := iter(rows), None)
        if first is None:
            return
        with self._cur.copy(sql.SQL("copy {} ({}) from stdin").format(table, names(columns))) as copy:
            for row in itertools.chain([first], iterator):
                copy.write_row(row)


def content_hash(value: Any) -> bytes:
    """SHA-256 of a value's JSON text, keys sorted."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()


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
