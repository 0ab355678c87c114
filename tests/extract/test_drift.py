"""Drift against the table modules and the pinned metadata, and the pinned file itself."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from ledger_assets import tables
from ledger_assets.errors import SettingsError
from ledger_assets.extract import pinned
from ledger_assets.extract.metadata import BaseMeta, parse_metadata
from ledger_assets.extract.schema_check import Drift, DriftKind, undeclared
from ledger_assets.tables import raw_only
from ledger_assets.tables.fields import Mapped, RawOnly, TableSpec, whole_table

BASE = "appScripted0000001"


def metadata(**changes: Any) -> dict[str, Any]:
    """A base of two tables; ``changes`` replace fields of Stories by id, None takes one away."""
    fields: dict[str, Any] = {
        "fldTitle": {"id": "fldTitle", "name": "Title", "type": "singleLineText"},
        "fldRoll": {
            "id": "fldRoll",
            "name": "Sum",
            "type": "rollup",
            "options": {"result": {"type": "number"}},
        },
        "fldLink": {
            "id": "fldLink",
            "name": "By",
            "type": "multipleRecordLinks",
            "options": {"linkedTableId": "tblP"},
        },
    }
    fields.update(changes)
    people = [{"id": "fldName", "name": "Name", "type": "singleLineText"}]
    return {
        "tables": [
            {
                "id": "tblS",
                "name": "Stories",
                "primaryFieldId": "fldTitle",
                "fields": [f for f in fields.values() if f],
            },
            {"id": "tblP", "name": "People", "primaryFieldId": "fldName", "fields": people},
        ]
    }


def meta(document: dict[str, Any] | None = None) -> BaseMeta:
    return parse_metadata(BASE, json.dumps(document or metadata()))


SPECS = (
    TableSpec(
        name="stories",
        source="Stories",
        model=cast(Any, None),
        declares=(
            Mapped("Stories", "Title", "title"),
            RawOnly("Stories", "Sum", "a test"),
            RawOnly("Stories", "By", "a test"),
            RawOnly("People", "Name", "a test"),
        ),
        transform=cast(Any, None),
    ),
)


def kinds(drifts: list[Drift]) -> list[tuple[DriftKind, str, str | None]]:
    return [(drift.kind, drift.table, drift.field) for drift in drifts]


def test_a_base_that_is_declared_whole_has_no_drift() -> None:
    assert undeclared(meta(), SPECS, meta()) == []
    assert undeclared(meta(), SPECS) == []


def test_a_field_nobody_declared_is_named() -> None:
    new = meta(metadata(fldNew={"id": "fldNew", "name": "Secret Site", "type": "checkbox"}))
    (drift,) = undeclared(new, SPECS, meta())
    assert (drift.kind, drift.table, drift.field) == (DriftKind.UNDECLARED, "Stories", "Secret Site")
    assert drift.detail == "field 'Secret Site' (checkbox) of 'Stories' is declared by no table module"


def test_names_that_differ_in_case_only_are_different_fields() -> None:
    new = meta(metadata(fldNew={"id": "fldNew", "name": "title", "type": "singleLineText"}))
    assert kinds(undeclared(new, SPECS)) == [(DriftKind.UNDECLARED, "Stories", "title")]


def test_a_table_nobody_declared_is_named() -> None:
    document = metadata()
    document["tables"].append({"id": "tblN", "name": "Shifts", "primaryFieldId": "", "fields": []})
    assert kinds(undeclared(meta(document), SPECS)) == [(DriftKind.UNDECLARED, "Shifts", None)]


def with_shifts() -> dict[str, Any]:
    document = metadata()
    fields = [{"id": "fldWho", "name": "Who", "type": "singleLineText"}]
    document["tables"].append({"id": "tblN", "name": "Shifts", "primaryFieldId": "fldWho", "fields": fields})
    return document


def and_whole(*tables: str) -> tuple[TableSpec, ...]:
    more = tuple(whole_table(table, "a test") for table in tables)
    return (replace(SPECS[0], declares=(*SPECS[0].declares, *more)),)


def test_a_table_that_is_declared_as_a_whole_has_no_drift_whatever_fields_it_gets() -> None:
    assert undeclared(meta(with_shifts()), and_whole("Shifts")) == []
    later = with_shifts()
    later["tables"][2]["fields"].append({"id": "fldNew", "name": "New", "type": "aiText"})
    assert undeclared(meta(later), and_whole("Shifts"), meta(with_shifts())) == []


def test_another_new_table_is_named_all_the_same() -> None:
    document = with_shifts()
    document["tables"].append({"id": "tblG", "name": "Galleries", "primaryFieldId": "", "fields": []})
    assert kinds(undeclared(meta(document), and_whole("Shifts"))) == [
        (DriftKind.UNDECLARED, "Galleries", None)
    ]


def test_a_table_that_is_declared_as_a_whole_is_followed_by_its_id_and_missed_when_it_is_gone() -> None:
    renamed = with_shifts()
    renamed["tables"][2]["name"] = "Rosters"
    assert kinds(undeclared(meta(renamed), and_whole("Shifts"), meta(with_shifts()))) == [
        (DriftKind.RENAMED, "Rosters", None)
    ]
    assert kinds(undeclared(meta(), and_whole("Shifts"))) == [(DriftKind.MISSING, "Shifts", None)]


def test_a_table_that_is_mapped_is_not_silenced_by_a_declaration_as_a_whole() -> None:
    """A new field of a table whose cells people rely on must be noticed."""
    new = metadata(fldNew={"id": "fldNew", "name": "Secret Site", "type": "checkbox"})
    assert kinds(undeclared(meta(new), and_whole("Stories"))) == [
        (DriftKind.UNDECLARED, "Stories", "Secret Site")
    ]


def test_the_lines_of_raw_only_are_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among the table modules' own, so that whatever reads those knows them."""
    with monkeypatch.context() as patch:
        patch.setattr(raw_only, "TABLES", (whole_table("Shifts", "rosters"),))
        declared = [d for spec in importlib.reload(tables).SPECS for d in spec.declares]
    importlib.reload(tables)
    assert RawOnly("Shifts", None, "rosters") in declared


