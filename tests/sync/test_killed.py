"""SIGKILL in the middle of a sync: half an export is none, and the next sync starts from what there was."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger_assets.extract.export import FOLDER, list_exports

from .conftest import World
from .small import PEOPLE, STORIES

PROGRAM = """
import os, signal, sys
from pathlib import Path
from ledger_assets.extract.client import AirtableClient
from ledger_assets.storage import ObjectStore, open_store
from ledger_assets.sync.run import sync_base

url, key, base, home, objects, what, number = sys.argv[1:]
left = int(number)

def counted(act):
    def counting(*args, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*args, **options)
    return counting

if what == "put":
    ObjectStore.put = counted(ObjectStore.put)
else:
    AirtableClient._read = counted(AirtableClient._read)
client = AirtableClient(url, key, base, requests_per_second=100_000, lock_folder=Path(home))
print(sync_base(client, open_store(objects), environment="staging").export_id)
"""


@pytest.mark.parametrize(
    ("what", "number"),
    [("call", n) for n in (1, 3, 4)] + [("put", n) for n in (0, 1, 2, 3, 8, 12)],
)
def test_a_sync_that_is_killed_leaves_no_export_and_the_next_one_is_exact(
    world: World, what: str, number: int
) -> None:
    for value in range(5):
        world.writer.create(PEOPLE, value)
        world.writer.create(STORIES, value)
    whole = world.export()
    world.writer.create(STORIES, 5)
    arguments = (
        world.airtable.url,
        world.airtable.api_key,
        world.airtable.base_id,
        world.folder / "home" / "locks",
        (world.folder / "objects").as_uri(),
        what,
        number,
    )
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert list_exports(world.store) == [whole.export_id]

    synced = world.sync()

    world.assert_exact(synced)
    left = [one for one in world.store.folders(FOLDER) if any(world.store.list(f"{FOLDER}/{one}/"))]
    assert left == [whole.export_id, synced.export_id], "what the killed one had written is gone"


def test_a_full_export_throws_away_what_a_killed_sync_has_left(world: World) -> None:
    """It is no scan's beginning, and must not be gone on with."""
    from dataclasses import replace

    from ledger_assets.extract.unfinished import Begun, begin, owner, timestamp

    world.writer.create(PEOPLE, 1)
    whole = world.export()
    now = timestamp(world.client.clock.now())
    begun = Begun(world.airtable.base_id, "staging", False, owner(world.client.lock_folder), now)
    left = begin(world.store, replace(begun, synced_from=whole.export_id), whole.metadata_text)
    again = world.export()
    assert again.export_id != left.export_id
    assert again.manifest.continued is None
    assert not any(world.store.list(f"{FOLDER}/{left.export_id}/"))
