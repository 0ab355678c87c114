"""What is stored was damaged since: it is named, and nothing of it is loaded."""

from __future__ import annotations

import re

import pytest

from ledger_assets.cli.session import run_job
from ledger_assets.demo import schema
from ledger_assets.environment import Environment
from ledger_assets.errors import LedgerError

from ..conftest import Lane
from .conftest import Undisturbed, assert_nothing_loaded, of_the_undisturbed_store


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


DAMAGE = {
    "half a page": (f"tables/{schema.QUOTES.id}/000000", cut),
    "one bit of a page": (f"tables/{schema.STORIES.id}/000000", flip),
    "one bit of the comments": (f"comments/{schema.MEDIA.id}", flip),
    "half of an export's manifest": ("exports/.*/MANIFEST.json", cut),
    "half of a ledger's manifest": ("ledger/.*/MANIFEST.json", cut),
    "the metadata": ("metadata.json", flip),
    "half of the list of files": ("attachments.json", cut),
    "one bit of a ledger file": ("/quotes.parquet", flip),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_named_and_nothing_of_it_is_loaded(
    fresh: Lane, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """A changed bit that is still a text would be loaded, and called the truth."""
    lane = of_the_undisturbed_store(fresh, undisturbed, monkeypatch)
    part, harm = DAMAGE[damage]
    (key,) = [entry.key for entry in lane.store.list("") if re.search(part, entry.key)]
    lane.store.put(key, harm(lane.store.get(key)))
    with pytest.raises(LedgerError) as refused:
        run_job(
            lane.instance,
            Environment.STAGING,
            "remigrate",
            tags={
                "dagster/asset_partition_range_start": "2024-10-01",
                "dagster/asset_partition_range_end": "2025-06-01",
            },
        )
    assert refused.value.exit_code == 2
    assert f"object {key} in {lane.store.url} is damaged" in str(refused.value)
    assert_nothing_loaded(lane)
