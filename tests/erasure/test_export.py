"""An export after an erasure: no word of the person reaches the store, and everything else is as exact as ever."""

from __future__ import annotations

import pytest

from ledger_assets.demo.schema import QUOTES
from ledger_assets.erasure.applied import assert_absent
from ledger_assets.errors import SourceError, TargetError
from ledger_assets.load.erasures import assert_provable
from ledger_assets.load.history import last_load
from tests.erasure.world import WORD, Person, Steps, failed, holding, written
from tests.schema.world import World, places_of


def test_a_migration_after_an_erasure_is_proven_and_holds_no_word_of_the_person(
    steps: Steps, person: Person
) -> None:
    _, proof = steps.migrate()
    assert failed(proof) == []
    kinds = {key.split("/")[2] for key in holding(steps.store) if key.startswith("exports/")}
    assert kinds == {"attachments.json", "comments", "tables"}
    erased = steps.erase(person)
    assert {(table, record) for one in erased for _, table, record in one.records} == {
        (table, record) for table, ids in person.records.items() for record in ids
    }
    before = {entry.key for entry in steps.store.list("")}
    report, proof = steps.migrate(erased)
    assert failed(proof) == []
    after = [key for key in holding(steps.store) if key not in before]
    assert after == []
    steps.conn.rollback()
    steps.conn.autocommit = True
    assert places_of(World(steps.conn, ""), WORD) == []
    records = {one.table_id: one for one in proof.records}
    for table, ids in person.records.items():
        assert records[table].erased == len(ids)
        assert records[table].airtable == records[table].export + len(ids)
    assert sum(one.redacted for one in proof.records) > 0
    assert sum(one.redacted for one in proof.derived) > 0
    assert written(report)


def test_two_migrations_after_an_erasure_write_nothing(steps: Steps, person: Person) -> None:
    steps.migrate()
    erased = steps.erase(person)
    steps.migrate(erased)
    report, proof = steps.migrate(erased)
    assert (written(report), failed(proof)) == ({}, [])
    last = last_load(steps.conn)
    assert last is not None
    steps.conn.rollback()
    assert_provable(steps.conn, last.committed_at)


def test_any_base_is_proven_after_an_erasure(steps: Steps, person: Person) -> None:
    steps.migrate()
    erased = steps.erase(person)
    before = {entry.key for entry in steps.store.list("")}
    steps.specs = ()
    _, proof = steps.migrate(erased)
    assert failed(proof) == []
    assert [key for key in holding(steps.store) if key not in before] == []


def test_a_final_export_agrees_with_its_second_scan(steps: Steps, person: Person) -> None:
    steps.migrate()
    erased = steps.erase(person)
    export = steps.export(erased, final=True)
    assert sum(table.erased for table in export.manifest.tables) == 5


def test_an_interrupted_export_from_before_the_erasure_is_not_gone_on_with(
    steps: Steps, person: Person
) -> None:
    """Its pages hold the person."""
    steps.migrate()
    erased = steps.erase(person)
    before = {entry.key for entry in steps.store.list("")}
    steps.airtable.faults.add(path_contains=f"/{QUOTES.id}", status=403, body=b"{}", times=1)
    with pytest.raises(SourceError):
        steps.export()
    export = steps.export(erased)
    assert export.manifest.continued is None
    assert [key for key in holding(steps.store) if key not in before] == []


def test_an_interrupted_export_after_the_erasure_is_gone_on_with(steps: Steps, person: Person) -> None:
    steps.migrate()
    erased = steps.erase(person)
    whole = steps.export(erased).manifest
    steps.airtable.faults.add(path_contains=f"/{QUOTES.id}", status=403, body=b"{}", times=1, after=1)
    with pytest.raises(SourceError):
        steps.export(erased)
    manifest = steps.export(erased).manifest
    assert manifest.continued is not None
    for one, other in zip(whole.tables, manifest.tables, strict=True):
        assert (one.erased, one.redacted, one.ids_sha256) == (other.erased, other.redacted, other.ids_sha256)


def test_a_note_about_an_erased_record_goes_with_the_next_load(steps: Steps, person: Person) -> None:
    steps.migrate()
    with steps.conn.transaction():
        steps.conn.execute(
            "insert into migration.findings "
            "(id, base_id, kind, airtable_table_id, record_id, reason, first_load, last_load, note) "
            "select 'x', r.base_id, 'conflict', r.table_id, r.record_id, 'r', 1, 1, %s from airtable.records r "
            "where record_id = %s",
            (WORD, person.id),
        )
    erased = steps.erase(person)
    assert assert_absent(steps.conn, erased) == [
        f"migration.findings (note): {person.id} was erased and is there"
    ]
    steps.migrate(erased)
    assert assert_absent(steps.conn, erased) == []


def test_an_export_from_before_the_erasure_is_refused(steps: Steps, person: Person) -> None:
    export = steps.export()
    ledger = steps.ledger(export)
    steps.load(export, ledger)
    steps.erase(person)
    with pytest.raises(TargetError, match=f"still holds 5 records.*{person.id}.*export again"):
        steps.load(export, ledger)


def test_the_proof_still_finds_a_loss_among_redacted_records(steps: Steps, person: Person) -> None:
    """Cells of redacted records that are not left out are judged like any other."""
    steps.migrate()
    erased = steps.erase(person)
    export = steps.export(erased)
    ledger = steps.ledger(export)
    steps.load(export, ledger)
    with steps.conn.transaction():
        steps.conn.execute("set local migration.writer = 'on'")
        steps.conn.execute("update interviews set transcript = 'other' where transcript = 'quokka'")
    assert [(table, name) for table, name, _ in failed(steps.prove(export, ledger))] == [("Media", "cells")]


def test_once_deleted_in_airtable_nothing_is_left_out_and_the_links_are_not_read(
    steps: Steps, person: Person
) -> None:
    import pyairtable

    steps.migrate()
    erased = steps.erase(person)
    api = pyairtable.Api(steps.airtable.api_key, endpoint_url=steps.airtable.url)
    for table, ids in person.records.items():
        for record in ids:
            api.table(steps.airtable.base_id, table).delete(record)
    whole = steps.export().manifest
    export = steps.export(erased).manifest
    assert [(t.erased, t.redacted) for t in export.tables] == [(0, {})] * 5
    assert [t.ids_sha256 for t in export.tables] == [t.ids_sha256 for t in whole.tables]
    assert export.calls == whole.calls + 5
