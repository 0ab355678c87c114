"""Disturbances of the whole lane. Afterwards, or after the next run, the result is the same as undisturbed, and nothing
was half there in between: a server that fails, a database that is stopped, a full disk, two at once, damage, SIGTERM.

Every test has a database and a store of its own; Dagster and the base are the module's.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from ledger_assets import progress
from ledger_assets.cli.session import run_job
from ledger_assets.connections import object_store
from ledger_assets.demo import schema
from ledger_assets.demo.base import create_base
from ledger_assets.demo.basefile import SEQ_PER_TABLE, BaseFile, Comment, Row
from ledger_assets.demo.cells import encode, pack
from ledger_assets.demo.postgres import Cluster
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import Environment, read_settings
from ledger_assets.errors import LedgerError
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.export import latest_export, list_exports
from ledger_assets.extract.limiter import Clock
from ledger_assets.ledger.store import list_ledgers
from ledger_assets.load import schema as target_schema
from ledger_assets.load.connect import connect

from .commands import COMMAND, ended, settings_of, start
from .conftest import Lane, content, facts
from .worlds import open_lane

SCALE = 200
MONTHS = "2024-10..2025-12"

Fresh = Callable[[], Lane]


@dataclass
class Undisturbed:
    """What one run left that nothing disturbed."""

    lane: Lane
    content: dict[str, Any]
    folder: Path
    files: set[str]
    counts: dict[str, tuple[int, int, str]]


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def dagster(airtable: LocalAirtable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    """The home with Dagster's own storage, running for the whole module."""
    with open_lane(tmp_path_factory.mktemp("lane") / "home", airtable) as lane:
        yield lane


@pytest.fixture(scope="module")
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
        monkeypatch.setitem(AirtableClient.__init__.__kwdefaults__, name, value)  # type: ignore[arg-type]
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


LOST = '{"error":{"type":"LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}}'
LIMIT = '{"errors":[{"error":"RATE_LIMIT_REACHED","message":"slow down"}]}'
QUOTES, THEMES, MEDIA = (f"/{table.id}?" for table in (schema.QUOTES, schema.THEMES, schema.MEDIA))

SERVER: dict[str, list[dict[str, Any]]] = {
    "it refuses for a while, and answers 500 and 503": [
        {"path_contains": "/v0/meta/", "status": 503, "after": 0},
        {"path_contains": THEMES, "status": 429, "body": LIMIT},
        {"path_contains": MEDIA, "status": 500, "times": 2},
        {"path_contains": "/comments", "status": 429, "body": LIMIT},
        {"path_contains": "/files/", "status": 503, "times": 2},
    ],
    "it loses the scan's place, and sends half a body": [
        {"path_contains": "offset=", "status": 422, "body": LOST},
        {"path_contains": THEMES, "cut": True},
        {"path_contains": "/comments", "cut": True, "after": 1},
        {"path_contains": "/files/", "cut": True, "after": 3},
    ],
    "it sends what is no JSON, and what is JSON and no records": [
        {"path_contains": "/v0/meta/", "garbage": True},
        {"path_contains": QUOTES, "garbage": True, "times": 2},
        {"path_contains": MEDIA, "status": 200, "body": '{"records":[{"id":"rec1"}]}'},
        {"path_contains": "/comments", "garbage": True},
        {"path_contains": "/files/", "garbage": True, "after": 2},
    ],
}


@pytest.mark.parametrize("disturbance", SERVER)
def test_a_server_that_fails_in_between_changes_nothing(
    fresh: Lane, undisturbed: Undisturbed, disturbance: str
) -> None:
    scripted = [fresh.airtable.faults.add(**fault) for fault in SERVER[disturbance]]
    run = fresh.run("migrate")
    assert run.is_success, facts(run, fresh)
    assert [fault for fault in scripted if fault.times] == [], "a disturbance did not happen"
    assert_undisturbed(fresh, undisturbed)


@pytest.fixture(scope="module")
def second_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Postgres that may be stopped: Dagster's own storage lies in another."""
    cluster = Cluster(tmp_path_factory.mktemp("second"))
    cluster.start()
    cluster.ensure_database("target")
    with connect(cluster.url("target"), application_name="test") as connection:
        target_schema.apply(connection)
    yield cluster
    cluster.stop()


def kill(cluster: Cluster) -> None:
    """SIGKILL, as when the machine takes it."""
    process = cluster._postmaster()
    assert process is not None
    process.kill()