def test_a_whole_table_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="'Shifts' is declared raw only without a reason"):
        whole_table("Shifts", " ")


@pytest.mark.parametrize("before", [None, meta()])
def test_a_declared_field_or_table_that_is_gone_is_missing(before: BaseMeta | None) -> None:
    assert kinds(undeclared(meta(metadata(fldLink=None)), SPECS, before)) == [
        (DriftKind.MISSING, "Stories", "By")
    ]
    document = metadata()
    document["tables"].pop()
    assert kinds(undeclared(meta(document), SPECS, before)) == [(DriftKind.MISSING, "People", None)]


def test_a_rename_is_one_and_neither_missing_nor_undeclared() -> None:
    """The field is followed by its id: nothing is lost by a new name."""
    document = metadata(fldTitle={"id": "fldTitle", "name": "Headline", "type": "singleLineText"})
    document["tables"][1]["name"] = "Persons"
    assert kinds(undeclared(meta(document), SPECS, meta())) == [
        (DriftKind.RENAMED, "Stories", "Headline"),
        (DriftKind.RENAMED, "Persons", None),
    ]


def test_two_fields_that_swapped_names_are_two_renames() -> None:
    """By name everything would look right, and every cell would go into the wrong column."""
    document = metadata(
        fldTitle={"id": "fldTitle", "name": "Text", "type": "singleLineText"},
        fldText={"id": "fldText", "name": "Title", "type": "singleLineText"},
    )
    before = meta(metadata(fldText={"id": "fldText", "name": "Text", "type": "singleLineText"}))
    found = kinds(undeclared(meta(document), SPECS, before))
    assert (DriftKind.RENAMED, "Stories", "Text") in found
    assert (DriftKind.RENAMED, "Stories", "Title") in found


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"id": "fldTitle", "name": "Title", "type": "richText"}, "was singleLineText and is richText"),
        (
            {"id": "fldRoll", "name": "Sum", "type": "rollup", "options": {"result": None}},
            "was rollup of number and is rollup",
        ),
        (
            {
                "id": "fldLink",
                "name": "By",
                "type": "multipleRecordLinks",
                "options": {"linkedTableId": "tblS"},
            },
            "was multipleRecordLinks of tblP and is multipleRecordLinks of tblS",
        ),
    ],
)
def test_another_type_is_said_with_both(field: dict[str, Any], said: str) -> None:
    (drift,) = undeclared(meta(metadata(**{field["id"]: field})), SPECS, meta())
    assert drift.kind is DriftKind.RETYPED
    assert drift.detail.endswith(said)


def test_without_table_modules_only_the_pinned_base_counts() -> None:
    changed = meta(metadata(fldLink=None, fldNew={"id": "fldNew", "name": "New", "type": "aiText"}))
    assert undeclared(changed, ()) == []
    assert kinds(undeclared(changed, (), meta())) == [(DriftKind.MISSING, "Stories", "By")]


def test_the_pinned_base_of_another_base_is_not_compared() -> None:
    other = parse_metadata("appAnother0000001", json.dumps({"tables": []}))
    assert undeclared(meta(), SPECS, other) == []


def test_what_is_pinned_is_read_back(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert pinned.read(home) is None
    text = json.dumps(metadata(fldNew={"id": "fldNew", "name": "\ud800 é 名", "type": "aiText"}))
    pinned.write(home, BASE, text)
    assert pinned.read(home) == parse_metadata(BASE, text)
    assert (home / "base.json").stat().st_mode & 0o777 == 0o600
    pinned.write(home, BASE, json.dumps(metadata()))
    assert pinned.read(home) == meta()
    assert [file.name for file in home.iterdir()] == ["base.json"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"base_id":"app1","metadata":{"tables":[1]}}'])
def test_a_damaged_pin_names_its_file_and_the_remedy(tmp_path: Path, content: str) -> None:
    (tmp_path / "base.json").write_text(content)
    with pytest.raises(SettingsError, match=r"base\.json is not a pinned base: delete it"):
        pinned.read(tmp_path)
