"""Raw records are kept exactly, also those that JSON allows and jsonb does not."""

from __future__ import annotations

import json
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from load_world import JANUARY, WORKS, World, run

from ledger_assets.load.jsontext import fields_json, fits_numeric

ODD = {
    "recNul": r'{"id":"recNul","createdTime":"T","fields":{"fldA":"a\u0000b","fldB":"fine"}}',
    "recHalf": r'{"id":"recHalf","createdTime":"T","fields":{"fldA":["x","\ud800"],"fldB":"\ud83d\ude00 \\u0000 \u00e9"}}',
    "recHuge": r'{"id":"recHuge","createdTime":"T","fields":{"fldA":1e200000,"fldB":1e400,"fldC":[1e-20000]}}',
    "recKey": r'{"id":"recKey","createdTime":"T","fields":{"fldA":{"k\u0000":1},"fldB":1.0}}',
    "recTwice": '{"id":"recTwice","createdTime":"T", "fields" : {"fldA":1,"fldA":2,"fldB":9007199254740993}}',
}
LOSSY = {
    "recNul": ["fldA"],
    "recHalf": ["fldA"],
    "recHuge": ["fldA", "fldC"],
    "recKey": ["fldA"],
    "recTwice": [],
}


@pytest.fixture
def odd(world: World) -> World:
    for record, text in ODD.items():
        world.work(record, "odd")
        world.raw[record] = text.replace('"T"', f'"{JANUARY}"')
    return world


def test_odd_records_are_kept_exactly_and_named_as_lossy(db: psycopg.Connection, odd: World) -> None:
    assert run(db, odd).committed
    with db.transaction():
        rows = db.execute(
            "select record_id, raw, lossy from airtable.records where record_id = any(%s)", (list(ODD),)
        )
        kept = {record: (raw, lossy) for record, raw, lossy in rows}
    assert kept == {record: (odd.raw[record], LOSSY[record]) for record in ODD}


def test_what_jsonb_can_hold_of_them_is_there_for_queries(db: psycopg.Connection, odd: World) -> None:
    run(db, odd)
    with db.transaction():
        fields = dict(
            db.execute(
                "select record_id, fields from airtable.records where record_id like 'rec_____%'"
            ).fetchall()
        )
        fields |= dict(db.execute("select record_id, fields from airtable.records").fetchall())
    assert fields["recNul"] == {"fldA": "a�b", "fldB": "fine"}
    assert fields["recHalf"] == {"fldA": ["x", "�"], "fldB": "😀 \\u0000 é"}
    assert fields["recHuge"]["fldA"] is None
    assert fields["recKey"]["fldA"] == {"k�": 1}


def test_an_odd_record_that_stays_is_not_written_again_and_one_that_changes_is(
    db: psycopg.Connection, odd: World
) -> None:
    run(db, odd)
    assert run(db, odd).written == 0
    odd.raw["recNul"] = odd.raw["recNul"].replace("fine", "finer")
    assert run(db, odd).raw[WORKS].updated == 1


@pytest.mark.parametrize(
    ("number", "fits"),
    [
        ("1e131071", True),
        ("1e131072", False),
        ("1e-16383", True),
        ("1e-16384", False),
        ("-0.0", True),
        ("9" * 5000, True),
    ],
)
def test_the_limits_of_numeric_are_those_of_postgres(
    conn: psycopg.Connection, number: str, fits: bool
) -> None:
    assert fits_numeric(number) == fits
    try:
        with conn.transaction():
            conn.execute("select %s::jsonb", (number,))
    except psycopg.Error:
        assert not fits
    else:
        assert fits


hard_text = st.text(st.sampled_from('a"\\u0d8cf\n\x00é😀/') | st.characters(), max_size=12)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
cells = st.recursive(
    st.none() | st.booleans() | numbers | hard_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hard_text, inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    fields=st.dictionaries(hard_text, cells, max_size=4),
    ascii_only=st.booleans(),
    head=st.sampled_from([{}, {"createdTime": "t"}, {"createdTime": "t", "commentCount": 3}]),
    tail=st.sampled_from([{}, {"commentCount": 3}, {"more": "\\u0000"}]),
)
def test_jsonb_accepts_what_is_made_for_it_whatever_the_record(
    conn: psycopg.Connection,
    fields: dict[str, object],
    ascii_only: bool,
    head: dict[str, object],
    tail: dict[str, object],
) -> None:
    """And a field that is not named as lossy reads back as it was."""
    record = {"id": "rec", **head, "fields": fields, **tail}
    try:
        raw = json.dumps(record, ensure_ascii=ascii_only)
        raw.encode()
    except UnicodeEncodeError:
        raw = json.dumps(record)
    text, lossy = fields_json(raw)
    with conn.transaction():
        found = conn.execute("select %s::jsonb::text", (text,)).fetchone()
    assert found is not None
    if not lossy:
        exact = json.JSONDecoder(parse_int=Decimal, parse_float=Decimal)
        assert exact.decode(found[0]) == exact.decode(raw)["fields"]
