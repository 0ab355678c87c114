"""A finding accounts for what its rule really refuses: one about anything else excuses no loss, and is named itself."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ledger_assets.demo import schema
from ledger_assets.proof.model import Proof
from ledger_assets.proof.verdicts import Verdict
from tests.proof.small_base import rec
from tests.proof.world import World, failed, field_of, verdicts

TABLES = {table.name: table.id for table in schema.TABLES}
FINDING = (
    "insert into migration.findings (id, base_id, kind, table_name, airtable_table_id, record_id, field, reason, "
    "first_load, last_load) select md5(concat_ws(' ', %s::text, %s::text, %s::text)), m.base_id, "
    "%s, %s, %s, %s, %s, %s, 1, 1 from airtable.metadata m limit 1"
)


def claim(
    world: World, target: str, table: str, record: str, field: str | None, reason: str = "refused", kind: str = "quarantine"
) -> None:  # fmt: skip
    """Write a finding as the loader would."""
    about = (kind, target, TABLES[table], rec(record), field, reason)
    world.damage(FINDING, target, record, field or kind, *about)


def alarms(proof: Proof) -> list[str]:
    """What the alarms say, with their table."""
    return [f"{notice.table}: {notice.text}" for notice in proof.notices if notice.alarm]


EXCUSED = {
    "text": ("stories", "transcript = null", "Stories", "boat", "Story Transcript", "transcript", Verdict.MISSING),
    "trimmed text": ("stories", "title = 'x'", "Stories", "boat", "Title", "title", Verdict.DIFFERENT),
    "number": ("stories", "story_number = null", "Stories", "boat", "Story ID", "story_number", Verdict.MISSING),
    "date": ("stories", "recorded_on = null", "Stories", "boat", "Created", "recorded_on", Verdict.MISSING),
    "time": (
        "stories", "airtable_modified_at = null", "Stories", "boat", "Airtable: Last modified time",
        "airtable_modified_at", Verdict.MISSING,
    ),
    "option": ("interviews", "kind = null", "Media", "two", "Type", "kind", Verdict.MISSING),
    "box": ("interviews", "is_processed = false", "Media", "one", "Processed", "is_processed", Verdict.DIFFERENT),
    "texts": (
        "storytellers", "website_themes = null", "Storytellers", "ada", "Website themes", "website_themes",
        Verdict.MISSING,
    ),
    "text of a place": (
        "storytellers", "location_text = null", "Storytellers", "ada", "Location", "location_text", Verdict.MISSING,
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", EXCUSED)
def test_a_finding_does_not_excuse_a_cell_that_the_rule_accepts(world: World, rule: str) -> None:
    target, change, table, record, field, column, verdict = EXCUSED[rule]
    claim(world, target, table, record, field)
    world.damage(f"update public.{target} set {change} where airtable_record_id = %s", rec(record))
    proof = world.prove()
    assert field_of(proof, f"{target}.{column}").named[verdict].ids == (rec(record),)
    assert any(f"accepts of {field} ({rec(record)})" in alarm for alarm in alarms(proof))


def test_text_that_a_mapping_file_knows_is_not_unmapped(world: World) -> None:
    claim(world, "storytellers", "Storytellers", "ada", "Location", kind="unmapped")
    world.damage(
        "update public.storytellers set location_id = null where airtable_record_id = %s", rec("ada")
    )
    proof = world.prove()
    assert field_of(proof, "storytellers.location_id").named[Verdict.MISSING].ids == (rec("ada"),)


def test_an_unfounded_finding_is_named_though_its_column_is_right(world: World) -> None:
    """Somebody would be asked to look at what is no question."""
    claim(world, "stories", "Stories", "boat", "Created")
    proof = world.prove()
    assert alarms(proof) == [
        f"Stories: 1 findings refuse what the rule date accepts of Created ({rec('boat')})"
    ]
    assert failed(proof) == {("base", "columns")}


def test_a_record_that_can_be_a_row_is_not_quarantined_by_a_finding(world: World) -> None:
    claim(world, "quotes", "Quotes", "second", None, "Quote Text has no usable value")
    world.damage("delete from public.quotes where airtable_record_id = %s", rec("second"))
    proof = world.prove()
    equation = next(e for r in proof.records for e in r.equations if e.target == "quotes")
    assert equation.unaccounted.ids == (rec("second"),)
    assert field_of(proof, "quotes.quote").named[Verdict.MISSING].ids == (rec("second"),)


@pytest.mark.parametrize("target", ["authorship", "storyteller_contacts", "media_assets"])
def test_a_finding_on_a_whole_record_excuses_none_of_its_parts(world: World, target: str) -> None:
    """Only a record that makes no row of its own has no parts."""
    table, record = ("Stories", "boat") if target == "authorship" else ("Storytellers", "ada")
    claim(world, target, table, record, None)
    world.damage(f"delete from public.{target} where airtable_record_id = %s", rec(record))
    assert (table, "cells") in failed(world.prove())


def test_a_link_to_a_record_that_has_a_row_is_not_refused_by_a_finding(world: World) -> None:
    reason = f"link to {rec('ben')}, which has no row in storytellers"
    claim(world, "authorship", "Stories", "boat", "Storytellers", reason)
    world.damage("delete from public.authorship where airtable_record_id = %s and position = 2", rec("boat"))
    proof = world.prove()
    found = next(link for link in proof.links if link.against == "authorship")
    assert (found.missing.ids, found.rejected) == ((rec("boat"),), 0)
    assert any("findings refuse links of Storytellers" in alarm for alarm in alarms(proof))


def test_a_link_is_not_excused_by_the_finding_on_its_neighbour(world: World) -> None:
    """The reason names a link that really has no row, and one that has."""
    world.damage(
        "update migration.findings set reason = reason || ' ' || %s where field = 'Storytellers' and record_id = %s",
        rec("ada"), rec("two"),
    )  # fmt: skip
    world.damage("delete from public.interview_storytellers where airtable_record_id = %s", rec("two"))
    found = next(link for link in world.prove().links if link.against == "interview_storytellers")
    assert (found.missing.ids, found.rejected) == ((rec("two"),), 1)


def test_a_file_that_stands_there_once_is_not_refused_by_a_finding(world: World) -> None:
    attachment = world.base.records["Stories"]["boat"]["Story Image"][0]["id"]
    reason = f"attachment {attachment} stands there more than once"
    claim(world, "media_assets", "Stories", "boat", "Story Image", reason)
    world.damage("delete from public.media_assets where attachment_id = %s", attachment)
    assert field_of(world.prove(), "media_assets.story_image").named[Verdict.MISSING].ids == (rec("boat"),)


def test_a_conflict_of_a_row_that_nobody_changed_excuses_nothing(world: World) -> None:
    claim(world, "stories", "Stories", "boat", None, "changed here and in Airtable", kind="conflict")
    world.damage("update public.stories set title = 'The ship' where airtable_record_id = %s", rec("boat"))
    proof = world.prove()
    assert field_of(proof, "stories.title").named[Verdict.DIFFERENT].ids == (rec("boat"),)
    assert any("conflicts in rows of stories" in alarm for alarm in alarms(proof))


def test_a_record_with_cells_is_not_blank_because_the_ledger_says_so(world: World) -> None:
    assert world.ledger is not None
    skipped = world.ledger.skipped
    more = pl.DataFrame(
        [("quotes", TABLES["Quotes"], rec("second"), "blank record")],
        schema=["table", "table_id", "record_id", "rule"],
        orient="row",
    )
    world.ledger.__dict__["skipped"] = pl.concat([skipped, more.select(skipped.columns)])
    world.damage("delete from public.quotes where airtable_record_id = %s", rec("second"))
    proof = world.prove()
    equation = next(e for r in proof.records for e in r.equations if e.target == "quotes")
    assert equation.unaccounted.ids == (rec("second"),)
    assert any("skipped as blank though they have cells" in alarm for alarm in alarms(proof))


ODD: dict[tuple[str, str], list[Any]] = {
    ("Storytellers", "Created At"): ["2025-02-29", "2025-13-01", "2025-1-1", "2025-01-01T00:00:00Z", "", "0000-01-01", 5],
    ("Stories", "Story ID"): [1.5, 12345678901234567890, "7", True, {"error": "#ERROR!"}, {"specialValue": "NaN"}],
    ("Stories", "Airtable: Last modified time"): [
        "2025-03-04T24:00:00Z", "2025-03-04T05:06:07", "2025-02-30T05:06:07Z", "2025-03-04T05:06:07.1234567Z", "soon",
    ],
    ("Media", "Type"): ["Hologram", "interview", "", ["Interview"]],
    ("Media", "Processed"): ["true", 1, []],
    ("Storytellers", "Website themes"): ["Hope", [1], ["Hope", None], [["Hope"]], {}],
    ("Storytellers", "Bio"): [5, ["text"], {"error": "#ERROR!"}, "nul \u0000 inside", "half \ud800 a character"],
    ("Storytellers", "Location"): [7, ["Darwin"], "Atlantis", "nul \u0000"],
    ("Stories", "Title"): [7, {"error": "#ERROR!"}, "nul \u0000"],
}  # fmt: skip


def test_what_the_rules_do_refuse_stays_accounted_for(world: World) -> None:
    """Every shape and value that no rule takes: the ledger and the proof agree, though neither asks the other."""
    number = 0
    for (table, field), values in ODD.items():
        for value in values:
            number += 1
            names = {"Storytellers": {"Name": f"Odd {number}"}, "Stories": {"Title": f"Odd {number}"}}
            world.base.records[table][f"odd {number}"] = names.get(table, {}) | {field: value}
    world.base.records["Quotes"]["wordless"] = {"Theme": "Hope"}
    world.base.records["Themes"]["untitled"] = {"Theme Name": " \u3000", "Description": "of nothing"}
    later = world.publish()
    proof = later.prove()
    assert alarms(proof) == []
    assert failed(proof) == set()
    assert verdicts(proof, "storytellers.recorded_on")["rejected"] == 1 + 7
    assert verdicts(proof, "stories.airtable_modified_at")["rejected"] == 5
    assert verdicts(proof, "storytellers.location_id")["rejected"] == 1 + 4


def test_a_number_with_an_exponent_stays_accounted_for(world: World) -> None:
    """jsonb writes it as the whole number that the rule would accept; the text as delivered decides."""
    record, field = rec("boat"), schema.STORIES.field_id("Story ID")
    title = schema.STORIES.field_id("Title")
    world.base.raw[record] = (
        f'{{"id":"{record}","createdTime":"2025-01-03T04:05:06.000Z","fields":{{"{title}":"The boat","{field}": 2e3}}}}'
    )
    for table, name in (("Storytellers", "ada"), ("Storytellers", "ben"), ("Media", "one")):
        world.base.records[table][name].pop("Stories")
    world.base.lookups = False
    proof = world.publish().prove()
    assert alarms(proof) == []
    assert verdicts(proof, "stories.story_number") == {"same": 1, "rejected": 1}


def test_files_of_a_cell_that_is_no_list_of_attachments_are_accounted_for(world: World) -> None:
    """One file without a readable name refuses the whole cell: the finding names none of them."""
    files = world.base.file("first", b"one") + world.base.file("second", b"two")
    files[1]["filename"] = 7
    world.base.records["Storytellers"]["cat"]["Signature"] = files
    world.base.files["7"] = b""
    proof = world.publish().prove()
    assert verdicts(proof, "media_assets.signature") == {"rejected": 1}
    assert ("Storytellers", "cells") not in failed(proof)


def test_links_and_files_that_stand_there_twice_are_accounted_for(world: World) -> None:
    world.base.records["Stories"]["boat"]["Storytellers"].append(rec("ada"))
    world.base.records["Stories"]["boat"]["Story Image"] *= 2
    proof = world.publish().prove()
    assert alarms(proof) == []
    found = next(link for link in proof.links if link.against == "authorship")
    assert (found.missing.count, found.rejected) == (0, 1)
    assert ("Stories", "cells") not in failed(proof)
