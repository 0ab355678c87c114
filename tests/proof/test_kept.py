"""What Postgres keeps beside the records: the inventory of files, the export's manifest, the base's metadata."""

from __future__ import annotations

import pytest

from ledger_assets.checks.proof import GATHERED
from ledger_assets.proof.page import failures
from ledger_assets.proof.verdicts import Verdict
from tests.proof.small_base import att, rec
from tests.proof.world import World, failed, field_of

ENTRY = {
    "filename": "filename = 'another.jpg'",
    "size": "size = size + 1",
    "content_type": "content_type = 'text/html'",
    "file_sha256": "file_sha256 = repeat('0', 64)",
    "object_key": "object_key = 'media/elsewhere'",
    "problem": "problem = 'not to be had'",
    "nothing": "filename = null",
}


@pytest.mark.parametrize("column", ENTRY)
def test_an_inventory_entry_that_somebody_edited_is_named(world: World, column: str) -> None:
    """Its hash of the entry is left as it was: what a hand would do."""
    world.damage(f"update airtable.attachments set {ENTRY[column]} where attachment_id = %s", att("boat"))
    proof = world.prove()
    assert proof.files.inventory_differs.ids == (att("boat"),)
    assert failed(proof) == {("base", "files")}
    assert any(f.place == "Files" and f.found.ids == (att("boat"),) for f in failures(proof))


def test_an_inventory_entry_of_no_attachment_is_named(world: World) -> None:
    world.damage(
        "insert into airtable.attachments select base_id, table_id, record_id, field_id, 'attInvented0000001', filename, "
        "size, content_type, file_sha256, object_key, problem, entry_sha256, first_export_id, export_id "
        "from airtable.attachments where attachment_id = %s",
        att("boat"),
    )
    assert world.prove().files.inventory_extra.ids == ("attInvented0000001",)


def test_an_entry_that_is_the_exports_and_not_the_cells_is_named(world: World) -> None:
    """The inventory beside the export was written by us, too: the cell is what Airtable said."""
    key = f"exports/{world.export.export_id}/attachments.json"
    world.store.put(key, world.store.get(key).replace(b'"boat.jpg"', b'"other.jpg"'))
    world.damage(
        "update airtable.attachments set filename = 'other.jpg' where attachment_id = %s", att("boat")
    )
    assert world.prove().files.inventory_differs.ids == (att("boat"),)


@pytest.mark.parametrize(
    "change",
    ["file_name = 'x.jpg'", "content_type = 'text/html'", "size_bytes = 1", "object_key = 'media/elsewhere'"],
)
def test_a_media_row_that_says_something_else_of_its_file_is_named(world: World, change: str) -> None:
    """By the raw records and not by the ledger alone."""
    world.damage(f"update public.media_assets set {change} where attachment_id = %s", att("boat"))
    found = field_of(world.prove(), "media_assets.story_image")
    assert found.named[Verdict.DIFFERENT].ids == (rec("boat"),)


EXPORT = {
    "manifest": ("exports", "manifest = jsonb_set(manifest, '{calls}', '1')"),
    "base_id": ("exports", "base_id = 'appAnother0000001'"),
    "final": ("exports", "final = not final"),
    "started_at": ("exports", "started_at = started_at - interval '1 day'"),
    "finished_at": ("exports", "finished_at = finished_at + interval '1 ms'"),
    "raw": ("metadata", "raw = replace(raw, 'Bio', 'Bia'), sha256 = sha256(convert_to(replace(raw, 'Bio', 'Bia'), 'UTF8'))"),
    "sha256": ("metadata", "sha256 = '\\x00'"),
}  # fmt: skip


@pytest.mark.parametrize("column", EXPORT)
def test_what_is_kept_of_the_export_and_is_not_so_is_named(world: World, column: str) -> None:
    table, change = EXPORT[column]
    world.without_checks(f"airtable.{table}")
    world.damage(f"update airtable.{table} set {change} where export_id = %s", world.export.export_id)
    proof = world.prove()
    said = f"{column} is not what export {world.export.export_id} says"
    assert (f"airtable.{table}", said) in {(notice.table, notice.text) for notice in proof.about}
    assert failed(proof) == {("base", "export")}
    assert said in {failure.words for failure in failures(proof)}
    assert "export" in GATHERED["records"]


@pytest.mark.parametrize("table", ["metadata", "exports"])
def test_an_export_that_postgres_does_not_know_is_named(world: World, table: str) -> None:
    with world.conn.transaction():
        world.conn.execute("delete from airtable.metadata")
        if table == "exports":
            world.conn.execute("delete from airtable.exports")
    notices = [(notice.table, notice.text) for notice in world.prove().about]
    assert (f"airtable.{table}", f"export {world.export.export_id} is not there") in notices
