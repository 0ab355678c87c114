"""Every kind of loss, done on purpose to a proven database: the proof must name it. L-numbers: how other
tools lose data (reference/airtable.md)."""

from __future__ import annotations

import pytest

from ledger_assets.proof.verdicts import Verdict
from tests.proof.small_base import rec, without_cells
from tests.proof.world import World, failed, field_of, verdicts


def test_an_undisturbed_load_is_proven(world: World) -> None:
    """The ground of all tests below: without damage nothing is named."""
    proof = world.prove()
    assert failed(proof) == set()
    assert proof.passed


def test_a_second_load_of_the_same_base_is_proven(world: World) -> None:
    """A re-run writes nothing and the proof of it holds against the new export."""
    assert world.publish().prove().passed


def test_every_verdict_on_the_small_base_is_the_expected_one(world: World) -> None:
    """Normalised, refused, unmapped and skipped cells are each counted under their own name."""
    proof = world.prove()
    assert verdicts(proof, "storytellers.name") == {"same": 2, "normalised": 1, "rejected": 1}
    assert verdicts(proof, "storytellers.recorded_on") == {"same": 1, "rejected": 1}
    assert verdicts(proof, "storytellers.location_id") == {"normalised": 1, "rejected": 1}
    assert verdicts(proof, "storytellers.location_text") == {"same": 2}
    assert verdicts(proof, "interviews.kind") == {"normalised": 2, "rejected": 1}
    assert verdicts(proof, "interview_storytellers.storyteller_id") == {"same": 1, "rejected": 1}
    assert field_of(proof, "interviews.summary").errors_source == 1
    equation = next(e for r in proof.records for e in r.equations if e.target == "storytellers")
    assert equation.text == "5 records = 3 rows + 1 quarantined + 1 skipped (blank record) + 0 erased"


CELLS = {
    "a cell made NULL": ("stories", "transcript = null", "boat", "transcript", Verdict.MISSING),
    "a changed value": ("stories", "title = 'The ship'", "boat", "title", Verdict.DIFFERENT),
    "L19: a text cut to 150 characters": (
        "stories", "transcript = left(transcript, 150)", "boat", "transcript", Verdict.DIFFERENT,
    ),
    "L10: the time zone dropped": (
        "stories", "airtable_modified_at = airtable_modified_at + interval '10 hours'", "boat",
        "airtable_modified_at", Verdict.DIFFERENT,
    ),
    "L10: milliseconds cut": (
        "stories", "airtable_modified_at = date_trunc('second', airtable_modified_at)", "boat",
        "airtable_modified_at", Verdict.DIFFERENT,
    ),
    "L10: a number changed": ("stories", "story_number = 3", "boat", "story_number", Verdict.DIFFERENT),
    "a date moved by a day": ("stories", "recorded_on = recorded_on - 1", "boat", "recorded_on", Verdict.DIFFERENT),
    "a value where there was none": ("storytellers", "bio = 'invented'", "ben", "bio", Verdict.EXTRA),
    "an empty text where there was nothing": ("storytellers", "bio = ''", "ben", "bio", Verdict.EXTRA),
    "a box ticked that was not": ("storytellers", "done = true", "ben", "done", Verdict.EXTRA),
    "L15: a ticked box un-ticked": ("storytellers", "sensitive = false", "ada", "sensitive", Verdict.DIFFERENT),
    "L16: an option in other case": (
        "storytellers", "consent_status = 'consent for public sharing'", "ada", "consent_status", Verdict.DIFFERENT,
    ),
    "L16: an option mapped to the first one": ("interviews", "kind = 'interview'", "two", "kind", Verdict.DIFFERENT),
    "L16: a list joined at its commas": (
        "storytellers", "website_themes = '{Hope,Work,\"and rest\",\"Hope \"}'", "ada", "website_themes",
        Verdict.DIFFERENT,
    ),
    "a list in another order": (
        "storytellers", "website_themes = '{\"Work, and rest\",Hope,\"Hope \"}'", "ada", "website_themes",
        Verdict.DIFFERENT,
    ),
    "white space trimmed by a rule that keeps it": ("storytellers", "bio = trim(bio)", "ada", "bio", Verdict.DIFFERENT),
    "L7: another field's cells in the column": (
        "storytellers", "preferred_name = role", "ada", "preferred_name", Verdict.DIFFERENT,
    ),
    "text mapped to the wrong place": (
        "storytellers", "location_id = (select id from locations where name = 'Darwin')", "ada", "location_id",
        Verdict.DIFFERENT,
    ),
    "text mapped to nothing": ("storytellers", "organisation_id = null", "ada", "organisation_id", Verdict.MISSING),
    "text that means nothing mapped to something": (
        "storytellers", "organisation_id = (select id from organisations limit 1)", "cat", "organisation_id",
        Verdict.DIFFERENT,
    ),
    "a contact lost": ("storyteller_contacts", "email = null, phone = '1'", "ada", "email", Verdict.MISSING),
}  # fmt: skip


