"""A fingerprint is of the content alone: not of its order, its columns' order or the session; and of all of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import sql

from ledger_assets.backup.contents import (
    Contents,
    TableContents,
    fingerprint,
    fingerprint_query,
    fix_settings,
    read_contents,
    tables_of,
)
from ledger_assets.backup.fingerprints import fingerprints
from ledger_assets.errors import StoreError
from tests.backup.dumps import fill

DAMAGED = (b"", b"[]", b"{}", b"nothing", b'{"format": 1}', b"\xff", b"null")


def contents_of(conn: psycopg.Connection, table: str) -> TableContents:
    fix_settings(conn)
    (shape,) = [shape for shape in tables_of(conn, ["public"]) if shape.name == table]
    return fingerprint(conn, shape)


@pytest.fixture
def two(conn: psycopg.Connection) -> psycopg.Connection:
    """Two tables with the same columns in another order."""
    conn.execute(
        "create table public.a (x text, y numeric); create table public.b (y numeric, gone int, x text)"
    )
    conn.execute("alter table public.b drop column gone")
    return conn


VALUES = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=3))
ROWS = st.lists(st.tuples(VALUES, st.one_of(st.none(), st.integers(-3, 3))), max_size=6)


@given(ROWS, ROWS, st.randoms())
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_two_tables_are_equal_exactly_when_they_hold_the_same_rows_as_often(
    two: psycopg.Connection, first: list[tuple[object, ...]], second: list[tuple[object, ...]], random: object
) -> None:
    shuffled = list(first)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random
    assert _lanes(two, first) == _lanes(two, shuffled, table="b")
    same = sorted(map(repr, first)) == sorted(map(repr, second))
    assert (_lanes(two, first) == _lanes(two, second, table="b")) is same


def _lanes(
    conn: psycopg.Connection, rows: Sequence[tuple[object, ...]], *, table: str = "a"
) -> tuple[object, ...]:
    with conn.transaction(force_rollback=True):
        with conn.cursor() as cursor:
            cursor.executemany(f"insert into public.{table} (x, y) values (%s, %s)".encode(), rows)
        found = contents_of(conn, table)
        return found.columns, found.rows, found.lanes


def test_rows_that_differ_in_the_least_are_not_equal(two: psycopg.Connection) -> None:
    kinds: list[list[tuple[object, ...]]] = [
        [], [(None, None)], [("", None)], [(" ", None)], [("NULL", None)], [("a", 1)], [("a", "1.0")], [("a", "1.00")],
        [("a", "NaN")], [("á", 1)], [("a\u0301", 1)], [("A", 1)], [("a,1", None)], [("a", 1), ("a", 1)],
    ]  # fmt: skip
    assert len({repr(_lanes(two, rows)) for rows in kinds}) == len(kinds)


@pytest.mark.parametrize("part_bytes", [1, 8192, 30_000, 10**9])
def test_a_table_read_in_parts_on_two_connections_is_the_same_as_read_whole(
    conn: psycopg.Connection, database_url: str, part_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn.execute(
        "create table public.large as select n, repeat(md5(n::text), case n % 50 when 0 then 900 else 3 end) as words "
        "from generate_series(1, 3000) n; delete from public.large where n between 500 and 900; "
        "create table public.empty (n int); create table public.one as select 1 as n"
    )
    conn.commit()
    conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    fix_settings(conn)
    shapes = tables_of(conn, ["public"])
    whole = {shape.key: fingerprint(conn, shape) for shape in shapes}
    assert whole["public.large"].rows == 2599
    monkeypatch.setattr("ledger_assets.backup.fingerprints.PART_BYTES", part_bytes)
    with psycopg.connect(database_url) as beside, psycopg.connect(database_url, autocommit=True) as writer:
        writer.execute("insert into public.large values (0, 'later than the snapshot')")
        assert fingerprints(conn, shapes, beside=[beside]) == whole
        assert fingerprints(conn, shapes) == whole
        assert beside.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_each_rows_md5_is_computed_once(conn: psycopg.Connection) -> None:
    """Twice was half of a verification's comparison: 8 s of processor time per GB."""
    (shape,) = [shape for shape in tables_of(conn, ["public"]) if shape.name == "stories"]
    query = fingerprint_query(shape.schema, shape.name, shape.columns)
    plan = conn.execute(sql.SQL("explain (verbose) ") + query).fetchall()
    # Pulled up, the scan gives the columns and each half of the md5 is of its own making.
    assert [line for (line,) in plan if line.strip().startswith("Output: md5(")]


def test_the_sessions_settings_make_no_difference(conn: psycopg.Connection) -> None:
    conn.execute(
        "create table public.a as select 0.1::float8 + 0.2 as f, now() as t, '1 day 2 hours'::interval as i, "
        "'\\x00ff'::bytea as b, '12.50'::money as m, '2026-11-22'::date as d, 'public.stories'::regclass as r"
    )
    conn.commit()
    expected = contents_of(conn, "a")
    conn.rollback()
    for setting in (
        "extra_float_digits = 0", "timezone = 'Australia/Darwin'", "intervalstyle = 'iso_8601'", "bytea_output = 'escape'",
        "datestyle = 'German'", "search_path = public",
    ):  # fmt: skip
        conn.execute(f"set {setting}".encode())
    assert contents_of(conn, "a") == expected


def test_partitions_are_counted_once_and_generated_columns_not_at_all(conn: psycopg.Connection) -> None:
    conn.execute(
        "create table public.p (n int, twice int generated always as (n * 2) stored) partition by list (n); "
        "create table public.p1 partition of public.p for values in (1); "
        "create table public.q (n int); create table public.q1 () inherits (public.q); create table public.nothing (); "
        "insert into public.p values (1), (1); insert into public.q values (1); insert into public.q1 values (2), (3); "
        "insert into public.nothing default values"
    )
    conn.commit()
    tables = read_contents(conn, ["public"]).tables
    assert "public.p" not in tables
    assert (tables["public.p1"].rows, tables["public.p1"].columns) == (2, ("n",))
    assert (tables["public.q"].rows, tables["public.q1"].rows) == (1, 2)
    assert (tables["public.nothing"].rows, tables["public.nothing"].columns) == (1, ())


def test_contents_come_back_from_their_json_and_hold_no_cell(database_url: str, tmp_path: Path) -> None:
    fill(database_url, tmp_path)
    with psycopg.connect(database_url) as conn:
        (title,) = conn.execute("select title from public.stories where length(title) > 8").fetchone() or (
            "",
        )
        contents = read_contents(conn, ["public", "audit", "migration", "private", "airtable"])
    text = contents.to_json()
    assert Contents.from_json(text) == contents
    assert Contents.from_json(text).to_json() == text
    assert title
    assert title.encode() not in text
    assert contents.rows == sum(table.rows for table in contents.tables.values()) > 500
    assert contents.major == 18
    assert len(contents.migrations) >= 13


@pytest.mark.parametrize("data", DAMAGED)
def test_what_is_no_contents_is_refused(data: bytes) -> None:
    with pytest.raises(StoreError, match="damaged"):
        Contents.from_json(data)


def test_a_newer_format_is_told_apart_from_damage(conn: psycopg.Connection) -> None:
    document = json.loads(read_contents(conn, ["public"]).to_json())
    with pytest.raises(StoreError, match="format 2"):
        Contents.from_json(json.dumps({**document, "format": 2}).encode())
