"""The exact text of records, whatever JSON allows."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger_assets.errors import StoreError
from ledger_assets.extract.digest import digest
from ledger_assets.extract.export import pack, page_key, unpack
from ledger_assets.extract.slices import BadBody, comment_page, parse, record, record_page
from ledger_assets.storage import ObjectStore

SPACE = st.text(alphabet=" \t\r\n", max_size=3)
ODD_STRINGS = st.sampled_from(
    [
        r'"\u0000"',
        r'"\ud800"',
        r'"\udc00\ud800"',
        r'"\/\u00e9\b\f"',
        '"\u2028\u2029\x7f"',
        r'"\"]}\\"',
        '""',
        '"é🙂"',
    ]
)
NUMBERS = st.sampled_from(["1e400", "-0.0", "1E+2", "1.0", "9007199254740993", "0.1", "9" * 5000, "-1e-999"])
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)
STRINGS = ODD_STRINGS | TEXT.map(json.dumps) | TEXT.map(lambda text: json.dumps(text, ensure_ascii=False))
SCALARS = STRINGS | NUMBERS | st.sampled_from(["true", "null"])
# The machine that runs this may be busy: no test of ours is about time.
patient = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def json_texts(draw: st.DrawFn, depth: int = 2) -> str:
    """A JSON text with white space anywhere, duplicate keys and odd escapes."""
    space = lambda: draw(SPACE)  # noqa: E731 - drawn anew at each place
    kind = draw(st.sampled_from(["scalar", "list", "object"])) if depth else "scalar"
    if kind == "scalar":
        return draw(SCALARS)
    items = draw(st.lists(json_texts(depth - 1), max_size=3))
    if kind == "list":
        return (
            "["
            + ",".join(f"{space()}{item}{space()}" for item in items)
            + (space() if not items else "")
            + "]"
        )
    keys = draw(
        st.lists(st.sampled_from(['"a"', '"a"', r'"\u0061"', '""', r'"\u0000"']), min_size=3, max_size=3)
    )
    pairs = (
        f"{space()}{key}{space()}:{space()}{item}{space()}" for key, item in zip(keys, items, strict=False)
    )
    return "{" + ",".join(pairs) + "}"


@st.composite
def record_texts(draw: st.DrawFn) -> str:
    parts = [
        f'"id"{draw(SPACE)}:{draw(SPACE)}"rec{draw(st.integers(0, 9999)):014d}"',
        '"createdTime":"2025-01-01T00:00:00.000Z"',
        f'"fields":{draw(SPACE)}{{"fldA":{draw(json_texts())}}}',
        f'"commentCount":{draw(st.integers(0, 3))}',
    ]
    parts = draw(st.permutations(parts))
    return "{" + ",".join(f"{draw(SPACE)}{part}{draw(SPACE)}" for part in parts) + "}"


@patient
@given(st.lists(record_texts(), max_size=5), SPACE, SPACE, st.booleans())
def test_every_record_is_cut_out_byte_for_byte(texts: list[str], a: str, b: str, offset_first: bool) -> None:
    """Parsed JSON has lost 1e400, duplicate keys, order, spaces and escapes; the proof needs what was
    delivered.
    """
    records = f'"records"{a}:{b}[' + ",".join(f"{a}{text}{b}" for text in texts) + f"{a}]"
    offset = f'"offset"{b}:"itr1/rec1"'
    body = f"{a}{{{b}" + ",".join([offset, records] if offset_first else [records, offset]) + f"{a}}}{b}"
    page = record_page(body)
    assert [one.raw for one in page.records] == texts
    assert page.offset == "itr1/rec1"


@patient
@given(st.lists(record_texts(), max_size=5))
def test_what_is_packed_comes_out_byte_for_byte(texts: list[str]) -> None:
    """Line feeds between JSON's tokens must not be taken for the end of a record."""
    assert list(unpack(pack(texts))) == texts


@patient
@given(st.lists(record_texts(), min_size=1, max_size=3), st.data())
def test_a_body_cut_off_anywhere_is_refused_whole(texts: list[str], data: st.DataObject) -> None:
    """Half a page must never count as a page: the rest would be lost without a word."""
    body = '{"records":[' + ",".join(texts) + '],"offset":"itr1/rec1"}'
    end = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(BadBody):
        record_page(body[:end])


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        "null",
        "<html>busy</html>",
        '{"records":null}',
        '{"records":{}}',
        '{"records":[1]}',
        '{"records":[],"records":[]}',
        '{"records":[{}]}',
        '{"records":[{"id":7,"createdTime":"x","fields":{}}]}',
        '{"records":[{"id":"rec1/../x","createdTime":"x","fields":{}}]}',
        '{"records":[{"id":"rec1","createdTime":"x"}]}',
        '{"records":[{"id":"rec1","createdTime":"x","fields":[]}]}',
        '{"records":[{"id":"rec1","createdTime":"x","fields":{}},]}',
        '{"records":[{"id":"rec1","createdTime":"x","fields":{"a":NaN}}]}',
        '{"records":[{"id":"rec1","createdTime":"x","fields":{},"commentCount":"many"}]}',
        '{"records":[],}',
        '{"records":[],"offset":7}',
        '{"records":[],"offset":""}',
        '{"records":[]} {"records":[]}',
        '{"records":[' + "[" * 100_000 + "]}",
    ],
)
def test_a_body_of_another_structure_is_refused(body: str) -> None:
    with pytest.raises(BadBody):
        record_page(body)


def test_comments_are_cut_out_byte_for_byte() -> None:
    page = comment_page('{"comments": [ {"id":"com1", "text":"\\u0000"} ,{}],"offset":null}')
    assert page.comments == ('{"id":"com1", "text":"\\u0000"}', "{}")
    assert page.offset is None


def test_numbers_that_python_refuses_are_read() -> None:
    """int() refuses more than 4,300 digits: one such cell must not stop an export."""
    assert parse('{"a":' + "9" * 5000 + "}") == {"a": "9" * 5000}
    assert record('{"id":"rec1","createdTime":"x","fields":{"a":1e400}}').id == "rec1"


def test_the_hashes_are_of_each_record_once_in_id_order(store: ObjectStore) -> None:
    texts = {
        f"rec{n:03d}": f'{{"id":"rec{n:03d}","createdTime":"x","fields":{{"n":{n}}}}}' for n in range(50)
    }
    ids = sorted(texts, key=lambda i: hashlib.md5(i.encode(), usedforsecurity=False).digest())
    pages = [ids[:20], ids[20:], ids[:5]]
    for number, page in enumerate(pages):
        shown = [texts[i] if number < 2 else texts[i].replace("fields", "later") for i in page]
        store.put(page_key("e", "tbl1", number), pack(shown))
    found = digest(store, "e", "tbl1", pages)
    lines = [f"{i} {hashlib.sha256(texts[i].encode()).hexdigest()}\n" for i in sorted(texts)]
    content = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert (found.records, found.duplicates, found.content_sha256) == (50, 5, content)
    assert found.ids_sha256 == hashlib.sha256("".join(f"{i}\n" for i in sorted(texts)).encode()).hexdigest()


def test_a_page_that_lost_a_record_in_the_store_is_noticed(store: ObjectStore) -> None:
    store.put(page_key("e", "tbl1", 0), pack(["{}"]))
    with pytest.raises(StoreError, match="page 0 of table tbl1"):
        digest(store, "e", "tbl1", [["rec1", "rec2"]])
