"""A ledger as a whole: every field declared once, names resolved by id, the same in again gives the same
out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import polars as pl
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_assets.demo import schema
from ledger_assets.demo.model import Table, metadata, text
from ledger_assets.errors import SourceError, StoreError
from ledger_assets.extract.export import Export
from ledger_assets.extract.metadata import parse_metadata
from ledger_assets.ids import row_id
from ledger_assets.ledger.build import build_ledger
from ledger_assets.ledger.identity import row_ids, source_hashes
from ledger_assets.ledger.store import Ledger, latest_ledger, list_ledgers
from ledger_assets.storage import ObjectStore
from ledger_assets.tables import SPECS
from ledger_assets.tables.fields import SYSTEM_COLUMNS, Derived, Mapped, Rule

from .conftest import Build
from .exports import rec, write_export

PEOPLE: dict[str, dict[str, Any]] = {
    "a": {"Name": "A", "Tag": ["x", "y"], "Created At": "2025-01-02"},
    "b": {"Name": "B", "YJ": True},
}


def test_every_field_of_every_table_is_declared_exactly_once() -> None:
    """A field declared nowhere is how drift is noticed; one declared twice would be loaded twice."""
    declared = Counter((d.table, d.field) for spec in SPECS for d in spec.declares)
    assert [field for field, times in declared.items() if times > 1] == []
    assert set(declared) == {(table.name, field.name) for table in schema.TABLES for field in table.fields}


def test_what_a_declaration_refers_to_exists() -> None:
    """Links name a target table, references a mapping file's table, derived fields real fields."""
    tables = {table.name: table for table in schema.TABLES}
    targets = {spec.name for spec in SPECS}
    for spec in SPECS:
        assert {*spec.depends, *([spec.source] if spec.source else [])} <= set(tables)
        for declared in spec.declares:
            if isinstance(declared, Mapped):
                assert declared.references is None or declared.references in targets
                assert (declared.references is not None) == (
                    declared.rule in {Rule.REFERENCE, Rule.LINK, Rule.FILES}
                )
            elif isinstance(declared, Derived):
                if declared.via is not None:
                    via = tables[declared.table].field(declared.via)
                    assert declared.of is None or tables[str(via.to)].field(declared.of)
                if declared.of_table is not None:
                    assert tables[declared.of_table].field(str(declared.of)).to == declared.table


def test_every_ledger_column_is_a_column_of_the_database(conn: psycopg.Connection) -> None:
    """The load copies what a frame carries, and every other column must have a value of its own."""
    kept = {"export_id", "source_hash"}
    for spec in SPECS:
        rows = conn.execute(
            "select column_name, is_nullable = 'NO' and column_default is null from information_schema.columns "
            "where table_schema = 'public' and table_name = %s",
            (spec.name,),
        )
        there = dict(rows.fetchall())
        carried = set(spec.model().columns)
        assert carried <= set(there), spec.name
        assert {name for name, needed in there.items() if needed} <= carried | kept, spec.name


def test_the_same_export_gives_the_same_ledger(store: ObjectStore) -> None:
    export = write_export(
        store, {"Storytellers": PEOPLE, "Stories": {"s": {"Title": "T", "Storytellers": [rec("a")]}}}
    )
    one, two = (build_ledger(store, export, specs=SPECS) for _ in range(2))
    assert one.tables == two.tables
    assert one.ledger_id != two.ledger_id
    frames = [[Ledger(store, m.ledger_id).frame(spec.name) for spec in SPECS] for m in (one, two)]
    assert all(a.equals(b) for a, b in zip(*frames, strict=True))


def test_a_hash_changes_when_its_row_changes_and_only_then(build: Build) -> None:
    def hashes(people: dict[str, dict[str, Any]]) -> dict[str, bytes]:
        rows = build({"Storytellers": people}).rows("storytellers")
        return dict(rows.select("airtable_record_id", "source_hash").iter_rows())

    before = hashes(PEOPLE)
    after = hashes({**PEOPLE, "a": {**PEOPLE["a"], "Tag": ["x,y"]}})
    assert before[rec("b")] == after[rec("b")], "another export of the same record"
    assert before[rec("a")] != after[rec("a")]
    assert all(len(value) == 32 for value in before.values())


@given(
    st.lists(
        st.tuples(st.none() | st.text(max_size=3), st.none() | st.lists(st.text(max_size=2), max_size=3))
    )
)
def test_hashes_are_equal_only_for_equal_rows(values: list[tuple[str | None, list[str] | None]]) -> None:
    """Lengths keep ("a", "b") and ("ab", "") apart, whatever the texts hold."""
    frame = pl.DataFrame(values, schema={"x": pl.String, "y": pl.List(pl.String)}, orient="row")
    hashes = source_hashes(frame).to_list()
    for one, its in zip(values, hashes, strict=True):
        for other, others in zip(values, hashes, strict=True):
            assert (one == other) == (its == others)


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), min_size=1), min_size=1))
def test_a_whole_column_of_ids_is_what_each_record_gets(names: list[str]) -> None:
    made = row_ids("appX", "tblY", pl.DataFrame({"record": names}))
    assert made.to_list() == [row_id("appX", "tblY", name) for name in names]


