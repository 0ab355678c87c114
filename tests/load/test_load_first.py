"""The first load, the second, updates, deletes: what a database holds after each."""

from __future__ import annotations

import psycopg
from load_world import SPECS, WORKS, World, contents, run
from psycopg.rows import dict_row


def row(conn: psycopg.Connection, table: str, record: str) -> dict[str, object]:
    with conn.transaction(), conn.cursor(row_factory=dict_row) as cur:
        found = cur.execute(f"select * from {table} where airtable_record_id = %s", (record,)).fetchone()
    assert found is not None
    return found


def test_a_first_load_brings_every_row_cell_and_record(db: psycopg.Connection, world: World) -> None:
    report = run(db, world)
    assert report.committed
    assert report.passed, report.checks
    assert {n: (c.staged, c.inserted) for n, c in report.tables.items()} == {
        "people": (2, 2),
        "works": (2, 2),
        "credits": (3, 3),
    }
    assert {c.inserted for c in report.raw.values()} == {2}
    river, stone = row(db, "works", "recRiver"), row(db, "works", "recStone")
    assert river["body"] == "One line\n\\.\nand \\N\tmore"
    assert river["tags"] == ['a "b"', "c,d", ""]
    assert river["pages"] is None
    assert (stone["title"], stone["body"], stone["pages"]) == ("", None, 3)
    assert river["lead_id"] == row(db, "people", "recBen")["id"]
    assert river["export_id"] == "20261122T080001Z"
    assert not river["locally_changed"]


def test_the_months_of_the_rows_are_counted(db: psycopg.Connection, world: World) -> None:
    assert run(db, world).months == {
        "2025-01-01": {"people": 1, "works": 1, "credits": 1},
        "2025-02-01": {"people": 1, "works": 1, "credits": 2},
    }


def test_a_second_load_touches_no_row_and_writes_next_to_no_wal(db: psycopg.Connection, world: World) -> None:
    for number in range(6000):
        world.person(f"recMany{number:04d}", f"Person {number}")
    made = world.publish()
    tables = ("people", "works", "credits", "airtable.records", "migration.findings")

    def versions() -> list[object]:
        with db.transaction():
            return [
                db.execute(f"select ctid::text, xmin::text from {t} order by 1").fetchall() for t in tables
            ]

    def wal() -> int:
        with db.transaction():
            found = db.execute("select pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
        assert found is not None
        return int(found[0])

    start = wal()
    run(db, world, made)
    first, before = wal() - start, versions()
    start = wal()
    report = run(db, world, made)
    second = wal() - start
    assert report.committed
    assert report.written == 0
    assert report.tables["people"].unchanged == 6002
    assert versions() == before
    assert second < first / 20


def test_a_changed_record_changes_its_row_alone(db: psycopg.Connection, world: World) -> None:
    run(db, world)
    before = contents(db)
    world.works["recRiver"]["title"] = "The long river"
    report = run(db, world)
    assert (report.tables["works"].updated, report.tables["works"].unchanged) == (1, 1)
    assert report.tables["people"].written == 0
    assert report.raw[WORKS].updated == 1
    assert row(db, "works", "recRiver")["title"] == "The long river"
    assert contents(db)["people"] == before["people"]


def test_an_emptied_cell_becomes_null(db: psycopg.Connection, world: World) -> None:
    run(db, world)
    world.works["recRiver"].update(title=None, body=None, tags=None, lead=None)
    run(db, world)
    river = row(db, "works", "recRiver")
    assert [river[c] for c in ("title", "body", "tags", "lead_id")] == [None] * 4


def test_a_record_gone_from_airtable_is_kept_flagged_and_reported_and_may_return(
    db: psycopg.Connection, world: World
) -> None:
    run(db, world)
    stone = world.works.pop("recStone")
    world.people["recBen"]["favourite"] = None
    report = run(db, world)
    assert (report.tables["works"].deleted, report.tables["credits"].deleted, report.raw[WORKS].deleted) == (
        1,
        2,
        1,
    )
    assert row(db, "works", "recStone")["source_deleted_at"] is not None
    assert report.findings == {"deleted": 1}
    assert run(db, world).written == 0
    world.works["recStone"] = stone
    report = run(db, world)
    assert (report.tables["works"].returned, report.raw[WORKS].returned) == (1, 1)
    assert row(db, "works", "recStone")["source_deleted_at"] is None
    assert report.findings == {}


def test_rows_that_people_made_here_are_left_alone(db: psycopg.Connection, world: World) -> None:
    run(db, world)
    with db.transaction():
        db.execute("insert into people (id, name) values (gen_random_uuid(), 'made here')")
    report = run(db, world)
    assert report.committed
    assert report.tables["people"].deleted == 0


def test_any_base_is_loaded_without_table_modules(db: psycopg.Connection, world: World) -> None:
    report = run(db, world, specs=())
    assert report.committed
    assert report.tables == {}
    assert sum(c.inserted for c in report.raw.values()) == 4
    assert {c.table for c in report.checks} == {
        "airtable.records",
        "airtable.comments",
        "airtable.attachments",
    }


def test_loading_over_what_is_there_ends_where_a_fresh_load_ends(
    db: psycopg.Connection, world: World
) -> None:
    run(db, world)
    world.works["recStone"]["by"] = ["recAnna"]
    world.work("recNew", "New", by=["recBen"])
    made = world.publish()
    run(db, world, made)
    over = contents(db)
    with db.transaction():
        db.execute("truncate people, works, credits, airtable.records, migration.findings")
    run(db, world, made)
    fresh = contents(db)
    assert [r for r in over["credits"] if r[-1]] == fresh["credits"]
    assert {k: v for k, v in over.items() if k != "credits"} == {
        k: v for k, v in fresh.items() if k != "credits"
    }
    assert len(SPECS) == 3
