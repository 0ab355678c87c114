"""A load reads the index first, and of the pages only those with a new or changed record; neither is believed blindly."""

from __future__ import annotations

import json

import polars as pl
import psycopg
import pytest
from load_world import FEBRUARY, JANUARY, PEOPLE, WORKS, World, contents, run

from ledger_assets.errors import StoreError
from ledger_assets.extract.export import index_key, pack, page_key
from ledger_assets.extract.index import pack_index, unpack_index
from ledger_assets.storage import ObjectStore

RECORDS = 350
"""Of one table: four pages."""
CHANGED = "recWork150"
"""A record of the second page."""


@pytest.fixture
def many(world: World) -> World:
    world.people.clear()
    world.works.clear()
    for number in range(RECORDS):
        created = FEBRUARY if number >= 300 else JANUARY
        world.work(f"recWork{number:03d}", f"Work {number}", created=created)
    return world


@pytest.fixture
def read(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the objects that are read from the store."""
    keys: list[str] = []
    get = ObjectStore.get

    def counted(store: ObjectStore, key: str) -> bytes:
        keys.append(key)
        return get(store, key)

    monkeypatch.setattr(ObjectStore, "get", counted)
    return keys


def pages(read: list[str]) -> list[str]:
    """The pages among the objects read: table and number."""
    return [key.split("/tables/")[1].removesuffix(".jsonl.zst") for key in read if "/tables/" in key]


def test_a_new_export_in_which_nothing_changed_is_loaded_without_reading_a_page(
    db: psycopg.Connection, many: World, read: list[str]
) -> None:
    run(db, many)
    assert pages(read) == [f"{WORKS}/{n:06d}" for n in range(4)]
    before = contents(db)
    made = many.publish()
    read.clear()
    report = run(db, many, made)
    assert (report.committed, report.written, pages(read)) == (True, 0, [])
    assert (report.raw[WORKS].unchanged, report.tables["works"].unchanged) == (RECORDS, RECORDS)
    assert contents(db) == before


def test_of_a_changed_record_only_its_page_is_read(
    db: psycopg.Connection, many: World, read: list[str]
) -> None:
    run(db, many)
    many.works[CHANGED]["title"] = "Another"
    made = many.publish()
    read.clear()
    report = run(db, many, made)
    assert report.committed
    assert pages(read) == [f"{WORKS}/000001"]
    assert (report.raw[WORKS].updated, report.raw[WORKS].unchanged) == (1, RECORDS - 1)
    with db.transaction():
        row = db.execute("select raw from airtable.records where record_id = %s", (CHANGED,)).fetchone()
    assert row is not None
    assert "Another" in row[0]


def test_of_a_new_record_only_its_page_is_read(db: psycopg.Connection, many: World, read: list[str]) -> None:
    run(db, many)
    many.work("recNew", "New")
    made = many.publish()
    read.clear()
    assert run(db, many, made).raw[WORKS].inserted == 1
    assert pages(read) == [f"{WORKS}/000003"]


def test_of_a_month_only_the_pages_with_its_records_are_read(
    db: psycopg.Connection, many: World, read: list[str]
) -> None:
    report = run(db, many, months=["2025-02"])
    assert pages(read) == [f"{WORKS}/000003"]
    assert report.raw[WORKS].inserted == 50


@pytest.mark.parametrize("spoil", ["changed", "missing"])
def test_an_index_that_is_not_what_the_manifest_says_is_refused(
    db: psycopg.Connection, many: World, spoil: str
) -> None:
    """Else a record that it leaves out, or calls unchanged, would not be loaded and nobody would know."""
    run(db, many)
    before = contents(db)
    many.works[CHANGED]["title"] = "Another"
    made = many.publish()
    key = index_key(made[0].export_id, WORKS)
    if spoil == "missing":
        many.store.delete(key)
    else:
        index = unpack_index(many.store.get(key))
        many.store.put(key, pack_index(index.filter(pl.col("record_id") != CHANGED)))
    with pytest.raises(StoreError, match=f"index/{WORKS}"):
        run(db, many, made)
    assert contents(db) == before


def test_an_export_without_an_index_is_loaded_from_its_pages(
    db: psycopg.Connection, many: World, read: list[str]
) -> None:
    many.indexed = False
    assert run(db, many).raw[WORKS].inserted == RECORDS
    many.works[CHANGED]["title"] = "Another"
    report = run(db, many)
    assert (report.raw[WORKS].updated, report.raw[WORKS].unchanged) == (1, RECORDS - 1)
    assert not any("/index/" in key for key in read)


@pytest.mark.parametrize("spoil", ["another text", "one record fewer"])
def test_a_page_that_is_not_what_the_index_says_is_refused(
    db: psycopg.Connection, many: World, spoil: str
) -> None:
    run(db, many)
    before = contents(db)
    many.works[CHANGED]["title"] = "Another"
    made = many.publish()
    lines = made[0].page(WORKS, 1)
    wanted = next(line for line in lines if json.loads(line)["id"] == CHANGED)
    other = [wanted.replace("Another", "Smuggled")] if spoil == "another text" else []
    many.store.put(page_key(made[0].export_id, WORKS, 1), pack([*other, *(x for x in lines if x != wanted)]))
    with pytest.raises(StoreError, match=f"page 1 of table {WORKS}.*is not what its index says"):
        run(db, many, made)
    assert contents(db) == before


def test_of_a_record_delivered_twice_the_first_text_is_kept(db: psycopg.Connection, many: World) -> None:
    first, later = (
        json.dumps({"id": "recTwice", "createdTime": JANUARY, "fields": {"fldtitle": title}})
        for title in ("first", "later")
    )
    many.raw |= {"recWork348": first, "recWork349": later}
    run(db, many)
    with db.transaction():
        rows = db.execute("select raw from airtable.records where record_id = 'recTwice'").fetchall()
    assert rows == [(first,)]


@pytest.mark.parametrize(
    "damage",
    [
        "delete from credits",
        "update works set source_hash = sha256('other') where airtable_record_id = 'recRiver'",
        "update works set source_deleted_at = now() where airtable_record_id = 'recRiver'",
        "delete from airtable.records where record_id = 'recRiver'",
        "update airtable.records set content_sha256 = sha256('other') where record_id = 'recRiver'",
        "update airtable.records set source_deleted_at = now() where record_id = 'recRiver'",
    ],
)
def test_a_table_that_is_not_what_the_last_load_left_is_compared_row_by_row(
    db: psycopg.Connection, world: World, damage: str
) -> None:
    """The whole table's hash stands for its rows only when it is that of the ledger."""
    run(db, world)
    before = contents(db)
    with db.transaction():
        db.execute("set local migration.writer = 'on'")
        db.execute(damage.encode())
    report = run(db, world)
    assert (report.committed, report.written > 0) == (True, True)
    assert contents(db) == before


def test_a_row_that_is_not_of_the_base_changes_nothing(db: psycopg.Connection, world: World) -> None:
    """A row that somebody made here has no base; the table's hash leaves it out as every comparison does."""
    run(db, world)
    with db.transaction():
        db.execute("insert into people (id, name) values (gen_random_uuid(), 'Made here')")
    report = run(db, world)
    assert (report.written, report.tables["people"].unchanged) == (0, 2)


def test_a_table_that_is_the_same_is_still_judged(db: psycopg.Connection, world: World) -> None:
    run(db, world)
    checks = {(c.table, c.name): c for c in run(db, world).checks}
    for table in ("people", "works", "credits"):
        assert {name for t, name in checks if t == table} == {"relationships", "ids", "hashes", "columns"}
    assert checks["works", "ids"].detail == {"staged": 2, "missing": 0, "extra": 0}


def test_a_record_that_is_here_and_nowhere_else_is_marked_as_gone(
    db: psycopg.Connection, many: World
) -> None:
    """While another table's records are the same as a whole."""
    many.person("recStays", "Stays")
    run(db, many)
    del many.works[CHANGED]
    report = run(db, many)
    assert (report.raw[WORKS].deleted, report.raw[WORKS].unchanged) == (1, RECORDS - 1)
    assert report.raw[PEOPLE].written == 0
    assert run(db, many).written == 0
