"""What a database holds, exactly and without its rows: counts, fingerprints, sequences, catalogue, what it leans on outside.

What belongs here: reading it, writing it as JSON. What does not: when it is read (``dump``), what it is compared with
(``restored``).

Invariants: a fingerprint does not depend on the order of rows nor on the version of Postgres, counts duplicates, and is
of the columns by name, so that a table whose columns stand in another order is equal; ``SETTINGS`` and the SQL files
are the format: changing them makes every stored fingerprint worthless. No cell's value is kept, but the ids of accounts
(``auth.users``) that rows refer to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg import sql

from ledger_assets.backup.outside import Outside, outside_from, read_outside
from ledger_assets.backup.queries import text
from ledger_assets.errors import StoreError
from ledger_assets.load.schema import recorded_versions
from ledger_assets.schema.catalogue import Item, fetch, items

FORMAT = 1
SETTINGS = (
    "set local search_path = pg_catalog",
    "set local row_security = off",
    "set local timezone = 'UTC'",
    "set local datestyle = 'ISO, YMD'",
    "set local intervalstyle = 'postgres'",
    # Postgres 12 and newer write floats exactly with 1 to 3; with 0 the fingerprint is another (measured).
    "set local extra_float_digits = 3",
    "set local bytea_output = 'hex'",
    "set local xmlbinary = 'base64'",
    "set local lc_monetary = 'C'",
    "set local statement_timeout = 0",
)


@dataclass(frozen=True)
class TableShape:
    """A table and the columns that its fingerprint is made of, sorted by name, without generated ones."""

    schema: str
    name: str
    key: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class TableContents:
    """Count and content of one table; ``lanes`` are two sums of half md5s, as text."""

    schema: str
    name: str
    columns: tuple[str, ...]
    rows: int
    lanes: tuple[str, str]


@dataclass(frozen=True)
class SequenceContents:
    """``(last_value, is_called)`` before the dump and after it: sequences know no snapshot."""

    low: tuple[int, bool]
    high: tuple[int, bool]


@dataclass(frozen=True)
class Contents:
    """A database in one snapshot. Tables and sequences by their names as SQL writes them: ``public.stories``."""

    server_version: int
    schemas: tuple[str, ...]
    tables: dict[str, TableContents]
    sequences: dict[str, SequenceContents]
    catalogue: tuple[Item, ...]
    migrations: tuple[str, ...]
    outside: Outside
    format: int = FORMAT

    @property
    def major(self) -> int:
        """Major version of the server that it was read from."""
        return self.server_version // 10000

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables.values())

    def to_json(self) -> bytes:
        """The same contents are the same bytes."""
        document = asdict(self)
        document["catalogue"] = [[i.kind, i.name, i.parent, i.definition] for i in self.catalogue]
        return json.dumps(document, ensure_ascii=False, sort_keys=True).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Contents:
        """Raises StoreError when it is none, or one of a newer version of this program."""
        try:
            document = json.loads(data)
            written = document["format"]
            read = _contents(document) if written == FORMAT else None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StoreError("contents.json of this snapshot is damaged: use another snapshot") from None
        if read is None:
            raise StoreError(
                f"contents.json of this snapshot has format {written}, this version of ledger-assets reads "
                f"{FORMAT}: use the version that took it, or a newer one"
            )
        return read


def read_contents(
    connection: psycopg.Connection, schemas: Sequence[str], *, between: Callable[[], None] = lambda: None
) -> Contents:
    """Read all of it in the caller's transaction (REPEATABLE READ, so that all is of one moment).

    ``between`` is called after every table: a place to stop early.
    """
    fix_settings(connection)
    parameters: dict[str, object] = {"schemas": list(schemas)}
    tables = {}
    for shape in tables_of(connection, schemas):
        tables[shape.key] = fingerprint(connection, shape)
        between()
    sequences = read_sequences(connection, schemas)
    return Contents(
        server_version=connection.info.server_version,
        schemas=tuple(schemas),
        tables=tables,
        sequences={name: SequenceContents(value, value) for name, value in sequences.items()},
        catalogue=tuple(items(fetch(connection, "catalogue", parameters))),
        migrations=tuple(recorded_versions(connection)),
        outside=read_outside(connection, parameters),
    )


def fix_settings(connection: psycopg.Connection) -> None:
    """Make the settings that fingerprints depend on, for the rest of the transaction."""
    for setting in SETTINGS:
        connection.execute(setting)


def tables_of(connection: psycopg.Connection, schemas: Sequence[str]) -> list[TableShape]:
    """The tables that hold rows of their own."""
    rows = connection.execute(text("tables"), {"schemas": list(schemas)})
    return [TableShape(schema, name, key, tuple(columns)) for schema, name, key, columns in rows]


def fingerprint(
    connection: psycopg.Connection, shape: TableShape, *, pages: tuple[int, int | None] = (0, None)
) -> TableContents:
    """Count and content of one table, or of the rows in its ``pages`` (the end is not among them); after
    :func:`fix_settings`."""
    row = connection.execute(
        fingerprint_query(shape.schema, shape.name, shape.columns, pages=pages)
    ).fetchone()
    assert row is not None
    return TableContents(shape.schema, shape.name, shape.columns, row[0], (row[1], row[2]))


def fingerprint_query(
    schema: str, name: str, columns: Sequence[str], *, pages: tuple[int, int | None] = (0, None)
) -> sql.Composed:
    """The query that answers count and both lanes."""
    start, end = pages
    conditions = [
        *([sql.SQL("ctid >= {}").format(sql.Literal(f"({start},0)"))] if start else []),
        *([sql.SQL("ctid < {}").format(sql.Literal(f"({end},0)"))] if end is not None else []),
    ]
    return sql.SQL(text("fingerprint")).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        table=sql.Identifier(schema, name),
        part=sql.SQL(" where ") + sql.SQL(" and ").join(conditions) if conditions else sql.SQL(""),
    )


def read_sequences(connection: psycopg.Connection, schemas: Sequence[str]) -> dict[str, tuple[int, bool]]:
    """Where each sequence stands now, whatever the snapshot."""
    found = connection.execute(text("sequences"), {"schemas": list(schemas)}).fetchall()
    return {key: _one(connection, sql.Identifier(schema, name)) for key, schema, name in found}


def _one(connection: psycopg.Connection, sequence: sql.Identifier) -> tuple[int, bool]:
    row = connection.execute(sql.SQL("select last_value, is_called from {}").format(sequence)).fetchone()
    assert row is not None
    return row[0], row[1]


def _contents(document: dict[str, Any]) -> Contents:
    return Contents(
        server_version=document["server_version"],
        schemas=tuple(document["schemas"]),
        tables={
            key: TableContents(t["schema"], t["name"], tuple(t["columns"]), t["rows"], tuple(t["lanes"]))
            for key, t in document["tables"].items()
        },
        sequences={
            key: SequenceContents(tuple(s["low"]), tuple(s["high"]))
            for key, s in document["sequences"].items()
        },
        catalogue=tuple(Item(*row) for row in document["catalogue"]),
        migrations=tuple(document["migrations"]),
        outside=outside_from(document["outside"]),
    )
