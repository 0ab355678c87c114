"""Losses of links, of computed values and of files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import pytest

from ledger_assets.demo.model import DATE_TIME, Field, Table, attachments, count, link, lookup, rollup, text
from ledger_assets.proof.model import DerivedProof, LinkProof, Proof
from ledger_assets.proof.verdicts import Verdict
from ledger_assets.tables.fields import TableSpec
from tests.proof.small_base import SmallBase, att, rec
from tests.proof.world import World, failed, field_of

Load = Callable[[SmallBase, Sequence[TableSpec]], World]


def links(proof: Proof, against: str) -> LinkProof:
    """What the proof says of one link table, or of a field's other side."""
    return next(found for found in proof.links if found.against == against)


def derived(proof: Proof, field: str) -> DerivedProof:
    """What the proof says of one computed field."""
    return next(found for found in proof.derived if found.field == field)


def test_a_deleted_link_is_named(world: World) -> None:
    """The record that holds the link is named, and its cell is not the same any more."""
    world.damage("delete from public.story_interviews")
    proof = world.prove()
    assert links(proof, "story_interviews").missing.ids == (rec("boat"),)
    assert field_of(proof, "story_interviews.interview_id").named[Verdict.MISSING].ids == (rec("boat"),)


def test_l5_only_the_first_of_several_links_is_named(world: World) -> None:
    """The story with two storytellers lost one: what ``value[0]`` does."""
    world.damage("delete from public.authorship where position > 1")
    found = links(world.prove(), "authorship")
    assert (found.links, found.found) == (3, 2)
    assert found.missing.ids == (rec("boat"),)


def test_links_in_another_order_are_named(world: World) -> None:
    """The first storyteller is not the second."""
    world.damage(
        "update public.authorship set position = 3 - position where airtable_record_id = %s", rec("boat")
    )
    proof = world.prove()
    assert links(proof, "authorship").reordered.ids == (rec("boat"),)
    assert ("Stories", "cells") in failed(proof)


def test_a_link_to_somebody_else_is_named(world: World) -> None:
    """Three people wrongly attached to one story was the first attempt's fault."""
    world.damage(
        "update public.authorship set storyteller_id = (select id from public.storytellers where name = 'Cat Example') "
        "where airtable_record_id = %s and position = 2",
        rec("boat"),
    )
    found = links(world.prove(), "authorship")
    assert found.missing.ids == found.extra.ids == (rec("boat"),)


def test_a_link_hung_on_another_story_is_named(world: World) -> None:
    """The row still says which record it came from; its key says another."""
    world.damage(
        "update public.authorship set story_id = (select id from public.stories where title = 'The shed') "
        "where airtable_record_id = %s and position = 1",
        rec("boat"),
    )
    assert links(world.prove(), "authorship").extra.ids == (rec("boat"),)


def test_an_invented_link_is_named(world: World) -> None:
    """A link where the cell is empty."""
    world.damage(
        "insert into public.quote_interviews (id, airtable_base_id, airtable_table_id, airtable_record_id, quote_id, "
        "interview_id, position) select gen_random_uuid(), q.airtable_base_id, q.airtable_table_id, "
        "q.airtable_record_id, q.id, i.id, 1 from public.quotes q, public.interviews i "
        "where q.quote = 'never said' and i.file_name = 'one'"
    )
    proof = world.prove()
    assert links(proof, "quote_interviews").extra.ids == (rec("second"),)
    assert field_of(proof, "quote_interviews.interview_id").named[Verdict.EXTRA].ids == (rec("second"),)


def test_a_link_to_a_refused_record_counts_only_with_its_finding(world: World) -> None:
    """The finding names the very record that the link leads to."""
    found = links(world.prove(), "interview_storytellers")
    assert (found.links, found.found, found.rejected) == (4, 3, 1)
    world.damage(
        "update migration.findings set reason = 'a link' where field = 'Storytellers' and kind = 'quarantine'"
    )
    assert links(world.prove(), "interview_storytellers").missing.ids == (rec("two"),)


def test_links_that_differ_on_both_sides_are_named(load_base: Load) -> None:
    """Airtable keeps both sides equal: where they differ, one of them was lost."""
    base = linked_base()
    base.records["Works"]["w2"]["People"].append(rec("p2"))
    proof = load_base(base, ()).prove()
    assert links(proof, "People.Works").missing.ids == (rec("w2"),)
    assert links(proof, "Works.People").extra.ids == (rec("p2"),)
    assert not proof.passed


