"""The judge: whatever people did since the last export, a sync is what a full export of the same moment is."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .conftest import World, new_world
from .histories import Edit, edits
from .small import NOTES, PEOPLE, PLACES, STORIES, THEMES, TIME_FIELDS

EXAMPLES = int(os.environ.get("SYNC_EXAMPLES", "40"))
PROPERTY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="SYNC_EXAMPLES" not in os.environ,
    # A history is told in full, and to make it shorter takes minutes.
    phases=[phase for phase in Phase if phase is not Phase.shrink or "SYNC_EXAMPLES" in os.environ],
    suppress_health_check=[HealthCheck.too_slow],
)


@PROPERTY
@given(
    before=edits,
    after=st.lists(edits, min_size=1, max_size=3),
    silent=st.booleans(),
    final=st.booleans(),
)
def test_a_sync_equals_a_full_export_of_the_same_moment(
    before: list[Edit], after: list[list[Edit]], *, silent: bool, final: bool
) -> None:
    with new_world() as world:
        world.writer.touching = not final
        world.airtable.webhooks.silent = silent
        world.writer.all([("create", number, 0, number) for number in range(10)])
        world.writer.all(before)
        world.export()
        for history in after:
            world.writer.all(history)
            world.assert_exact(world.sync(final=final))


@PROPERTY
@given(
    before=edits,
    after=edits,
    meanwhile=st.lists(edits, min_size=1, max_size=4),
    silent=st.booleans(),
    final=st.booleans(),
)
def test_edits_made_while_it_reads_are_in_it(
    before: list[Edit], after: list[Edit], meanwhile: list[list[Edit]], *, silent: bool, final: bool
) -> None:
    with new_world() as world, pytest.MonkeyPatch.context() as patch:
        world.airtable.webhooks.silent = silent
        world.writer.all([("create", number, 0, number) for number in range(10)])
        world.writer.all(before)
        world.export()
        world.writer.all(after)
        turn, read = threading.Lock(), world.client.records

        def records(*args: Any, **options: Any) -> Any:
            page = read(*args, **options)
            with turn:
                if meanwhile:
                    world.writer.all(meanwhile.pop(0))
            return page

        patch.setattr(world.client, "records", records)
        synced = world.sync(final=final)
        patch.undo()
        world.assert_exact(synced)


@pytest.mark.parametrize("silent", [False, True])
def test_a_name_reaches_through_three_tables_and_a_link_without_way_back(
    world: World, *, silent: bool
) -> None:
    """People -> stories -> themes -> notes, whose link to themes has no inverse."""
    write = world.writer
    world.airtable.webhooks.silent = silent
    person = write.create(PEOPLE, 0)
    story = write.create(STORIES, 0, People=[person])
    theme = write.create(THEMES, 0, Stories=[story])
    note = write.create(NOTES, 0, About=[theme])
    world.export()
    write.update(PEOPLE, person, {"Name": "Another"})
    synced = world.sync()
    assert dict(synced.changed) == {"People": 1, "Stories": 1, "Themes": 1, "Notes": 1}
    world.assert_exact(synced)
    write.update(STORIES, story, {"People": []})
    world.assert_exact(world.sync())
    assert note in "".join(r.raw for r in world.read(world.sync()).records(NOTES.id))


def test_what_changes_with_time_alone_is_named_and_starts_nothing(world: World) -> None:
    """A day later every age is another one: nobody edited anything, and nothing tells of it."""
    write = world.writer
    people = [write.create(PEOPLE, 0) for _ in range(120)]
    for number in range(0, 120, 3):
        write.create(STORIES, 0, People=people[number : number + 3])
    world.export()
    write.update(PEOPLE, people[0], {"Name": "Edited"})
    file = world.airtable._file  # what no client can do: time passes
    assert file is not None
    for table in (PEOPLE, STORIES):
        field = table.field_id("Age" if table is PEOPLE else "Ages")
        file.db.execute(
            "update records set cells = replace(cells, ?, ?)", (f"\x02{field}\x02:41", f"\x02{field}\x02:42")
        )
        file.db.execute(
            "update records set cells = replace(cells, ?, ?)",
            (f"\x02{field}\x02:[41", f"\x02{field}\x02:[42"),
        )
    file.db.commit()
    synced = world.sync()
    assert synced.time_fields == TIME_FIELDS
    world.assert_exact(synced)
    assert dict(synced.changed) == {"People": 3, "Stories": 1}
    newer = {r.id for r in world.read(synced).records(PEOPLE.id) if '":42' in r.raw}
    assert newer == set(people[:3]), "those of the edited one's story; the others are as of their last export"


def test_new_comments_come_with_their_record_or_with_a_final_sync(world: World) -> None:
    """No webhook tells of a comment: a final sync finds it by the counts of a scan."""
    write = world.writer
    write.touching = False
    quiet, edited = write.create(PEOPLE, 0), write.create(PEOPLE, 0)
    world.export()
    write.comment(PEOPLE, quiet, "on its own")
    write.comment(PEOPLE, edited, "with an edit")
    write.update(PEOPLE, edited, {"Agreed": True})
    assert [edited in line for line in world.read(world.sync()).comments(PEOPLE.id)] == [True]
    final = world.sync(final=True)
    world.assert_exact(final)
    assert len(list(world.read(final).comments(PEOPLE.id))) == 2


def test_a_place_is_found_by_who_links_to_it(world: World) -> None:
    """A place is linked one way only, and looked up twice on the way to a theme."""
    write = world.writer
    place = write.create(PLACES, 0)
    person = write.create(PEOPLE, 0, Place=[place])
    write.create(PEOPLE, 0, Mentor=[person])
    write.create(THEMES, 0, Stories=[write.create(STORIES, 0, People=[person])])
    world.airtable.webhooks.silent = True
    world.export()
    write.update(PLACES, place, {"Name": "Moved"})
    synced = world.sync()
    assert dict(synced.changed) == {"Places": 1, "People": 2, "Stories": 1, "Themes": 1}
    world.assert_exact(synced)
    write.request("DELETE", f"{PLACES.id}/{place}")
    world.assert_exact(world.sync())


def test_the_other_side_of_a_link_through_which_nothing_is_computed(world: World) -> None:
    """Nobody tells of it: a pupil's edit shows with the mentor, and a place that is gone, with the note."""
    write = world.writer
    mentor, pupil = write.create(PEOPLE, 0), write.create(PEOPLE, 0)
    place = write.create(PLACES, 0)
    note = write.create(NOTES, 0, **{"Written at": [place]})
    world.airtable.webhooks.silent = True
    world.export()
    write.update(PEOPLE, pupil, {"Mentor": [mentor]})
    write.request("DELETE", f"{PLACES.id}/{place}")
    synced = world.sync()
    assert dict(synced.changed) == {"People": 2, "Notes": 1}
    world.assert_exact(synced)
    write.update(PEOPLE, pupil, {"Mentor": []})
    world.assert_exact(world.sync())
    assert place not in "".join(r.raw for r in world.read(synced).records(NOTES.id) if r.id == note)
