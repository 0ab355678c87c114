"""What must be left out, and nothing else: cut out of exact texts, by how far computed fields look."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyairtable
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_assets.demo.base import create_base
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.erasure.model import Erasure
from ledger_assets.extract.cut import cut
from ledger_assets.extract.leave_out import LeaveOut, furthest, near, reaches
from ledger_assets.extract.metadata import BaseMeta, parse_metadata
from ledger_assets.extract.slices import BadBody, RecordSlice
from ledger_assets.storage import ObjectStore
from tests.erasure.world import Steps, failed, holding

WORD = "zyzzyva"
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
spaces = st.sampled_from(("", " ", "\n", "\t "))


@st.composite
def cells(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A record's exact text, and the exact text of each cell."""
    made = draw(st.dictionaries(st.text(min_size=1, max_size=6), values, max_size=6))
    texts = {name: json.dumps(value, ensure_ascii=draw(st.booleans())) for name, value in made.items()}
    a, b, c = draw(spaces), draw(spaces), draw(spaces)
    body = f"{c},{a}".join(f"{json.dumps(name)}{b}:{a}{text}" for name, text in texts.items())
    return f'{{"id":"rec1",{a}"fields":{b}{{{a}{body}{c}}},"createdTime":"x",{c}"commentCount":1}}', texts


@given(cells(), st.data())
def test_what_is_kept_of_a_text_is_kept_to_the_character(
    made: tuple[str, dict[str, str]], data: st.DataObject
) -> None:
    raw, texts = made
    gone = data.draw(st.sets(st.sampled_from(sorted(texts)))) if texts else set()
    text, changed = cut(raw, lambda name, _: name not in gone)
    assert set(changed) == gone
    assert json.loads(text) == {
        **json.loads(raw),
        "fields": {name: value for name, value in json.loads(raw)["fields"].items() if name not in gone},
    }
    for name, exact in texts.items():
        assert name in gone or exact in text
    if not gone:
        assert text == raw


@pytest.mark.parametrize("raw", ["", "{}", '{"fields":{"a":1}', '{"fields":[]}', '{"fields":{"a" 1}}', "[1]"])
def test_a_text_that_is_no_record_is_refused(raw: str) -> None:
    with pytest.raises(BadBody):
        cut(raw, lambda _name, _value: False)


def base(*tables: tuple[str, list[dict[str, Any]]]) -> BaseMeta:
    return parse_metadata(
        "app1",
        json.dumps(
            {
                "tables": [
                    {"id": t, "name": t, "primaryFieldId": fields[0]["id"], "fields": fields}
                    for t, fields in tables
                ]
            }
        ),
    )


def a(field_id: str, kind: str = "singleLineText", **options: Any) -> dict[str, Any]:
    return {"id": field_id, "name": field_id, "type": kind, **({"options": options} if options else {})}


CHAIN = base(
    ("tblA", [a("aName"), a("aOwn", "formula", referencedFieldIds=["aName"])]),
    (
        "tblB",
        [
            a("bName"),
            a("bA", "multipleRecordLinks", linkedTableId="tblA"),
            a("bLook", "multipleLookupValues", recordLinkFieldId="bA", fieldIdInLinkedTable="aOwn"),
            a("bCount", "count", recordLinkFieldId="bA"),
            a("bShown", "formula", referencedFieldIds=["bA", "bName"]),
        ],
    ),
    (
        "tblC",
        [
            a("cTitle", "formula", referencedFieldIds=["cLook"]),
            a("cB", "multipleRecordLinks", linkedTableId="tblB"),
            a("cLook", "rollup", recordLinkFieldId="cB", fieldIdInLinkedTable="bLook"),
            a("cIds", "multipleLookupValues", recordLinkFieldId="cB", fieldIdInLinkedTable="bA"),
            a("cName", "lookup", recordLinkFieldId="cB", fieldIdInLinkedTable="bName"),
        ],
    ),
    (
        "tblD",
        [
            a("dName"),
            a("dC", "multipleRecordLinks", linkedTableId="tblC"),
            a("dTitle", "multipleLookupValues", recordLinkFieldId="dC", fieldIdInLinkedTable="cTitle"),
            a("dShown", "formula", referencedFieldIds=["dC"]),
            a("dBare", "multipleLookupValues"),
            a("dSay", "aiText"),
            a("dWhen", "createdTime"),
        ],
    ),
)


