"""Files on their way lie in the home, and what a killed process has left of them goes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger_assets.extract.attachments import download_attachments
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.export import Export
from ledger_assets.extract.run import export_base
from ledger_assets.extract.scratch import remove_abandoned, scratch_folder
from ledger_assets.storage import ObjectStore

from .scripted import BASE, KEY, ScriptedAirtable, record

CONTENT = b"a face and a voice " * 500

PROCESS = """
import sys
from pathlib import Path
from ledger_assets.extract.attachments import download_attachments
from ledger_assets.extract.client import AirtableClient
from ledger_assets.extract.export import latest_export
from ledger_assets.storage import ObjectStore, open_store

class Full(ObjectStore):
    def put(self, key, data, **options):
        if key.startswith("media/"):
            print("fetched", flush=True)
            sys.stdin.read()  # until it is killed

url, key, base, locks, objects = sys.argv[1:]
client = AirtableClient(url, key, base, requests_per_second=1000.0, lock_folder=Path(locks))
store = open_store(objects)
download_attachments(client, Full(store._store, store.url), latest_export(store))
"""


@pytest.fixture
def export(scripted: ScriptedAirtable, client: AirtableClient, store: ObjectStore) -> Export:
    """An export of one record with one file."""
    scripted.files["att0"] = CONTENT
    cell = (
        f'[{{"id":"att0","filename":"face.jpg","size":{len(CONTENT)},"type":"image/jpeg",'
        f'"url":"{scripted.url}/files/att0"}}]'
    )
    fields = [{"id": "fldFile", "name": "Photo", "type": "multipleAttachments"}]
    scripted.add_table("Media", [record(0, fields=f'{{"fldFile":{cell}}}')], fields)
    return Export(store, export_base(client, store, environment="staging").export_id)


@contextmanager
def downloading(
    scripted: ScriptedAirtable, store: ObjectStore, locks: Path, system: Path
) -> Iterator[subprocess.Popen[str]]:
    """A process that has just fetched the file and has not stored it yet; killed at the end."""
    system.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, scripted.url, KEY, BASE, str(locks), store.url],
        env={"TMPDIR": str(system), "PYTHONPATH": ":".join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "fetched\n"
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL


def holding(folder: Path) -> list[Path]:
    """The files below a folder that hold somebody's picture."""
    return [path for path in folder.rglob("*") if path.is_file() and path.read_bytes() == CONTENT]


@pytest.mark.parametrize("next_step", ["download", "export"])
def test_a_killed_download_leaves_nothing_outside_the_home_and_the_next_step_removes_the_rest(
    scripted: ScriptedAirtable,
    client: AirtableClient,
    store: ObjectStore,
    export: Export,
    tmp_path: Path,
    locks: Path,
    next_step: str,
) -> None:
    home, system = tmp_path / "tmp", tmp_path / "system"
    with downloading(scripted, store, locks, system):
        (file,) = holding(home)
        assert home.stat().st_mode & 0o777 == 0o700
        assert file.parent.stat().st_mode & 0o777 == 0o700
        assert file.stat().st_mode & 0o777 == 0o600
    assert holding(home) == [file], "a killed process cannot tidy up"
    assert list(system.iterdir()) == []
    if next_step == "download":
        assert not download_attachments(client, store, export).problems
    else:
        export_base(client, store, environment="staging")
    assert [path.name for path in home.iterdir()] == ["lock"]


def test_the_files_of_a_download_that_is_running_stay(
    scripted: ScriptedAirtable,
    client: AirtableClient,
    store: ObjectStore,
    export: Export,
    tmp_path: Path,
    locks: Path,
) -> None:
    home = tmp_path / "tmp"
    with downloading(scripted, store, locks, tmp_path / "system"):
        before = holding(home)
        assert not download_attachments(client, store, export).problems
        assert holding(home) == before != []


def test_a_download_that_fails_removes_its_files(tmp_path: Path) -> None:
    def fail() -> None:
        with scratch_folder(tmp_path) as folder:
            (folder / "file").write_bytes(CONTENT)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["lock"]


def test_two_threads_of_one_process_have_a_folder_each(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as one:
        with scratch_folder(tmp_path) as another:
            assert one != another
        assert one.is_dir()
        remove_abandoned(tmp_path)
        assert one.is_dir()


def test_a_folder_left_before_it_was_locked_goes_too(tmp_path: Path) -> None:
    """Its process was killed between the two."""
    (tmp_path / "tmp" / "files-abandoned").mkdir(parents=True, mode=0o755)
    remove_abandoned(tmp_path)
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["lock"]
