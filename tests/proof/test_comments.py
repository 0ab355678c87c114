"""Comments: the export's against those kept, by record and exact text."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ledger_assets.demo import schema
from ledger_assets.errors import StoreError
from ledger_assets.extract.export import Export, comments_key, pack, read_lines
from ledger_assets.proof.model import Records
from tests.proof.small_base import rec
from tests.proof.world import World, failed

STORIES = schema.STORIES


def stories(world: World) -> Records:
    """What the proof says of the stories' records."""
    return next(found for found in world.prove().records if found.table == "Stories")


def rewrite(world: World, lines: list[str], **counts: int) -> None:
    """Other comments in the export, and what its manifest says of them."""
    export_id = world.export.export_id
    world.store.put(comments_key(export_id, STORIES.id), pack(lines))
    manifest = world.export.manifest
    tables = tuple(replace(t, **counts) if t.id == STORIES.id else t for t in manifest.tables)
    world.store.put(f"exports/{export_id}/MANIFEST.json", replace(manifest, tables=tables).to_json())
    world.export = Export(world.store, export_id)


def delivered(world: World) -> list[str]:
    """The lines of the export's comments."""
    return read_lines(world.store, comments_key(world.export.export_id, STORIES.id))


def test_l17_a_lost_comment_is_named(world: World) -> None:
    """Comments are part of the base."""
    world.damage("delete from airtable.comments where record_id = %s", rec("boat"))
    found = stories(world)
    assert (found.comments_export, found.comments_raw) == (2, 1)
    assert found.comments_differ.ids == (rec("boat"),)
    assert not found.passed


ALTERED = "update airtable.comments set raw = raw || ' ', sha256 = sha256(convert_to(raw || ' ', 'UTF8'))"
INVENTED = """insert into airtable.comments select base_id, table_id, record_id, 'comInvented', raw || ' ',
sha256(convert_to(raw || ' ', 'UTF8')), first_export_id, export_id from airtable.comments"""
CHANGES = {
    "changed, with its hash": (ALTERED, "boat", 2),
    "moved to another record": (
        "update airtable.comments set record_id = 'recNobodyKnowsIt1'",
        "boat",
        2,
    ),
    "invented": (INVENTED, "shed", 1),
    "marked as deleted": ("update airtable.comments set source_deleted_at = now()", "shed", 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_comment_that_is_not_the_exports_is_named(world: World, change: str) -> None:
    """By its record, from its exact text: numbers alone would agree when one is altered."""
    statement, record, count = CHANGES[change]
    world.damage(f"{statement} where record_id = %s", rec(record))
    proof = world.prove()
    found = next(one for one in proof.records if one.table == "Stories")
    assert found.comments_differ.count == count
    assert rec(record) in found.comments_differ.ids
    assert failed(proof) == {("Stories", "records")}


def test_comments_of_a_table_that_the_export_does_not_have_are_named(world: World) -> None:
    """Nobody would look for them there."""
    world.damage("update airtable.comments set table_id = 'tblNobodyKnowsIt1'")
    assert {table for table, _ in failed(world.prove())} == {"tblNobodyKnowsIt1", "Stories"}


def test_comments_that_the_export_itself_lost_are_missed(world: World) -> None:
    """What the manifest says was exported is the measure, not what is left of it."""
    first = delivered(world)[0]
    rewrite(world, [first])
    world.damage("delete from airtable.comments where comment_id <> %s", json.loads(first)["comment"]["id"])
    found = stories(world)
    assert (found.comments_export, found.comments_raw, found.comments_differ.count) == (1, 1, 0)
    assert not found.passed


def test_a_comment_that_was_delivered_twice_is_one(world: World) -> None:
    """Somebody who comments while the comments are read moves them from one page to the next."""
    lines = delivered(world)
    rewrite(world, [*lines, lines[0]], comments=3)
    found = stories(world)
    assert (found.comments_export, found.comments_raw) == (2, 2)
    assert found.passed


def test_a_line_that_is_no_comment_is_an_error_of_one_line(world: World) -> None:
    """The export itself is wrong then; its text is not said."""
    rewrite(world, ['{"record_id": "recA", "text": "secret"}'])
    with pytest.raises(StoreError, match=f"a line of table {STORIES.id}'s comments") as caught:
        world.prove()
    assert "secret" not in str(caught.value)