def test_a_postgres_that_is_stopped_mid_load_is_one_line_and_the_next_run_is_right(
    fresh: Lane,
    undisturbed: Undisturbed,
    second_cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAGING_DATABASE_URL", second_cluster.url("target"))
    lane = replace(fresh, settings=read_settings(Environment.STAGING))
    seen = 0

    def disturb(stage: str, label: str, done: int, total: int | None) -> None:
        nonlocal seen
        seen += stage == "load"
        if stage == "load" and seen == 5:
            kill(second_cluster)

    with progress.listen(disturb), pytest.raises(LedgerError) as refused:
        run_job(lane.instance, Environment.STAGING, "migrate")
    assert seen >= 5
    assert refused.value.exit_code == 2
    assert "Postgres ended the connection; nothing is half there" in str(refused.value)
    assert "\n" not in str(refused.value)
    second_cluster.start()
    assert_nothing_loaded(lane)
    run = lane.run("migrate")
    assert run.is_success, facts(run, lane)
    assert_undisturbed(lane, undisturbed)


DISTURBED = """
import os, resource, signal, sys
from ledger_assets import progress
what, stage, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
seen = 0

def disturb(at, label, done, total):
    global seen
    seen += at == stage
    if at == stage and seen == count:
        if what == "full":  # from now on no file can grow, as on a full disk
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        else:
            os.kill(os.getpid(), signal.SIGTERM)

progress._listeners.append(disturb)
sys.argv = ["ledger-assets", "migrate", "staging"]
from ledger_assets.cli import main
main()
"""


def environ_of(lane: Lane) -> dict[str, str]:
    """The lane's settings for a process of its own."""
    return settings_of(
        lane.settings.home,
        lane.airtable,
        STAGING_DATABASE_URL=os.environ["STAGING_DATABASE_URL"],
        OBJECT_STORE_URL=os.environ["OBJECT_STORE_URL"],
    )


FULL = (
    r"ledger-assets: (object (exports|ledger)/\S+|the file of attachment att\w+|a file /\S+) cannot be written"
    r".*: File too large.*: make room on its disk, then run this again\n"
)
"""Whichever of the files that are written at once meets the full disk first."""


def test_a_full_disk_is_one_line_each_time_and_the_run_after_it_is_right(
    fresh: Lane, undisturbed: Undisturbed
) -> None:
    """During the export; in the run that goes on with it, during the files; and in the next, during the ledger."""
    stages = {"export": 2, "attachments": 4, "ledger": 6}
    for exports, (stage, count) in enumerate(stages.items()):
        done = ended(start(environ_of(fresh), sys.executable, "-c", DISTURBED, "full", stage, str(count)))
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert re.fullmatch(FULL, done.stderr), done.stderr
        assert len(list_exports(fresh.store)) == exports
        assert list_ledgers(fresh.store) == []
        assert_nothing_loaded(fresh)
    run = fresh.run("migrate")
    assert run.is_success, facts(run, fresh)
    assert_undisturbed(fresh, undisturbed)


def test_two_migrations_at_once_leave_what_one_does(fresh: Lane, undisturbed: Undisturbed) -> None:
    """Both are right, or one says that the other is at work; never a mixture."""
    both = [start(environ_of(fresh), *COMMAND, "migrate", "staging") for _ in range(2)]
    results = [ended(process) for process in both]
    for done in results:
        assert done.returncode in (0, 2), done.stderr
        if done.returncode:
            assert len(done.stderr.splitlines()) == 1
            assert "is running already: wait until it has ended" in done.stderr
    assert 0 in {done.returncode for done in results}
    assert_undisturbed(fresh, undisturbed)


def test_two_loads_at_once_leave_what_one_does(
    fresh: Lane, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same stored export, into the same empty database."""
    lane = of_the_undisturbed_store(fresh, undisturbed, monkeypatch)
    both = [start(environ_of(lane), *COMMAND, "migrate", "staging", "--months", MONTHS) for _ in range(2)]
    results = [ended(process) for process in both]
    assert [done.returncode for done in results] == [0, 0], [done.stderr for done in results]
    assert sorted("\n0 rows written" in done.stdout for done in results) == [False, True]
    assert lane.content() == undisturbed.content


def of_the_undisturbed_store(fresh: Lane, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch) -> Lane:
    """The fresh database, with a copy of what the undisturbed run stored."""
    copy = Path(urlsplit(fresh.settings.object_store_url).path)
    shutil.copytree(undisturbed.folder, copy, dirs_exist_ok=True)
    return fresh


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


def test_sigterm_ends_the_run_and_the_parts_in_order(
    airtable: LocalAirtable, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    home = tmp_path / "home"
    done = ended(start(settings_of(home, airtable), sys.executable, "-c", DISTURBED, "term", "load", "3"))
    assert done.returncode == 2
    assert done.stderr == "ledger-assets: the run was stopped; nothing is half there: run it again\n"
    cluster = Cluster(home)
    assert not cluster.running
    cluster.start()
    try:
        with psycopg.connect(cluster.url("dagster")) as connection:
            assert connection.execute("select status from runs").fetchall() == [("FAILURE",)]
        with psycopg.connect(cluster.url("ledger_staging")) as connection:
            assert not any(content(connection).values())
    finally:
        cluster.stop()
