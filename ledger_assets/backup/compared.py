"""A restored database compared with what the snapshot says it held.

What belongs here: what must be equal, what cannot be, and one line for each difference. What does not: restoring
(``restored``), the live schema against the migrations (``schema.verify``).

Invariants: every table's content is compared; a foreign key counts as kept only when no row lacks its target, because
``convalidated`` stays true for rows that were loaded past it (measured); lines name tables and objects, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

import psycopg

from ledger_assets.backup.contents import (
    Contents,
    SequenceContents,
    TableContents,
    fix_settings,
    read_sequences,
    tables_of,
)
from ledger_assets.backup.fingerprints import fingerprints
from ledger_assets.backup.outside import ForeignKey, foreign_keys
from ledger_assets.load.connect import connect
from ledger_assets.load.sqlfiles import plain_errors
from ledger_assets.schema.catalogue import Item, fetch, items
from ledger_assets.schema.compare import Difference, differences

_NOT_DUMPED = frozenset({"publication", "event trigger"})
"""Of the whole database: a dump of schemas leaves them out."""
_WITH_EXPRESSIONS = frozenset({"query", "column", "constraint", "index", "policy", "trigger"})
_CAST = re.compile(
    r"::(?:character varying|timestamp with(?:out)? time zone|time with(?:out)? time zone|double precision|bit varying"
    r'|"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?(?:\(\d+(?:,\d+)?\))?(?:\[\])*'
)


def compare(expected: Contents, url: str, *, tables: Collection[str] | None = None) -> list[str]:
    """What differs, one line each; none: equal. ``tables``: the content of these only, and nothing else."""
    with (
        plain_errors("the comparison", undone="nothing was verified"),
        connect(
            url, application_name="ledger:compare", setting="the scratch database's address"
        ) as connection,
        # Most of the time goes into md5s, each of which keeps one processor busy.
        connect(url, application_name="ledger:compare", setting="the scratch database's address") as beside,
    ):
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction(force_rollback=True):
            fix_settings(connection)
            lines = list(_rows(connection, beside, expected, tables))
            if tables is None:
                lines += _sequences(connection, expected)
                lines += _orphans(connection, expected)
                lines += _objects(connection, expected)
        return lines


def _rows(
    connection: psycopg.Connection,
    beside: psycopg.Connection,
    expected: Contents,
    tables: Collection[str] | None,
) -> Iterator[str]:
    there = {shape.key: shape for shape in tables_of(connection, expected.schemas)}
    wanted = {key: table for key, table in expected.tables.items() if tables is None or key in tables}
    alike = [
        there[key] for key, table in wanted.items() if key in there and there[key].columns == table.columns
    ]
    found = fingerprints(connection, alike, beside=[beside])
    for key, table in wanted.items():
        if key not in there:
            yield f"table {key}: expected {table.rows} rows; found no such table"
        elif there[key].columns != table.columns:
            names = sorted(set(there[key].columns) ^ set(table.columns))
            yield f"table {key}: has other columns ({', '.join(names)}), its content cannot be compared"
        else:
            yield from _content(key, table, found[key])
    for key in sorted(there.keys() - expected.tables.keys()):
        yield f"table {key}: expected nothing; found a table"


def _content(key: str, expected: TableContents, found: TableContents) -> Iterator[str]:
    if expected.rows != found.rows:
        yield f"table {key}: expected {expected.rows} rows; found {found.rows}"
    elif expected.lanes != found.lanes:
        yield f"table {key}: its {found.rows} rows are as many, their content is not the same"


def _sequences(connection: psycopg.Connection, expected: Contents) -> Iterator[str]:
    found = read_sequences(connection, expected.schemas)
    for name, value in expected.sequences.items():
        if name not in found:
            yield f"sequence {name}: expected at {value.high[0]}; found nothing"
        elif not _between(found[name], value):
            yield f"sequence {name}: expected at {_told(value)}; found {found[name][0]}"


def _between(found: tuple[int, bool], expected: SequenceContents) -> bool:
    """Exact where it stood still during the dump."""
    if expected.low == expected.high:
        return found == expected.low
    return min(expected.low[0], expected.high[0]) <= found[0] <= max(expected.low[0], expected.high[0])


def _told(value: SequenceContents) -> str:
    low, high = value.low[0], value.high[0]
    return str(low) if low == high else f"{low} to {high}"


def _orphans(connection: psycopg.Connection, expected: Contents) -> Iterator[str]:
    for key in foreign_keys(connection, {"schemas": list(expected.schemas)}):
        row = connection.execute(_anti_join(key).encode()).fetchone()
        if row is not None and row[0]:
            yield f"foreign key {key.name} of {key.table}: {row[0]} rows refer to nothing in {key.target}"


def _anti_join(key: ForeignKey) -> str:
    filled = " and ".join(f"c.{column} is not null" for column in key.columns)
    same = " and ".join(f"p.{a} = c.{b}" for a, b in zip(key.target_columns, key.columns, strict=True))
    return (
        f"select count(*) from {key.table} c where {filled} "  # noqa: S608 - names quoted by Postgres itself
        f"and not exists (select from {key.target} p where {same})"
    )


def _objects(connection: psycopg.Connection, expected: Contents) -> Iterator[str]:
    found = tuple(items(fetch(connection, "catalogue", {"schemas": list(expected.schemas)})))
    row = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    owners = row is not None and bool(row[0])
    same_major = connection.info.server_version // 10000 == expected.major
    before = _comparable(expected.catalogue, owners=owners, queries=same_major)
    after = _comparable(found, owners=owners, queries=same_major)
    for difference in differences(before, after):
        # A table that is missing or extra is told with its rows.
        one_sided = difference.expected is None or difference.found is None
        if not (difference.kind == "table" and one_sided) and not _written_again(difference):
            yield difference.line


def _written_again(difference: Difference) -> bool:
    """Is it one expression, read and written once more? Postgres then writes ``((a OR b) OR c)`` as ``(a OR b OR c)`` and
    moves casts into arrays (``IN`` over varchar), on every restore: the rest of the text must be the same."""
    if difference.kind not in _WITH_EXPRESSIONS or difference.expected is None or difference.found is None:
        return False
    expected, found = (
        re.sub(r"[\s()]", "", _CAST.sub("", text)) for text in (difference.expected, difference.found)
    )
    return expected == found


def _comparable(catalogue: Iterable[Item], *, owners: bool, queries: bool) -> Iterator[Item]:
    """Without what a dump of schemas cannot hold: parts on the platform's tables, default privileges of the whole
    database, publications; without owners where everything was restored as one role; without the queries of views
    where another version writes them otherwise."""
    for item in catalogue:
        if item.kind in _NOT_DUMPED or (item.kind == "query" and not queries):
            continue
        if item.kind in {"trigger", "policy"} and item.parent is None:
            continue
        if item.kind == "default privileges" and (" in schema " not in item.name or not owners):
            continue
        yield item if owners else replace(item, definition=re.sub(r"^owner \S+", "owner", item.definition))
