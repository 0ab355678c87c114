"""Which records may follow from which, by what a base's metadata tells, and by what it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger_assets.demo.model import Table, link, lookup, rollup, text
from ledger_assets.extract.metadata import BaseMeta, FieldMeta, TableMeta, parse_metadata
from ledger_assets.sync.depends import link_fields, named, time_fields

from .conftest import World, open_world
from .small import NOTES, PEOPLE, PLACES, STORIES, TIME_FIELDS


def formula(text: str | None, *made_of: str, kind: str = "formula") -> FieldMeta:
    options: dict[str, Any] = {"referencedFieldIds": list(made_of)}
    return FieldMeta("fldF", "F", kind, options if text is None else {**options, "formula": text})


def base(*fields: FieldMeta) -> BaseMeta:
    return BaseMeta("app", (TableMeta("tbl1", "T", fields[0].id, fields),))


@pytest.mark.parametrize(
    ("text", "with_time"),
    [
        ("DATETIME_DIFF(TODAY(), {fldA}, 'years')", True),
        ("IF(now ()>{fldA},1,0)", True),
        ("FROMNOW({fldA})", True),
        ('CONCATENATE(\'NOW()\', "it\\"s TODAY()")', False),
        ("KNOWN({fldA}) & UNTIL_NOW({fldA})", False),
        ("LAST_MODIFIED_TIME()", False),
        (None, False),
    ],
)
def test_formulas_of_the_present_moment_are_known_by_their_text(text: str | None, *, with_time: bool) -> None:
    assert time_fields(base(formula(text))) == {"tbl1": frozenset({"fldF"} if with_time else ())}


def test_what_is_made_of_such_a_formula_changes_with_time_too(world: World) -> None:
    meta = parse_metadata("app", world.client.metadata())
    assert named(meta, time_fields(meta)) == TIME_FIELDS
    over = FieldMeta("fldG", "G", "formula", {"formula": "{fldF}+1", "referencedFieldIds": ["fldF"]})
    assert time_fields(base(formula("NOW()"), over))["tbl1"] == {"fldF", "fldG"}


def test_links_that_something_is_computed_through(world: World) -> None:
    links = {one.field: one for one in link_fields(parse_metadata("app", world.client.metadata()))}

    def of(table: Table, name: str) -> tuple[bool, bool, bool]:
        one = links[table.field_id(name)]
        return one.seen, one.shows, one.inverse is None

    assert of(PEOPLE, "Mentor") == (True, False, False)
    assert of(PEOPLE, "Pupils") == (False, False, False)
    assert of(PEOPLE, "Place") == (True, False, True)
    assert of(STORIES, "Themes") == (True, False, False)
    assert of(NOTES, "About") == (True, False, True)
    assert links[PEOPLE.field_id("Place")].to == PLACES.id


def table(number: int, *fields: FieldMeta) -> TableMeta:
    return TableMeta(f"tbl{number}", f"T{number}", fields[0].id, fields)


def test_a_link_without_options_is_known_from_its_other_side_or_leads_anywhere() -> None:
    bare = FieldMeta("fldB", "B", "multipleRecordLinks", {})
    alone = FieldMeta("fldC", "C", "multipleRecordLinks", {})
    full = FieldMeta(
        "fldA", "A", "multipleRecordLinks", {"linkedTableId": "tbl2", "inverseLinkFieldId": "fldB"}
    )
    hidden = FieldMeta(
        "fldH", "H", "multipleRecordLinks", {"linkedTableId": "tbl2", "inverseLinkFieldId": "fldX"}
    )
    links = {
        one.field: one
        for one in link_fields(BaseMeta("app", (table(1, full, hidden), table(2, bare, alone))))
    }
    assert (links["fldB"].to, links["fldB"].inverse) == ("tbl1", "fldA")
    assert (links["fldC"].to, links["fldC"].inverse) == ("", None)
    assert (links["fldH"].to, links["fldH"].inverse) == ("tbl2", None), (
        "the token does not see the other side"
    )


@pytest.mark.parametrize(
    "other",
    [
        FieldMeta("fldQ", "Q", "quantumText", {}),
        FieldMeta("fldQ", "Q", "button", {}),
        FieldMeta("fldQ", "Q", "formula", {}),
        FieldMeta("fldQ", "Q", "rollup", {}),
        FieldMeta("fldQ", "Q", "aiText", {"referencedFieldIds": ["fldA"]}),
        FieldMeta("fldQ", "Q", "count", {"recordLinkFieldId": "fldA"}),
    ],
    ids=lambda one: f"{one.type} {'without options' if not one.options else ''}".strip(),
)
def test_whatever_may_look_through_a_link_does(other: FieldMeta) -> None:
    links = FieldMeta("fldA", "A", "multipleRecordLinks", {"linkedTableId": "tbl1"})
    assert [one.seen for one in link_fields(BaseMeta("app", (table(1, links, other),)))] == [True]
    plain = FieldMeta("fldQ", "Q", "singleLineText", {})
    assert [one.seen for one in link_fields(BaseMeta("app", (table(1, links, plain),)))] == [False]


FOLK = Table("Folk", (text("Name"), link("Works", "Works", "Folk")))
WORKS = Table("Works", (text("Title"), link("Folk", "Folk", "Works"), link("Shows", "Shows", "Works")))
SHOWS = Table(
    "Shows",
    (
        text("Name"),
        link("Works", "Works", "Shows"),
        rollup("Who", "Works", "Folk"),
        lookup("Folk", "Works", "Folk"),
    ),
)


def test_names_seen_through_a_record_whose_own_cells_stay_the_same(tmp_path: Path) -> None:
    """A rollup over a link shows the linked records' names; the record between holds their ids alone."""
    with open_world(tmp_path, (FOLK, WORKS, SHOWS)) as world:
        world.writer.ids = {one.name: [] for one in (FOLK, WORKS, SHOWS)}

        def make(one: Table, **values: Any) -> str:
            return str(world.writer.request("POST", one.id, {"fields": values})["id"])

        person = make(FOLK, Name="Early")
        work = make(WORKS, Title="Painting", Folk=[person])
        show = make(SHOWS, Name="Hall", Works=[work])
        world.airtable.webhooks.silent = True
        world.export()
        world.writer.update(FOLK, person, {"Name": "Late"})
        file = world.airtable._file  # the local server's rollups show ids
        assert file is not None
        row = file.record(show)
        assert row is not None
        row.cells = row.cells.replace(
            f'{SHOWS.field_id("Who")}\x02:["{person}"]', f'{SHOWS.field_id("Who")}\x02:["Late"]'
        )
        assert "Late" in row.cells
        file.replace(row)
        file.db.commit()
        synced = world.sync()
        assert dict(synced.changed) == {"Folk": 1, "Shows": 1}
        world.assert_exact(synced)