def test_records_ids_follow_from_their_airtable_identity(build: Build) -> None:
    rows = build({"Storytellers": PEOPLE}).rows("storytellers")
    base, table = rows["airtable_base_id"][0], schema.STORYTELLERS.id
    assert rows["id"].to_list() == [row_id(base, table, rec("a")), row_id(base, table, rec("b"))]
    assert rows.columns[: len(SYSTEM_COLUMNS)] == list(SYSTEM_COLUMNS)


def test_a_renamed_field_is_read_on_by_its_pinned_id(store: ObjectStore) -> None:
    """A rename in Airtable is drift to be reported, not an empty column."""
    document = metadata(schema.TABLES)
    pinned = parse_metadata("appLedgerSynthetic", json.dumps(document))
    export = write_export(store, {"Storytellers": PEOPLE})
    folder = f"exports/{export.export_id}"
    renamed = store.get(f"{folder}/metadata.json").replace(b'"Name"', b'"Full name"')
    renamed = renamed.replace(b'"Storytellers"', b'"People"')
    store.put(f"{folder}/metadata.json", renamed)
    changed = replace(export.manifest, metadata_sha256=hashlib.sha256(renamed).hexdigest())
    store.put(f"{folder}/MANIFEST.json", changed.to_json())
    export = Export(store, export.export_id)
    manifest = build_ledger(store, export, specs=SPECS, pinned=pinned)
    assert Ledger(store, manifest.ledger_id).frame("storytellers")["name"].to_list() == ["A", "B"]


def test_a_declared_field_that_the_base_lacks_stops_the_ledger_with_its_name(store: ObjectStore) -> None:
    smaller = Table("Themes", tuple(f for f in schema.THEMES.fields if f.name != "Description"))
    tables = [smaller if t.name == "Themes" else t for t in schema.TABLES]
    export = write_export(store, {}, tables=tables)
    with pytest.raises(SourceError, match="table Themes has no field Description"):
        build_ledger(store, export, specs=SPECS)
    assert list_ledgers(store) == []


def test_fields_that_no_module_knows_disturb_nothing(store: ObjectStore) -> None:
    """Two names that fold alike (L7) and a type of tomorrow: the raw records keep them, the check reports
    them."""
    more = (text("Linked Items"), text("# linked items"), text("New", kind="typeOfTomorrow"))
    wider = Table("Themes", (*schema.THEMES.fields, *more))
    export = write_export(
        store,
        {"Themes": {"t": {"Theme Name": "N", "Linked Items": "a", "# linked items": "b", "New": {"x": 1}}}},
        tables=[wider if t.name == "Themes" else t for t in schema.TABLES],
    )
    manifest = build_ledger(store, export, specs=SPECS)
    assert Ledger(store, manifest.ledger_id).frame("themes")["name"].to_list() == ["N"]


def test_a_ledger_without_a_manifest_is_none(store: ObjectStore, build: Build) -> None:
    """A build that was killed leaves files and no manifest: nobody loads it."""
    built = build({"Storytellers": PEOPLE})
    store.delete(f"ledger/{built.manifest.ledger_id}/MANIFEST.json")
    assert list_ledgers(store) == []
    with pytest.raises(StoreError, match="there is no complete ledger"):
        latest_ledger(store)
    with pytest.raises(StoreError, match="is not complete"):
        Ledger(store, built.manifest.ledger_id)


def test_the_manifest_read_back_is_the_manifest_written(build: Build, store: ObjectStore) -> None:
    built = build({"Storytellers": {**PEOPLE, "c": {"Bio": "nameless"}, "d": {}}})
    assert latest_ledger(store).manifest == built.manifest
    table = built.manifest.table("storytellers")
    assert (table.records, table.rows, table.quarantined, table.skipped) == (4, 2, 1, 1)


def test_many_pages_and_chunks_are_one_table(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger_assets.ledger.source.CHUNK", 7)
    themes = {
        f"t{i}": {"Theme Name": f"theme {i}"} | ({"Description": 5} if i == 40 else {}) for i in range(60)
    }
    manifest = build_ledger(store, write_export(store, {"Themes": themes}, page=5), specs=SPECS)
    ledger = Ledger(store, manifest.ledger_id)
    assert ledger.frame("themes")["name"].to_list() == [f"theme {i}" for i in range(60)]
    assert ledger.quarantined["record_id"].to_list() == [rec("t40")]
