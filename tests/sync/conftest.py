"""A small base served, somebody who edits it, a client and two stores: what is synced is compared with a full export."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ledger_assets.demo.model import Table
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.export import Export
from ledger_assets.extract.run import export_base
from ledger_assets.storage import ObjectStore, open_store
from ledger_assets.sync.run import Synced, sync_base

from .histories import Writer, content
from .small import TABLES, create_small_base


@dataclass
class World:
    """One base, and everything that reads or writes it."""

    airtable: LocalAirtable
    client: AirtableClient
    store: ObjectStore
    folder: Path
    writer: Writer
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def export(self, **options: Any) -> Export:
        """A full export."""
        manifest = export_base(self.client, self.store, environment="staging", **options)
        return Export(self.store, manifest.export_id)

    def sync(self, **options: Any) -> Synced:
        """A sync."""
        return sync_base(self.client, self.store, environment="staging", **options)

    def read(self, synced: Synced) -> Export:
        """The export of a sync."""
        return Export(self.store, synced.export_id)

    def truth(self) -> dict[str, Any]:
        """What a full export says now, made elsewhere, so that nothing follows from it."""
        store = open_store((self.folder / f"truth{next(self.numbers)}").as_uri())
        return content(Export(store, export_base(self.client, store, environment="staging").export_id))

    def assert_exact(self, synced: Synced) -> None:
        """The sync's export is what a full one says, and it is no full one."""
        assert synced.fallback is None
        assert content(self.read(synced)) == self.truth()


@contextmanager
def open_world(folder: Path, tables: tuple[Table, ...] = TABLES) -> Iterator[World]:
    """A world in an empty folder, or over the base that lies there."""
    if not (folder / "base.sqlite").exists():
        create_small_base(folder / "base.sqlite", tables)
    with LocalAirtable(folder / "base.sqlite", requests_per_second=None) as airtable:
        client = AirtableClient(
            airtable.url,
            airtable.api_key,
            airtable.base_id,
            requests_per_second=100_000,
            lock_folder=folder / "home" / "locks",
            attempts=2,
        )
        writer = Writer(airtable)
        yield World(airtable, client, open_store((folder / "objects").as_uri()), folder, writer)
        writer.session.close()
        client.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as world:
        yield world


@contextmanager
def new_world() -> Iterator[World]:
    """For an example of a property: a world in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, open_world(Path(folder)) as world:
        yield world
