"""Large frames of a ledger that is being built lie in the store meanwhile, and nowhere afterwards."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ledger_assets.errors import StoreError
from ledger_assets.ledger import shelf
from ledger_assets.ledger.shelf import Shelf
from ledger_assets.ledger.store import FOLDER
from ledger_assets.storage import ObjectStore

from .conftest import Build, Built
from .exports import rec

RECORDS: dict[str, dict[str, Any]] = {
    "Storytellers": {"a": {"Name": "A"}, "b": {"Name": "B"}},
    "Stories": {"s": {"Title": "S", "Storytellers": [rec("a"), rec("b")]}},
    "Media": {"m": {"File Name": "M", "Storytellers": [rec("a")]}},
    "Quotes": {"q": {"Quote Text": "Q", "Transcript Reference": [rec("m")]}},
}


def hashes(built: Built) -> dict[str, str]:
    return {table.name: table.sha256 for table in built.manifest.tables}


def test_a_ledger_is_the_same_whether_its_frames_are_put_away_or_not(
    build: Build, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = build(RECORDS)
    put: list[str] = []
    keep = Shelf.put

    def counted(self: Shelf, name: str, frame: pl.DataFrame) -> bool:
        put.append(name)
        return keep(self, name, frame)

    monkeypatch.setattr(Shelf, "put", counted)
    monkeypatch.setattr(shelf, "LARGE_BYTES", 0)
    away = build(RECORDS)
    assert {"cells of Stories", "rows of stories", "rows of quotes"} <= set(put)
    assert hashes(away) == hashes(held)
    assert away.manifest.checks == held.manifest.checks
    assert away.rows("quotes")["storyteller_id"].to_list() == held.rows("quotes")["storyteller_id"].to_list()
    kept = [entry.key for entry in store.list(f"{FOLDER}/{away.ledger.ledger_id}/")]
    assert not [key for key in kept if not key.endswith((".parquet", "MANIFEST.json"))]


def test_a_frame_that_is_not_what_was_put_away_is_refused(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "LARGE_BYTES", 0)
    frames = {name: pl.DataFrame({"word": [name], "list": [[name, None]]}) for name in ("one", "two")}
    place = Shelf(store, "l")
    assert all(place.put(name, frame) for name, frame in frames.items())
    assert all(place.get(name).equals(frame) for name, frame in frames.items())
    for entry in store.list(f"{FOLDER}/l/"):
        store.put(entry.key, store.get(entry.key) + b"x")
    with pytest.raises(StoreError, match="damaged"):
        place.get("one")
