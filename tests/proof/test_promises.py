"""What the migration must never do to columns that no cell fills: publish a story, guess whose words a quote is."""

from __future__ import annotations

import pytest

from ledger_assets.checks.proof import GATHERED
from ledger_assets.proof.model import Proof
from ledger_assets.proof.promises import Promise
from tests.proof.small_base import SmallBase, rec
from tests.proof.world import World, failed


def promise(proof: Proof, target: str) -> Promise:
    """What the proof says of one table's promise."""
    return next(found for found in proof.promises if found.target == target)


def test_promises_that_are_kept_say_how_many_rows_were_asked(world: World) -> None:
    """And they are checks of their table, gathered into one that blocks."""
    proof = world.prove()
    assert (promise(proof, "stories").rows, promise(proof, "quotes").rows) == (2, 2)
    assert [c.table for c in proof.checks if c.name == "consent" and c.passed] == ["Stories", "Quotes"]
    assert "consent" in GATHERED["cells"]


@pytest.mark.parametrize(
    "change", ["status = 'published', published_at = now()", "status = 'archived'", "privacy = 'public'"]
)
def test_a_story_that_the_migration_published_is_named(world: World, change: str) -> None:
    """Whatever Airtable's own Status says."""
    world.damage(f"update public.stories set {change} where airtable_record_id = %s", rec("boat"))
    proof = world.prove()
    assert promise(proof, "stories").broken.ids == (rec("boat"),)
    assert failed(proof) == {("Stories", "consent")}


def test_a_published_story_that_has_gone_from_airtable_is_named(world: World) -> None:
    """Gone is not unpublished."""
    del world.base.records["Stories"]["empty"]
    world.base.records["Stories"]["new"] = {"Title": "New"}
    world.publish()
    world.damage(
        "update public.stories set status = 'published', published_at = now(), source_deleted_at = now() "
        "where airtable_record_id = %s",
        rec("new"),
    )
    assert promise(world.prove(), "stories").broken.ids == (rec("new"),)


def test_a_story_that_somebody_published_is_theirs(world: World) -> None:
    """The app publishes; the migration does not."""
    world.edit(
        "update public.stories set status = 'published', published_at = now() where airtable_record_id = %s",
        rec("boat"),
    )
    proof = world.prove()
    assert (promise(proof, "stories").changed, promise(proof, "stories").passed) == (1, True)
    assert failed(proof) == set()


def test_a_story_made_in_postgres_is_not_the_migrations(world: World) -> None:
    """It never came from Airtable."""
    world.edit(
        "insert into public.stories (id, title, status, published_at) "
        "values (gen_random_uuid(), 'made here', 'published', now())"
    )
    proof = world.prove()
    assert (promise(proof, "stories").rows, promise(proof, "stories").passed) == (2, True)


TELLER = (
    "update public.quotes set storyteller_id = (select id from public.storytellers where airtable_record_id = %s) "
    "where airtable_record_id = %s"
)


def name_teller(world: World, storyteller: str, quote: str) -> None:
    """Have the migration say whose words a quote is."""
    world.damage(TELLER, rec(storyteller), rec(quote))


@pytest.mark.parametrize("storyteller", ["ada", "cat"])
def test_a_quote_of_an_interview_with_several_storytellers_that_names_one_is_named(
    world: World, storyteller: str
) -> None:
    """Words put into the mouth of somebody who may not have said them."""
    name_teller(world, storyteller, "first")
    proof = world.prove()
    assert promise(proof, "quotes").broken.ids == (rec("first"),)
    assert ("Quotes", "consent") in failed(proof)


def test_a_quote_of_no_interview_that_names_somebody_is_named(world: World) -> None:
    """Nobody is possible."""
    name_teller(world, "ada", "second")
    assert promise(world.prove(), "quotes").broken.ids == (rec("second"),)


def one_teller(base: SmallBase) -> SmallBase:
    """Interview "odd" names Ben alone; the second quote is from there."""
    base.link("Media", "odd", "Storytellers", "ben")
    base.link("Quotes", "second", "Transcript Reference", "odd")
    return base


def test_the_only_possible_storyteller_may_be_named(world: World) -> None:
    """As the ledger does; anybody else may not."""
    one_teller(world.base)
    later = world.publish()
    assert later.conn.execute(
        "select count(*) from public.quotes where storyteller_id is not null"
    ).fetchone() == (1,)
    assert later.prove().passed
    name_teller(later, "ada", "second")
    assert promise(later.prove(), "quotes").broken.ids == (rec("second"),)


def test_the_only_possible_storyteller_who_is_not_named_is_lost(world: World) -> None:
    """Whose words they are is known, and would be forgotten."""
    one_teller(world.base)
    later = world.publish()
    later.damage(
        "update public.quotes set storyteller_id = null where airtable_record_id = %s", rec("second")
    )
    proof = later.prove()
    assert promise(proof, "quotes").broken.ids == (rec("second"),)
    assert ("Quotes", "consent") in failed(proof)


def test_nobody_need_be_named_while_the_link_is_not_here(world: World) -> None:
    """Of another month, or taken away by a person: what is not here cannot make it certain here."""
    one_teller(world.base)
    later = world.publish()
    later.damage(
        "update public.quotes set storyteller_id = null where airtable_record_id = %s", rec("second")
    )
    later.edit("delete from public.interview_storytellers where airtable_record_id = %s", rec("odd"))
    assert promise(later.prove(), "quotes").passed


def test_an_interview_that_names_nobody_makes_the_quote_uncertain(world: World) -> None:
    """It may be the words of whoever spoke there."""
    one_teller(world.base)
    world.base.records["Media"]["silent"] = {"File Name": "silent"}
    world.base.link("Quotes", "second", "Transcript Reference", "silent")
    later = world.publish()
    assert later.prove().passed
    name_teller(later, "ben", "second")
    assert promise(later.prove(), "quotes").broken.ids == (rec("second"),)


def test_a_storyteller_without_a_row_is_possible_all_the_same(world: World) -> None:
    """The raw links know of them: that nobody else has a row does not make it certain."""
    world.base.link("Quotes", "second", "Transcript Reference", "two")
    later = world.publish()
    assert later.prove().passed
    name_teller(later, "ada", "second")
    assert promise(later.prove(), "quotes").broken.ids == (rec("second"),)


def test_a_storyteller_that_somebody_named_is_theirs(world: World) -> None:
    """A person knows what no link says."""
    world.edit(TELLER, rec("ada"), rec("first"))
    proof = world.prove()
    assert (promise(proof, "quotes").changed, failed(proof)) == (1, set())
