"""Losses in the raw records, and what stays true of any base: the raw records are the export's, to the
byte."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import psycopg
import pytest

from ledger_assets.demo import schema
from ledger_assets.demo.model import Field, Table, checkbox, link, text
from ledger_assets.errors import TargetError
from ledger_assets.extract.export import pack
from ledger_assets.extract.metadata import parse_metadata
from ledger_assets.proof.model import Records
from ledger_assets.proof.verdicts import Named, Verdict
from ledger_assets.tables.fields import Mapped, RawOnly, TableSpec
from tests.proof.small_base import SmallBase, rec
from tests.proof.world import World, failed

Load = Callable[[SmallBase, Sequence[TableSpec]], World]
STORIES = schema.STORIES


def records(world: World, table: str) -> Records:
    """What the proof says of one Airtable table's records."""
    return next(found for found in world.prove().records if found.table == table)


def test_l1_a_record_without_cells_that_was_dropped_is_named(world: World) -> None:
    """A blank record is a record."""
    world.damage("delete from airtable.records where record_id = %s", rec("empty"))
    found = records(world, "Stories")
    assert found.missing.ids == (rec("empty"),)
    assert (found.export, found.raw) == (3, 2)


def test_l13_a_raw_record_that_airtable_has_no_more_is_named(world: World) -> None:
    """An export without it was not loaded, or the load forgot to mark it."""
    del world.base.records["Quotes"]["second"]
    world.export = world.base.export(world.store)
    assert records(world, "Quotes").extra.ids == (rec("second"),)


def test_a_raw_record_marked_as_deleted_though_in_the_export_is_named(world: World) -> None:
    """It would be gone for every reader."""
    world.damage("update airtable.records set source_deleted_at = now() where record_id = %s", rec("boat"))
    assert records(world, "Stories").deleted_wrongly.ids == (rec("boat"),)


def test_swapped_texts_are_named_though_their_hashes_fit(world: World) -> None:
    """Counts, ids and stored hashes all agree; only the hash of the export's own text does not."""
    world.damage(
        "update airtable.records r set raw = o.raw, sha256 = o.sha256 from airtable.records o "
        "where (r.record_id, o.record_id) in ((%s, %s), (%s, %s))",
        rec("boat"), rec("shed"), rec("shed"), rec("boat"),
    )  # fmt: skip
    assert records(world, "Stories").altered.ids == tuple(sorted((rec("boat"), rec("shed"))))


def test_an_altered_text_that_is_no_json_is_named(world: World) -> None:
    """The proof must not stumble over what it is there to find."""
    world.without_checks("airtable.records")
    world.damage("update airtable.records set raw = left(raw, 60) where record_id = %s", rec("boat"))
    assert records(world, "Stories").altered.ids == (rec("boat"),)


def test_a_stored_hash_that_is_not_of_its_text_is_named(world: World) -> None:
    """Who compares hashes only would not see the text."""
    world.without_checks("airtable.records")
    world.damage("update airtable.records set sha256 = '\\x00' where record_id = %s", rec("boat"))
    assert records(world, "Stories").hash_stale.ids == (rec("boat"),)


def test_l2_an_error_cell_dropped_from_the_columns_is_named(world: World) -> None:
    """The exact text still has it; what people query has not."""
    summary = schema.MEDIA.field_id("Summary")
    world.damage("update airtable.records set fields = fields - %s where record_id = %s", summary, rec("odd"))
    proof = world.prove()
    found = next(f for f in proof.fields if f.field_id == summary)
    assert (found.source, found.raw) == (1, 0)
    assert (found.errors_source, found.errors_raw) == (1, 0)
    assert records(world, "Media").fields_differ.ids == (rec("odd"),)


def test_columns_that_say_something_else_than_the_text_are_named(world: World) -> None:
    """Everything else of the proof reads them: they must be the text's."""
    world.damage(
        "update airtable.records set created_time = created_time + interval '1 ms' where record_id = %s",
        rec("boat"),
    )
    assert records(world, "Stories").fields_differ.ids == (rec("boat"),)