def test_how_far_a_field_looks_follows_from_what_it_is_computed_from() -> None:
    assert reaches(CHAIN) == {
        "bLook": 1, "bCount": 1, "bShown": 1, "cTitle": 2, "cLook": 2, "cIds": 2, "cName": 1,
        "dTitle": 3, "dShown": 3, "dBare": 2, "dSay": 2,
    }  # fmt: skip
    assert furthest(CHAIN) == 3


def test_fields_that_read_one_another_in_a_ring_are_no_endless_search() -> None:
    ring = base(
        ("tblA", [a("a", "formula", referencedFieldIds=["b"]), a("b", "formula", referencedFieldIds=["a"])])
    )
    assert set(reaches(ring).values()) == {2}


def record(record_id: str, **fields: Any) -> RecordSlice:
    raw = json.dumps({"id": record_id, "createdTime": "2025-01-01T00:00:00.000Z", "fields": fields})
    return RecordSlice(record_id, "2025-01-01T00:00:00.000Z", raw)


def test_by_links_away_and_how_far_a_field_looks_each_cell_goes_or_stays() -> None:
    records = {
        "tblA": [record("recA", aName=WORD, aOwn=WORD), record("recA2", aName="other", aOwn="other")],
        "tblB": [
            record("recB", bName="b", bA=["recA", "recA2"], bLook=[WORD, "other"], bCount=2, bShown=WORD)
        ],
        "tblC": [record("recC", cTitle=WORD, cB=["recB"], cLook=[WORD], cIds=["recA"], cName=["b"])],
        "tblD": [
            record(
                "recD",
                dName="d",
                dC=["recC"],
                dTitle=[WORD],
                dShown=WORD,
                dBare=["b"],
                dSay="s",
                dWhen="2025",
            ),
            record("recE", dName="e"),
        ],
    }
    links = {"recB": ["recA", "recA2"], "recC": ["recB"], "recD": ["recC"]}
    gone = {"tblA": frozenset({"recA"})}
    leave_out = LeaveOut(CHAIN, gone, near(links, ["recA"], furthest(CHAIN)))
    found = {}
    for table, given_records in records.items():
        kept, left = leave_out.page(table, given_records)
        assert left.records == gone.get(table, frozenset())
        for one in kept:
            found[one.id] = json.loads(one.raw)["fields"]
    assert found == {
        "recA2": {"aName": "other", "aOwn": "other"},
        "recB": {"bName": "b", "bA": ["recA2"]},
        "recC": {"cB": ["recB"], "cName": ["b"]},
        "recD": {"dName": "d", "dC": ["recC"], "dBare": ["b"], "dSay": "s", "dWhen": "2025"},
        "recE": {"dName": "e"},
    }


@pytest.fixture
def any_base(tmp_path: Path, conn: psycopg.Connection, store: ObjectStore) -> Iterator[Steps]:
    path = tmp_path / "any.sqlite"
    create_base(path, seed=5, scale=250, shape="any_base")
    with LocalAirtable(path, requests_per_second=100_000) as airtable:
        yield Steps(airtable, store, conn, tmp_path / "home", specs=())


@pytest.mark.parametrize("seed", range(3))
def test_of_a_base_of_any_shape_no_word_is_left_and_the_proof_holds(any_base: Steps, seed: int) -> None:
    airtable = any_base.airtable
    api = pyairtable.Api(airtable.api_key, endpoint_url=airtable.url, use_field_ids=True)
    chance = random.Random(seed)
    found = []
    for table in api.base(airtable.base_id).schema().tables:
        texts = [f.id for f in table.fields if f.type in {"singleLineText", "multilineText"}]
        records = api.table(airtable.base_id, table.id)
        for one in chance.sample(every := records.all(), min(2, len(every))):
            if texts:
                records.update(one["id"], dict.fromkeys(texts, WORD))
            found.append((airtable.base_id, table.id, one["id"]))
    before = any_base.export()
    assert holding(any_base.store) != []
    keys = {entry.key for entry in any_base.store.list("")}
    erasure = Erasure("r1", "storyteller", datetime(2026, 1, 1, tzinfo=UTC), records=tuple(found))
    _, proof = any_base.migrate((erasure,))
    assert failed(proof) == []
    assert [key for key in holding(any_base.store) if key not in keys] == []
    assert sum(one.erased for one in proof.records) == len(found)
    assert before.manifest.erasures == ()
