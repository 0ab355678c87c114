"""The two synthetic bases: every type of field, links in rings, fields without options, tables that nobody may see."""

from __future__ import annotations

import random
from pathlib import Path

import pyairtable
import pytest
from requests import HTTPError

from ledger_assets.demo.base import create_base

from .conftest import World, open_world

PLAIN = {"singleLineText", "multilineText", "richText"}


def edit(world: World, seed: int) -> int:
    """Edits, deletions and links here and there in every table; how many."""
    chance = random.Random(seed)
    base = pyairtable.Api(
        world.airtable.api_key, endpoint_url=world.airtable.url, retry_strategy=None, use_field_ids=True
    ).base(world.airtable.base_id)
    schema = base.schema()
    ids = {table.id: [r["id"] for r in base.table(table.id).all()] for table in schema.tables}
    done = 0
    for table in schema.tables:
        for record in chance.sample(ids[table.id], min(4, len(ids[table.id]))):
            field = chance.choice(table.fields)
            there = getattr(getattr(field, "options", None), "linked_table_id", "")
            try:
                if chance.random() < 0.2:
                    base.table(table.id).delete(record)
                    ids[table.id].remove(record)
                elif field.type in PLAIN:
                    base.table(table.id).update(record, {field.id: f"edited {chance.random()}"})
                elif field.type == "multipleRecordLinks" and ids.get(there):
                    base.table(table.id).update(record, {field.id: chance.sample(ids[there], 1)})
                else:
                    base.table(table.id).update(record, {field.id: None})
                done += 1
            except HTTPError:  # computed fields cannot be written
                continue
    return done


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("shape", ["any_base", "empathy_ledger"])
def test_every_type_of_field_is_synced_exactly(tmp_path: Path, shape: str, *, silent: bool) -> None:
    create_base(tmp_path / "base.sqlite", shape=shape, scale=400, seed=3)
    with open_world(tmp_path) as world:
        world.airtable.webhooks.silent = silent
        world.export()
        for seed in range(4):
            assert edit(world, seed)
            world.assert_exact(world.sync(final=seed % 2 == 1))