@pytest.mark.parametrize("to", ["recNobodyKnowsIt1", rec("p2")])
def test_a_link_to_a_record_that_is_not_there_is_named(load_base: Load, to: str) -> None:
    """The export has the table and not the record; another table may have it."""
    base = linked_base()
    base.records["People"]["p1"]["Works"].append(to)
    proof = load_base(base, ()).prove()
    assert links(proof, "Works.People").dangling.ids == (rec("p1"),)


PEOPLE = Table(
    "People",
    (
        text("Name"),
        link("Works", "Works", "People"),
        link("Elsewhere", "Works", None),
        count("Number", "Works"),
        lookup("Titles", "Works", "Title"),
        lookup("Files (from Works)", "Works", "Files"),
        lookup("All names", "Works", "Names"),
        rollup("Total", "Works", "Price", "sum"),
        rollup("Distinct", "Works", "Title"),
        Field("Made", "createdTime", {"result": {"type": "date"}}),
        Field("Made at", "createdTime", {"result": {"type": "dateTime", "options": DATE_TIME}}),
        Field("Own id", "formula", {"formula": '"P-" & RECORD_ID()'}),
        Field("Sum", "formula", {"formula": "1+1"}),
        Field("Broken", "multipleLookupValues", {"isValid": False}),
        Field("Hidden", "multipleRecordLinks", {"linkedTableId": "tblHidden"}),
        Field(
            "Hidden names",
            "multipleLookupValues",
            {"recordLinkFieldId": "HIDDEN", "fieldIdInLinkedTable": "fldX"},
        ),
    ),
)
WORKS = Table(
    "Works",
    (
        text("Title"),
        Field("Price", "number"),
        attachments("Files"),
        link("People", "People", "Works"),
        lookup("Names", "People", "Name"),
    ),
)


def linked_base() -> SmallBase:
    """People and works in a circle, with computed fields of every kind."""
    hidden = PEOPLE.field_id("Hidden")
    fields = tuple(
        Field(f.name, f.type, {**f.options, "recordLinkFieldId": hidden}) if f.name == "Hidden names" else f
        for f in PEOPLE.fields
    )
    base = SmallBase(tables=(Table("People", fields), WORKS))
    base.records = {
        "People": {"p1": {"Name": "one"}, "p2": {"Name": "two"}, "p3": {}},
        "Works": {"w1": {"Title": "first", "Price": 0.1}, "w2": {"Price": 0.2}, "w3": {"Title": "first"}},
    }
    base.link("People", "p1", "Works", "w1", "w2", "w3")
    base.link("People", "p2", "Works", "w1")
    base.records["Works"]["w1"]["Files"] = base.file("w1", b"content")
    for number, name in enumerate(("p1", "p2", "p3")):
        cells = base.records["People"][name]
        cells |= {"Made": f"2025-0{1 + number}-03", "Made at": f"2025-0{1 + number}-03T04:05:06.000Z"}
        cells |= {"Own id": f"P-{rec(name)}", "Sum": 2}
    base.records["People"]["p1"]["Hidden"] = ["recHidden000000001"]
    base.records["People"]["p1"]["Hidden names"] = ["somebody"]
    return base


def test_computed_fields_of_any_base_are_recomputed_from_the_raw_records(load_base: Load) -> None:
    """By field type alone; what cannot be recomputed says why."""
    proof = load_base(linked_base(), ()).prove()
    assert failed(proof) == set()
    assert {d.field: (d.cells, d.agree) for d in proof.derived if not d.not_comparable and d.table == "People"} == {
        "Number": (3, 3), "Titles": (2, 2), "Files (from Works)": (2, 2), "All names": (2, 2), "Distinct": (2, 2),
        "Made": (3, 3), "Made at": (3, 3), "Own id": (3, 3), "Broken": (0, 0),
    }  # fmt: skip
    assert {d.field: d.reason for d in proof.derived if d.not_comparable} == {
        "Total": "Airtable does not report how it aggregates",
        "Sum": "a formula: kept as delivered, not evaluated here",
        "Hidden names": "the linked table is not readable",
    }