def test_l3_an_export_that_lost_a_page_does_not_prove_itself(world: World) -> None:
    """What the manifest says was exported is the measure, not what is left of it."""
    key = next(o.key for o in world.store.list(f"exports/{world.export.export_id}/tables/{STORIES.id}"))
    world.store.put(key, pack([]))
    world.damage("delete from airtable.records where table_id = %s", STORIES.id)
    found = records(world, "Stories")
    assert (found.export, found.raw, found.manifest) == (0, 0, 3)
    assert not found.passed


ANY = (
    Table(
        "Anything",
        (
            text("linked_items"), text("# linked items"), checkbox("Ready"), Field("Mystery", "neverSeenBefore"),
            Field("Bare", "number", bare=True), Field("Ai", "aiText"), Field("Bar", "barcode"), Field("B", "button"),
            link("Prefers one", "Others", "Back", single=True), link("One way", "Others", None),
        ),
    ),
    Table("Others", (text("Name"), link("Back", "Anything", "Prefers one"))),
)  # fmt: skip


def any_base() -> SmallBase:
    """Field types and names that other tools fail on."""
    base = SmallBase(tables=ANY)
    base.records = {
        "Anything": {
            "a": {
                "linked_items": "first", "# linked items": "second", "Ready": True, "Mystery": {"x": [1, None]},
                "Bare": 0.1, "Ai": {"state": "generated", "isStale": False, "value": "v"}, "Bar": {"text": "1"},
                "B": {"label": "Open", "url": "https://example.org"},
            },
            "b": {},
            "odd": {},
        },
        "Others": {"x": {"Name": "x"}, "y": {"Name": "y"}},
    }  # fmt: skip
    base.link("Anything", "a", "Prefers one", "x", "y")
    base.link("Anything", "a", "One way", "y")
    name = ANY[0].field_id
    base.raw[rec("odd")] = (
        f'{{"id": "{rec("odd")}", "createdTime": "2025-03-03T04:05:06.000Z", "fields": '
        f'{{"{name("linked_items")}": "nul \\u0000 and \\ud800", "{name("Bare")}": 1e200000, '
        f'"{name("Mystery")}": 9007199254740993.10}}}}'
    )
    return base


def test_any_base_is_proven_through_the_raw_records(load_base: Load) -> None:
    """No table modules: every field is raw only, no record and no cell is passed over (L8, L9)."""
    proof = load_base(any_base(), ()).prove()
    assert failed(proof) == set()
    assert {found.destination for found in proof.fields} == {"raw only (no mapping)"}
    assert sum(found.source for found in proof.fields) == sum(found.raw for found in proof.fields) == 17


def test_l5_the_second_link_of_a_field_that_prefers_one_is_proven_and_missed(load_base: Load) -> None:
    """ "Prefers single" is a preference; a cell may hold many."""
    world = load_base(any_base(), ())
    proof = world.prove()
    assert next(p for p in proof.links if p.field == "Prefers one").links == 2
    field = ANY[0].field_id("Prefers one")
    world.damage(
        "update airtable.records set fields = jsonb_set(fields, array[%s, '1'], '\"recSomebodyElse1\"') "
        "where record_id = %s", field, rec("a"),
    )  # fmt: skip
    found = next(p for p in world.prove().links if p.field == "Prefers one")
    assert found.missing.ids == (rec("a"),)


def test_l18_a_one_way_link_is_proven(load_base: Load) -> None:
    """There is no field on the other side to compare with, and that is said."""
    proof = load_base(any_base(), ()).prove()
    found = next(p for p in proof.links if p.field == "One way")
    assert (found.links, found.passed) == (1, True)
    assert "one-way" in found.note


def test_l7_a_field_overwritten_by_one_of_a_similar_name_is_named(load_base: Load) -> None:
    """ "linked_items" and "# linked items" give one column where names are simplified; here they have their
    ids."""
    world = load_base(any_base(), ())
    one, other = ANY[0].field_id("linked_items"), ANY[0].field_id("# linked items")
    world.damage(
        "update airtable.records set fields = jsonb_set(fields, array[%s], fields -> %s) where record_id = %s",
        one, other, rec("a"),
    )  # fmt: skip
    assert records(world, "Anything").fields_differ.ids == (rec("a"),)


def test_a_record_that_jsonb_cannot_hold_is_compared_all_the_same(load_base: Load) -> None:
    """Its other cells are compared one by one, digits and all."""
    world = load_base(any_base(), ())
    mystery = ANY[0].field_id("Mystery")
    world.damage(
        "update airtable.records set fields = jsonb_set(fields, array[%s], '9007199254740993') where record_id = %s",
        mystery, rec("odd"),
    )  # fmt: skip
    assert records(world, "Anything").fields_differ.ids == (rec("odd"),)


