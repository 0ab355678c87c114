"""Purging: no byte of the person is left in the store, whatever interrupts it, and what is left is a whole export."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyairtable
import pytest

from ledger_assets.demo.schema import QUOTES
from ledger_assets.erasure.model import Erasure
from ledger_assets.erasure.purge import Purged, purge
from ledger_assets.extract.export import Export, list_exports
from ledger_assets.storage import ObjectStore, open_store
from tests.erasure.world import WORD, Person, Steps, failed, holding, written


class Killed(BaseException):
    """What a SIGKILL leaves behind: everything written so far, and nothing else."""


class Dying(ObjectStore):
    """Dies after so many writes and removals."""

    def __init__(self, store: ObjectStore, after: int) -> None:
        super().__init__(store._store, store.url)
        self.left = after

    def _one(self) -> None:
        if self.left == 0:
            raise Killed
        self.left -= 1

    def put(self, key: str, data: bytes | Path, *, create: bool = False) -> None:
        self._one()
        super().put(key, data, create=create)

    def delete(self, key: str) -> None:
        self._one()
        super().delete(key)


def test_after_a_purge_no_byte_of_the_person_is_stored_and_the_export_is_proven(
    steps: Steps, person: Person
) -> None:
    steps.migrate()
    export = steps.export()
    ledger = steps.ledger(export)
    steps.load(export, ledger)
    files = {e.object_key for e in _entries(steps, export.export_id) if e.record_id in _ids(person)}
    assert len(files) == 4
    assert all(key is not None and steps.store.size(key) is not None for key in files)
    erased = steps.erase(person)
    done = purge(steps.store, erased, conn=steps.conn)
    assert (done.exports, done.ledgers, done.files, done.waiting) == (2, 2, 4, ())
    assert holding(steps.store) == []
    assert all(key is not None and steps.store.size(key) is None for key in files)
    purged = Export(steps.store, export.export_id)
    assert purged.manifest.purged == tuple(one.request_id for one in erased)
    ledger = steps.ledger(purged)
    steps.load(purged, ledger)
    assert failed(steps.prove(purged, ledger)) == []
    assert written(steps.load(purged, ledger)) == {}
    assert purge(steps.store, erased, conn=steps.conn) == Purged()


def test_a_purged_export_is_what_an_export_after_the_erasure_is(steps: Steps, person: Person) -> None:
    export = steps.export()
    ledger = steps.ledger(export)
    steps.load(export, ledger)
    erased = steps.erase(person)
    purge(steps.store, erased)
    purged, anew = Export(steps.store, export.export_id).manifest, steps.export(erased).manifest
    for one, other in zip(purged.tables, anew.tables, strict=True):
        assert (one.ids_sha256, one.records, one.comments) == (
            other.ids_sha256,
            other.records,
            other.comments,
        )
        assert (one.erased, one.redacted) == (other.erased, other.redacted)


def test_a_second_erasure_is_purged_from_a_purged_export(steps: Steps, person: Person) -> None:
    export = steps.export()
    steps.load(export, steps.ledger(export))
    erased = steps.erase(person)
    purge(steps.store, erased)
    (other,) = steps.conn.execute(
        "select airtable_record_id from storytellers where airtable_record_id is not null order by 1 limit 1"
    ).fetchone() or ("",)
    steps.conn.rollback()
    both = steps.erase(Person(other))
    assert len(both) == 2
    assert purge(steps.store, both).exports == 1
    manifest = Export(steps.store, export.export_id).manifest
    assert (manifest.revision, set(manifest.purged)) == (2, {one.request_id for one in both})
    assert holding(steps.store) == [] == holding(steps.store, other.lower())
    folders = {entry.key.split("/")[2] for entry in steps.store.list("exports")}
    assert folders == {"MANIFEST.json", "metadata.json", "r2"}


def test_killed_at_any_write_the_export_is_the_old_or_the_new_and_the_next_purge_finishes(
    steps: Steps, person: Person, tmp_path: Path
) -> None:
    import shutil

    export = steps.export()
    steps.load(export, steps.ledger(export))
    erased = steps.erase(person)
    states: set[int] = set()
    steps.conn.rollback()
    for after in range(200):
        copy = tmp_path / f"copy{after}"
        shutil.copytree(tmp_path / "objects", copy)
        store = open_store(copy.as_uri())
        try:
            purge(Dying(store, after), erased)
            break
        except Killed:
            found = Export(store, export.export_id)
            states.add(found.manifest.revision)
            for table in found.manifest.tables:
                assert len(list(found.records(table.id))) == table.records == found.index(table.id).height
                list(found.comments(table.id))
        purge(store, erased)
        assert holding(store) == []
        shutil.rmtree(copy)
    else:
        pytest.fail("it never ended")
    assert states == {0, 1}


def test_a_file_that_somebody_else_has_too_stays(steps: Steps, person: Person) -> None:
    export = steps.export()
    steps.load(export, steps.ledger(export))
    (key,) = {
        e.object_key
        for e in _entries(steps, export.export_id)
        if e.record_id == person.id and "Form" in e.filename
    }
    with steps.conn.transaction():
        steps.conn.execute(
            "insert into media_assets (id, role, storyteller_id, position, attachment_id, object_key) "
            "select gen_random_uuid(), 'signature', id, 9, 'attShared', %s from storytellers "
            "where airtable_record_id <> %s limit 1",
            (key, person.id),
        )
    erased = steps.erase(person)
    assert purge(steps.store, erased, conn=steps.conn).files == 3
    assert key is not None
    assert steps.store.size(key) is not None


def test_files_go_from_the_vault_too(steps: Steps, person: Person, tmp_path: Path) -> None:
    export = steps.export()
    steps.load(export, steps.ledger(export))
    vault = open_store((tmp_path / "vault").as_uri())
    mine = [e for e in _entries(steps, export.export_id) if e.record_id in _ids(person)]
    for entry in mine:
        vault.put(f"media/x{entry.sha256}.age", b"sealed")
    vault.put("media/xother.age", b"sealed")
    purge(steps.store, steps.erase(person), vault=vault, media_key=lambda sha: f"media/x{sha}.age")
    assert [entry.key for entry in vault.list("media")] == ["media/xother.age"]


def test_an_interrupted_export_of_this_machine_is_removed_and_a_running_one_is_named(
    steps: Steps, person: Person
) -> None:
    from ledger_assets.extract.limiter import only_one
    from ledger_assets.extract.run import lock_file

    export = steps.export()
    steps.load(export, steps.ledger(export))
    erased = steps.erase(person)
    purge(steps.store, erased)
    locks = steps.home / "locks"
    steps.airtable.faults.add(path_contains=f"/{_tables()[-1]}", status=403, body=b"{}", times=1)
    with pytest.raises(Exception, match=r"403|refuse"):
        steps.export()
    (begun,) = set(steps.store.folders("exports")) - set(list_exports(steps.store))
    with only_one(lock_file(locks, steps.store, steps.airtable.base_id), "busy"):
        assert purge(steps.store, erased, lock_folder=locks).waiting == (f"export {begun}",)
    assert purge(steps.store, erased).waiting == (f"export {begun}",)
    done = purge(steps.store, erased, lock_folder=locks)
    assert (done.unfinished, done.waiting) == (1, ())
    assert holding(steps.store) == []


def test_reports_hold_no_word(steps: Steps, person: Person) -> None:
    """They are kept as they are: of a person they hold ids."""
    steps.migrate()
    found = [entry.key for entry in steps.store.list("reports")]
    assert len(found) == 2
    assert not {*found} & {*holding(steps.store)}
    rows = steps.conn.execute("select document::text || coalesce(page, '') from migration.reports").fetchall()
    assert not any(WORD in row[0] for row in rows)


def _entries(steps: Steps, export_id: str) -> Any:
    from ledger_assets.extract.attachments import read_inventory

    return read_inventory(steps.store, export_id).entries


def _ids(person: Person) -> set[str]:
    return {one for ids in person.records.values() for one in ids}


def _tables() -> list[str]:
    from ledger_assets.demo import schema

    return [table.id for table in schema.TABLES]


def test_a_ledger_of_an_export_before_it_was_purged_goes_though_no_row_of_it_is_the_persons(
    steps: Steps,
) -> None:
    """Its other rows may repeat their words."""
    api = pyairtable.Api(steps.airtable.api_key, endpoint_url=steps.airtable.url)
    api.table(steps.airtable.base_id, QUOTES.id).create({})  # makes no row
    export = steps.export()
    ledger = steps.ledger(export)
    assert ledger is not None
    table, record = ledger.skipped.select("table_id", "record_id").row(0)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    erasure = Erasure("r1", "story", at, records=((export.manifest.base_id, table, record),))
    done = purge(steps.store, [erasure])
    assert (done.exports, done.ledgers) == (1, 1)