@pytest.mark.parametrize("loss", CELLS)
def test_a_damaged_cell_is_named_with_its_verdict(world: World, loss: str) -> None:
    """The verdict, the field and the very record; nothing else is blamed."""
    table, change, record, column, verdict = CELLS[loss]
    world.damage(f"update public.{table} set {change} where airtable_record_id = %s", rec(record))
    proof = world.prove()
    found = field_of(proof, f"{table}.{column}")
    assert found.named[verdict].ids == (rec(record),)
    assert ("base", "columns") not in failed(proof) or verdict is Verdict.MISSING
    assert {name for _, name in failed(proof)} <= {"cells", "columns", "rows"}


def test_l6_a_value_refused_without_a_finding_is_missing(world: World) -> None:
    """NULL for a value of the wrong shape is fine only where a finding names that record and field."""
    world.damage("delete from migration.findings where record_id = %s and field = 'Created At'", rec("ben"))
    found = field_of(world.prove(), "storytellers.recorded_on")
    assert found.named[Verdict.MISSING].ids == (rec("ben"),)


def test_a_finding_that_is_gone_accounts_for_nothing(world: World) -> None:
    """A finding of an earlier load must not excuse a loss of this one."""
    world.damage(
        "update migration.findings set status = 'gone' where record_id = %s and field = 'Type'", rec("odd")
    )
    assert field_of(world.prove(), "interviews.kind").named[Verdict.MISSING].ids == (rec("odd"),)


def test_l15_an_emptied_cell_that_was_not_propagated_is_invented_data(world: World) -> None:
    """Airtable leaves an emptied cell out; a patch-style upsert keeps the old value."""
    without_cells(world.base, "Stories", "boat", "Status")
    later = world.publish()
    later.damage(
        "update public.stories set source_status = 'Draft' where airtable_record_id = %s", rec("boat")
    )
    assert field_of(later.prove(), "stories.source_status").named[Verdict.EXTRA].ids == (rec("boat"),)


def test_a_column_without_any_value_raises_the_zero_fill_alarm(world: World) -> None:
    """What a wrong field name does silently."""
    world.damage("update public.interviews set transcript = null")
    proof = world.prove()
    assert ("base", "columns") in failed(proof)
    assert any(
        "interviews.transcript holds nothing" in notice.text for notice in proof.notices if notice.alarm
    )


def test_a_deleted_row_is_named(world: World) -> None:
    """The equation has one row less, and the record is nowhere."""
    world.damage("delete from public.quotes where airtable_record_id = %s", rec("second"))
    proof = world.prove()
    equation = next(e for r in proof.records for e in r.equations if e.target == "quotes")
    assert equation.unaccounted.ids == (rec("second"),)
    assert {("Quotes", "records"), ("Quotes", "cells")} <= failed(proof)


def test_a_row_twice_is_named(world: World) -> None:
    """Two rows of one record are no better than none."""
    world.damage(
        "insert into public.quotes (id, airtable_base_id, airtable_table_id, airtable_record_id, airtable_created_at, quote)"
        " select gen_random_uuid(), airtable_base_id, airtable_table_id, airtable_record_id, airtable_created_at, quote"
        " from public.quotes where airtable_record_id = %s",
        rec("second"),
    )
    equation = next(e for r in world.prove().records for e in r.equations if e.target == "quotes")
    assert equation.twice.ids == (rec("second"),)


def test_a_row_of_no_record_is_named(world: World) -> None:
    """Invented rows are as wrong as lost ones."""
    world.damage(
        "update public.quotes set airtable_record_id = 'recNobodyKnowsIt1' where airtable_record_id = %s",
        rec("second"),
    )
    equation = next(e for r in world.prove().records for e in r.equations if e.target == "quotes")
    assert equation.extra.ids == ("recNobodyKnowsIt1",)


def test_a_row_marked_as_deleted_though_its_record_is_there_is_named(world: World) -> None:
    """A soft delete of a record that Airtable still has hides it from everybody."""
    world.damage(
        "update public.quotes set source_deleted_at = now() where airtable_record_id = %s", rec("second")
    )
    equation = next(e for r in world.prove().records for e in r.equations if e.target == "quotes")
    assert equation.deleted_wrongly.ids == (rec("second"),)


def test_l13_a_record_deleted_in_airtable_whose_row_stays_is_named(world: World) -> None:
    """Raw records know that it has gone, the row does not."""
    del world.base.records["Quotes"]["second"]
    later = world.publish()
    assert later.prove().passed
    later.damage(
        "update public.quotes set source_deleted_at = null where airtable_record_id = %s", rec("second")
    )
    equation = next(e for r in later.prove().records for e in r.equations if e.target == "quotes")
    assert equation.extra.ids == (rec("second"),)


def test_l12_a_wrong_created_time_is_named(world: World) -> None:
    """createdTime decides the month: a row in the wrong month is migrated again with the wrong ones."""
    world.damage(
        "update public.quotes set airtable_created_at = now() where airtable_record_id = %s", rec("second")
    )
    equation = next(e for r in world.prove().records for e in r.equations if e.target == "quotes")
    assert equation.created_differs.ids == (rec("second"),)


def test_an_orphan_contact_is_named(world: World) -> None:
    """A table that only some records have rows in is checked the other way, too."""
    world.damage(
        "update public.storyteller_contacts set airtable_record_id = 'recNobodyKnowsIt1' where email is null"
    )
    equation = next(
        e for r in world.prove().records for e in r.equations if e.target == "storyteller_contacts"
    )
    assert equation.extra.ids == ("recNobodyKnowsIt1",)