def test_a_record_that_claims_to_be_castable_and_is_not_does_not_stop_the_proof(load_base: Load) -> None:
    """The claim is only as good as who wrote it."""
    world = load_base(any_base(), ())
    world.damage("update airtable.records set lossy = '{}' where record_id = %s", rec("odd"))
    assert records(world, "Anything").fields_differ.ids == (rec("odd"),)


def test_a_field_declared_nowhere_fails(world: World) -> None:
    """That is how drift is noticed: a new field is not raw only by accident."""
    specs = [s for s in world.specs if s.name != "themes"]
    proof = world.prove(specs)
    assert {f.problem for f in proof.fields if f.table == "Themes" and f.field == "Description"} == {
        "declared nowhere"
    }
    assert ("Themes", "cells") in failed(proof)


def test_a_declared_field_that_the_base_does_not_have_fails(world: World) -> None:
    """Whatever it held is gone."""
    first = world.specs[-1]
    extended = TableSpec(
        first.name, None, first.model, (*first.declares, RawOnly("Quotes", "Gone", "x")), first.transform
    )
    proof = world.prove([*world.specs[:-1], extended])
    assert [f.field for f in proof.fields if "no such field" in f.problem] == ["Gone"]
    assert not proof.passed


def test_a_renamed_field_is_found_by_its_pinned_id(world: World) -> None:
    """A rename in Airtable is reported elsewhere; it is no loss."""
    pinned = world.export.metadata
    renamed = world.export.metadata_text.replace('"name": "Bio"', '"name": "Biography"')
    folder = f"exports/{world.export.export_id}"
    manifest = replace(world.export.manifest, metadata_sha256=hashlib.sha256(renamed.encode()).hexdigest())
    world.store.put(f"{folder}/metadata.json", renamed.encode())
    world.store.put(f"{folder}/MANIFEST.json", manifest.to_json())
    world = World(
        world.conn,
        world.store,
        world.base,
        world.specs,
        type(world.export)(world.store, world.export.export_id),
        world.ledger,
    )
    assert parse_metadata("x", renamed).table("Storytellers") is not None
    assert ("Storytellers", "cells") in failed(world.prove())
    assert failed(world.prove(pinned=pinned)) == {
        ("base", "export")
    }  # the one that was loaded said otherwise


def test_a_column_that_does_not_exist_fails(world: World) -> None:
    """A declaration is a promise about the database."""
    quotes = next(s for s in world.specs if s.name == "quotes")
    wrong = TableSpec(
        "quotes", "Quotes", quotes.model, (Mapped("Quotes", "Theme", "no_such"),), quotes.transform
    )
    proof = world.prove([wrong])
    assert "the column does not exist in Postgres" in {f.problem for f in proof.fields}


def test_the_proof_leaves_nothing_behind_and_writes_nothing(world: World) -> None:
    """It reads one snapshot and rolls back."""
    world.prove()
    assert world.conn.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
    left = world.conn.execute("select count(*) from pg_class where relname like 'proof_%'").fetchone()
    assert left == (0,)


def test_the_proof_works_inside_an_open_transaction(world: World) -> None:
    """The dry run is proven before it is rolled back."""
    world.conn.execute("select 1")
    assert world.prove().passed


def test_an_error_of_postgres_is_one_line_without_its_text(world: World) -> None:
    """Postgres quotes the value that it could not read."""
    with world.conn.transaction():
        world.conn.execute("drop table migration.findings")
    with pytest.raises(TargetError, match=r"Postgres refused with 42P01") as caught:
        world.prove()
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_more_than_twenty_ids_are_named(load_base: Load) -> None:
    """Counts are exact, lists are samples."""
    base = SmallBase(tables=ANY)
    base.records = {"Others": {f"r{n}": {"Name": "x"} for n in range(30)}}
    world = load_base(base, ())
    world.damage("delete from airtable.records")
    found = records(world, "Others").missing
    assert isinstance(found, Named)
    assert (found.count, len(found.ids)) == (30, 20)
    assert Verdict.MISSING not in {v for f in world.prove().fields for v in f.verdicts}
