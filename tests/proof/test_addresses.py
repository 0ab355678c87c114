"""Records that differ from the export in addresses of files alone, and records of which more differs."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from ledger_assets.demo import schema
from ledger_assets.errors import StoreError
from ledger_assets.extract.export import Export, pack, page_key, read_lines
from ledger_assets.proof.model import Records
from ledger_assets.proof.page import render
from tests.proof.small_base import rec
from tests.proof.world import World, failed

STORIES = schema.STORIES


def records(world: World, table: str) -> Records:
    """What the proof says of one Airtable table's records."""
    return next(found for found in world.prove().records if found.table == table)


def test_a_second_export_differs_in_addresses_alone(world: World) -> None:
    """Airtable signs them anew with every answer: no loss, and said with their number."""
    assert "addresses of files" not in render(world.prove())
    world.base.signature = "2"
    proof = world.publish().prove()
    assert failed(proof) == set()
    found = {one.table: one.readdressed for one in proof.records if one.readdressed}
    assert found["Storytellers"] == 2
    total = sum(found.values())
    assert total > 2  # those that look the files up, too
    assert f"{total} of these records differ from the export in the addresses of files" in render(proof)


def test_a_record_with_a_new_address_whose_text_differs_elsewhere_is_altered(world: World) -> None:
    """New addresses must not excuse anything else."""
    world.base.signature = "2"
    world.base.records["Storytellers"]["ada"]["Bio"] = "not loaded"
    world.export = world.base.export(world.store)
    found = records(world, "Storytellers")
    assert (found.altered.ids, found.readdressed) == ((rec("ada"),), 1)
    assert not found.passed


def test_a_record_that_has_another_file_is_altered(world: World) -> None:
    """Only the address is left out: the file's id, name and size are content."""
    world.base.records["Storytellers"]["ada"]["File Profile Image"] = world.base.file("new", b"a new face")
    world.export = world.base.export(world.store)
    assert records(world, "Storytellers").altered.ids == (rec("ada"),)


def test_columns_of_a_readdressed_record_are_compared_though_another_is_altered(world: World) -> None:
    """An altered text need not be JSON; that is no reason to look at less of the others."""
    world.base.signature = "2"
    world.export = world.base.export(world.store)
    world.without_checks("airtable.records")
    world.damage("update airtable.records set raw = left(raw, 60) where record_id = %s", rec("shed"))
    world.damage("update airtable.records set fields = '{}' where record_id = %s", rec("boat"))
    found = records(world, "Stories")
    assert found.altered.ids == (rec("shed"),)
    assert found.fields_differ.ids == (rec("boat"),)


def test_an_invented_record_that_is_no_json_does_not_stop_the_proof(world: World) -> None:
    """It is in no export, and its text cannot be read."""
    world.without_checks("airtable.records")
    world.damage(
        "update airtable.records set record_id = 'recNobodyKnowsIt1', raw = 'no json' where record_id = %s",
        rec("boat"),
    )
    found = records(world, "Stories")
    assert (found.missing.ids, found.extra.ids) == ((rec("boat"),), ("recNobodyKnowsIt1",))
    assert found.fields_differ.ids == ("recNobodyKnowsIt1",)


def test_a_record_that_was_delivered_twice_is_the_first_of_them(world: World) -> None:
    """A page is read again after a restart; the text that was first is the record's."""
    key = page_key(world.export.export_id, STORIES.id, 0)
    lines = read_lines(world.store, key)
    world.store.put(key, pack([*lines, lines[0].replace("The boat", "The raft")]))
    manifest = world.export.manifest
    tables = tuple(replace(t, duplicates=1) if t.id == STORIES.id else t for t in manifest.tables)
    world.store.put(
        f"exports/{world.export.export_id}/MANIFEST.json", replace(manifest, tables=tables).to_json()
    )
    world.export = Export(world.store, world.export.export_id)
    found = records(world, "Stories")
    assert (found.export, found.raw) == (3, 3)
    assert found.passed


def test_a_record_of_the_export_that_cannot_be_read_is_one_line(world: World) -> None:
    """The export itself is wrong then; its text is not said, and the transaction is over."""
    world.store.put(page_key(world.export.export_id, STORIES.id, 0), pack(['{"id": "secret']))
    with pytest.raises(StoreError, match=f"a record of table {STORIES.id} cannot be read") as caught:
        world.prove()
    assert "secret" not in str(caught.value)
    assert world.conn.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
