"""People edit rows after the migration: that is a verdict of its own, and no loss."""

from __future__ import annotations

from ledger_assets.proof.verdicts import Verdict
from tests.proof.small_base import rec
from tests.proof.world import World, failed, field_of, verdicts


def test_a_changed_row_is_its_own_verdict(world: World) -> None:
    """Else the proof would turn red with the first edit after going live."""
    world.edit("update public.stories set title = 'The ship' where airtable_record_id = %s", rec("boat"))
    proof = world.prove()
    assert verdicts(proof, "stories.title") == {"same": 1, "changed": 1}
    assert verdicts(proof, "stories.transcript") == {"same": 1}
    assert failed(proof) == set()


def test_a_value_that_somebody_added_is_not_invented_by_us(world: World) -> None:
    """The same column filled by the loader would fail."""
    world.edit("update public.storytellers set bio = 'new' where airtable_record_id = %s", rec("ben"))
    proof = world.prove()
    assert verdicts(proof, "storytellers.bio") == {"same": 1, "rejected": 1, "added": 1}
    assert proof.passed


def test_links_that_somebody_changed_are_their_own_verdict(world: World) -> None:
    """Order and people of a story may be corrected in the app."""
    world.edit(
        "update public.authorship set position = 3 - position where airtable_record_id = %s", rec("boat")
    )
    proof = world.prove()
    assert verdicts(proof, "authorship.storyteller_id") == {"same": 1, "changed": 1}
    assert proof.passed


def test_rows_made_in_postgres_are_no_part_of_the_equation(world: World) -> None:
    """They never came from Airtable."""
    world.edit("insert into public.themes (id, name) values (gen_random_uuid(), 'made here')")
    proof = world.prove()
    equation = next(e for r in proof.records for e in r.equations if e.target == "themes")
    assert (equation.made_here, equation.rows) == (1, 3)
    assert proof.passed


def test_a_conflict_is_its_own_verdict(world: World) -> None:
    """Changed on both sides: reported, not written, and not lost: the raw records have Airtable's value."""
    world.edit("update public.stories set title = 'The ship' where airtable_record_id = %s", rec("boat"))
    world.base.records["Stories"]["boat"]["Title"] = "The raft"
    later = world.publish()
    proof = later.prove()
    assert verdicts(proof, "stories.title") == {"same": 1, "conflict": 1}
    assert proof.findings["conflict"] == 1
    assert proof.passed


def test_a_deleted_row_is_a_loss_whoever_deleted_it(world: World) -> None:
    """There is no record of a decision: somebody has to look."""
    world.edit("delete from public.quotes where airtable_record_id = %s", rec("second"))
    assert field_of(world.prove(), "quotes.quote").named[Verdict.MISSING].ids == (rec("second"),)
