"""Many records in one sync: each is followed by what it was and is, and the old export is read once, not once a portion."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from ledger_assets.demo.model import lookup
from ledger_assets.extract.export import Export
from ledger_assets.sync import spread

from .conftest import World, open_world
from .small import PEOPLE, PLACES, STORIES, TABLES
from .test_calls import fill, rename

NAMED = replace(STORIES, fields=(*STORIES.fields, lookup("Mentors", "People", "Mentor")))
"""People's links to their mentors are seen by stories, which may show the mentors' names."""


@pytest.mark.parametrize("first", [0, 1])
def test_a_record_that_shows_another_of_the_same_call_is_followed_by_what_it_was(
    tmp_path: Path, first: int
) -> None:
    """A person leaves a story while their mentor is renamed: the story, of which nobody tells, loses them."""
    tables = tuple(NAMED if table is STORIES else table for table in TABLES)
    with open_world(tmp_path, tables) as world:
        world.airtable.webhooks.silent = True
        people = sorted(world.writer.create(PEOPLE, 0) for _ in range(2))
        one, mentor = people[first], people[1 - first]
        story = world.writer.create(STORIES, 0)
        world.writer.update(PEOPLE, one, {"Mentor": [mentor], "Stories": [story]})
        world.export()
        world.writer.update(PEOPLE, one, {"Stories": []})
        world.writer.update(PEOPLE, mentor, {"Name": "another"})
        world.assert_exact(world.sync())


def test_the_old_export_is_read_no_more_often_for_many_changes_than_for_few(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids tell nothing of pages: read portion by portion in their order, every page was read for every portion."""
    monkeypatch.setattr(spread, "PORTION", 100)
    fill(world, 1_000)
    export = world.export()
    rename(world.writer, world.writer.ids["Places"], "renamed")
    reads: Counter[int] = Counter()
    page = Export.page

    def counted(self: Export, table_id: str, number: int) -> list[str]:
        if (self.export_id, table_id) == (export.export_id, PLACES.id):
            reads[number] += 1
        return page(self, table_id, number)

    monkeypatch.setattr(Export, "page", counted)
    synced = world.sync()
    assert (len(reads), set(reads.values())) == (10, {2})  # to compare, and to write the new one
    monkeypatch.undo()
    assert dict(synced.changed) == {"Places": 1_000}
    world.assert_exact(synced)
