"""Tables that are declared raw only as a whole: kept, and proven like all others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ledger_assets.demo import schema
from ledger_assets.demo.model import Field, Table, checkbox, text
from ledger_assets.tables import SPECS
from ledger_assets.tables.fields import TableSpec, whole_table
from tests.proof.small_base import SmallBase, rec, small_base
from tests.proof.world import World, failed

Load = Callable[[SmallBase, Sequence[TableSpec]], World]
SHIFTS = Table("Shifts", (text("Who"), checkbox("Night"), Field("Mystery", "neverSeenBefore")))


def with_shifts(load_base: Load, *whole: str) -> World:
    """The five tables and one that no module reads."""
    base = replace(small_base(), tables=(*schema.TABLES, SHIFTS))
    base.records["Shifts"] = {"monday": {"Who": "Ada", "Mystery": [1]}, "tuesday": {"Night": True}}
    base.comments["Shifts"] = ["monday"]
    first = replace(SPECS[0], declares=tuple(whole_table(table, "rosters") for table in whole))
    return load_base(base, (first, *SPECS[1:]))


def test_a_table_that_is_declared_raw_only_as_a_whole_is_proven(load_base: Load) -> None:
    world = with_shifts(load_base, "Shifts")
    proof = world.prove()
    assert failed(proof) == set()
    fields = [f for f in proof.fields if f.table == "Shifts"]
    assert [(f.field, f.destination, f.raw) for f in fields] == [
        ("Who", "raw only: rosters", 1), ("Night", "raw only: rosters", 1), ("Mystery", "raw only: rosters", 1),
    ]  # fmt: skip
    world.damage("delete from airtable.records where record_id = %s", rec("monday"))
    found = next(one for one in world.prove().records if one.table == "Shifts")
    assert (found.missing.ids, found.comments_raw) == ((rec("monday"),), 1)


def test_a_table_that_is_declared_nowhere_fails(load_base: Load) -> None:
    proof = with_shifts(load_base).prove()
    assert {f.problem for f in proof.fields if f.table == "Shifts"} == {"declared nowhere"}
    assert failed(proof) == {("Shifts", "cells")}


def test_a_table_declared_as_a_whole_that_the_base_does_not_have_fails(load_base: Load) -> None:
    proof = with_shifts(load_base, "Shifts", "Galleries").prove()
    assert [(f.table, f.problem) for f in proof.fields if not f.passed] == [
        ("Galleries", "declared, but the base has no such field")
    ]