WRONG = {
    "a lookup that disagrees": ("Titles", ["other", None, "first"]),
    "a lookup with more than is there": ("Titles", ["first", None, "first", "more"]),
    "a lookup in another order": ("All names", ["two", "one", "one", "one"]),
    "a lookup of other files": ("Files (from Works)", [{"id": att("none"), "url": "x"}, None, None]),
    "a count that disagrees": ("Number", 4),
    "a rollup of something else": ("Distinct", ["other"]),
    "a record id of another": ("Own id", f"P-{rec('p2')}"),
    "a created time of another": ("Made at", "2025-01-03T04:05:07.000Z"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_computed_value_that_disagrees_is_named(load_base: Load, wrong: str) -> None:
    """Airtable showing what the raw records do not have: something was lost on the way."""
    field, value = WRONG[wrong]
    base = linked_base()
    base.records["People"]["p1"][field] = value
    proof = load_base(base, ()).prove()
    assert derived(proof, field).differ.ids == (rec("p1"),)
    assert failed(proof) == {("People", "derived")}


def test_airtable_showing_less_is_reported_and_no_loss(load_base: Load) -> None:
    """A lookup may have a condition that the metadata does not tell."""
    base = linked_base()
    base.records["People"]["p1"] |= {"Titles": ["first"], "Number": 1}
    proof = load_base(base, ()).prove()
    assert (derived(proof, "Titles").fewer, derived(proof, "Number").fewer) == (1, 1)
    assert proof.passed


def test_an_error_shown_by_a_lookup_is_counted(load_base: Load) -> None:
    """Not comparable, and not dropped."""
    base = linked_base()
    base.records["People"]["p1"]["Titles"] = {"error": "#ERROR!"}
    found = derived(load_base(base, ()).prove(), "Titles")
    assert (found.agree, found.not_comparable, found.reason) == (1, 1, "Airtable shows an error")


def test_a_declared_lookup_must_show_everything(world: World) -> None:
    """Declared as exact: whoever declared it knows that it has no condition."""
    world.base.records["Stories"]["boat"]["Storytellers Name"] = [" Ada Example\n"]
    assert derived(world.publish().prove(), "Storytellers Name").differ.ids == (rec("boat"),)


def media(world: World, content: bytes) -> str:
    """Key of the stored object of that content."""
    return f"media/{hashlib.sha256(content).hexdigest()}"


def test_l11_a_missing_file_is_named_by_its_attachment(world: World) -> None:
    """A row that says where the file is is not the file."""
    world.store.delete(media(world, b"a face"))
    found = world.prove().files
    assert found.missing.ids == (att("face"),)
    assert found.reasons == {"no object": 1}


@pytest.mark.parametrize("content", [b"a fake", b"a face and more", b""])
def test_l11_a_damaged_file_is_named(world: World, content: bytes) -> None:
    """One flipped byte, too long, cut to nothing."""
    world.store.put(media(world, b"a face"), content)
    assert world.prove().files.damaged.ids == (att("face"),)


def test_a_file_that_is_not_of_the_size_that_airtable_says_is_named(world: World) -> None:
    """Cut short on the way, and hashed as it came."""
    world.base.records["Storytellers"]["ada"]["File Profile Image"][0]["size"] += 1
    assert world.publish().prove().files.damaged.ids == (att("face"),)


def test_an_attachment_without_inventory_entry_is_named(world: World) -> None:
    """Postgres's own inventory must have it, too."""
    world.damage("delete from airtable.attachments where attachment_id = %s", att("boat"))
    assert world.prove().files.not_in_postgres.ids == (att("boat"),)


def test_files_without_any_inventory_are_all_missing(world: World) -> None:
    """The attachments step never ended."""
    world.store.delete(f"exports/{world.export.export_id}/attachments.json")
    found = world.prove().files
    assert (found.attachments, found.missing.count) == (3, 3)


def test_a_deleted_media_row_is_named(world: World) -> None:
    """The file is there, and nobody would find it."""
    world.damage("delete from public.media_assets where attachment_id = %s", att("boat"))
    assert field_of(world.prove(), "media_assets.story_image").named[Verdict.MISSING].ids == (rec("boat"),)


def test_a_media_row_of_another_file_is_named(world: World) -> None:
    """Somebody else's face."""
    world.damage(
        "update public.media_assets set sha256 = (select sha256 from public.media_assets where attachment_id = %s) "
        "where attachment_id = %s",
        att("other face"), att("face"),
    )  # fmt: skip
    assert field_of(world.prove(), "media_assets.profile_image").named[Verdict.DIFFERENT].ids == (rec("ada"),)
