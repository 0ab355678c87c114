"""What every disturbance needs: what one run leaves that nothing disturbed, and a lane of the test's own to disturb.

Every test has a database and a store of its own; Dagster and the base are the folder's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ledger_assets.connections import object_store
from ledger_assets.demo import schema
from ledger_assets.demo.base import create_base
from ledger_assets.demo.basefile import SEQ_PER_TABLE, BaseFile, Comment, Row
from ledger_assets.demo.cells import encode, pack
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import Environment, read_settings
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.export import latest_export
from ledger_assets.extract.limiter import Clock

from ..commands import settings_of
from ..conftest import Lane, facts
from ..worlds import open_lane

SCALE = 200


@dataclass
class Undisturbed:
    """What one run left that nothing disturbed."""

    lane: Lane
    content: dict[str, Any]
    folder: Path
    files: set[str]
    counts: dict[str, tuple[int, int, str]]


@pytest.fixture(scope="package")
def airtable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirtable]:
    """A small base with more than one page, files, and comments."""
    path = tmp_path_factory.mktemp("base") / "base.sqlite"
    create_base(path, seed=7, scale=SCALE)
    file = BaseFile(path)
    for number, row in enumerate(list(file.all(2))[:3]):
        body = encode({"id": f"com{number:014d}", "text": "a comment", "createdTime": row.created})
        file.add_comments([Comment(f"com{number:014d}", row.record_id, 9, body)])
        file.count_comments(row.record_id)
    words = schema.QUOTES.field_id("Quote Text")
    created = "2025-01-02T03:04:05.000Z"
    file.add_records(
        Row(
            5 * SEQ_PER_TABLE - 200 + n,
            f"recMore{n:010d}",
            created,
            created,
            0,
            pack({words: encode(f"words {n}")}),
        )
        for n in range(150)
    )
    file.db.commit()
    file.close()
    with LocalAirtable(path, requests_per_second=None) as server:
        yield server


@pytest.fixture(scope="package")
def dagster(airtable: LocalAirtable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    """The home with Dagster's own storage, running for the whole module."""
    with open_lane(tmp_path_factory.mktemp("lane") / "home", airtable) as lane:
        yield lane


@pytest.fixture(scope="package")
def undisturbed(dagster: Lane) -> Undisturbed:
    run = dagster.run("migrate")
    assert run.is_success, facts(run, dagster)
    folder = Path(urlsplit(dagster.store.url).path)
    return Undisturbed(dagster, dagster.content(), folder, files(dagster), counts(dagster))


@pytest.fixture
def fresh(
    dagster: Lane, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, airtable: LocalAirtable
) -> Iterator[Lane]:
    """The lane with an empty database and an empty store; the server disturbs nothing yet, and nobody waits long."""
    monkeypatch.setenv("STAGING_DATABASE_URL", database_url)
    monkeypatch.setenv("OBJECT_STORE_URL", (tmp_path / "objects").as_uri())
    waits: dict[str, Any] = {"penalty_seconds": 0.05, "clock": Clock(sleep=lambda seconds: None)}
    for name, value in waits.items():
        monkeypatch.setitem(AirtableClient.__init__.__kwdefaults__, name, value)  # type: ignore[arg-type]  # it has such defaults
    settings = read_settings(Environment.STAGING)
    yield replace(dagster, settings=settings, store=object_store(settings))
    airtable.faults.clear()


def files(lane: Lane) -> set[str]:
    return {entry.key for entry in lane.store.list("media")}


def counts(lane: Lane) -> dict[str, tuple[int, int, str]]:
    """What the latest export says it holds of each table."""
    manifest = latest_export(lane.store).manifest
    return {table.id: (table.records, table.comments, table.ids_sha256) for table in manifest.tables}


def assert_undisturbed(lane: Lane, undisturbed: Undisturbed) -> None:
    """Everything is there as after an undisturbed run."""
    assert lane.content() == undisturbed.content
    assert files(lane) == undisturbed.files
    assert counts(lane) == undisturbed.counts


def assert_nothing_loaded(lane: Lane) -> None:
    assert not any(lane.content().values())


def environ_of(lane: Lane) -> dict[str, str]:
    """The lane's settings for a process of its own."""
    return settings_of(
        lane.settings.home,
        lane.airtable,
        STAGING_DATABASE_URL=os.environ["STAGING_DATABASE_URL"],
        OBJECT_STORE_URL=os.environ["OBJECT_STORE_URL"],
    )


def of_the_undisturbed_store(fresh: Lane, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch) -> Lane:
    """The fresh database, with a copy of what the undisturbed run stored."""
    copy = Path(urlsplit(fresh.settings.object_store_url).path)
    shutil.copytree(undisturbed.folder, copy, dirs_exist_ok=True)
    return fresh
