"""Loads of single months: what they bring, what waits, and that a full load ends the same in the end."""

from __future__ import annotations

from datetime import date, datetime

import psycopg
import pytest
from load_world import World, contents, run

from ledger_assets.errors import SettingsError
from ledger_assets.load.months import month_key, parse_months


def test_a_month_brings_its_records_and_reports_the_links_that_must_wait(
    db: psycopg.Connection, world: World
) -> None:
    world.works["recRiver"]["by"] = ["recAnna", "recBen"]
    report = run(db, world, months=["2025-01"])
    assert report.committed, report.checks
    assert {n: (c.inserted, c.left_out) for n, c in report.tables.items()} == {
        "people": (1, 0),
        "works": (1, 0),
        "credits": (1, 1),
    }
    assert sum(c.staged for c in report.raw.values()) == 2
    assert set(report.months) == {"2025-01-01"}
    (links,) = [c for c in report.checks if (c.table, c.name) == ("credits", "relationships")]
    assert links.passed
    assert links.detail == {"orphans": 0, "left_out": 1, "left_out_ids": ["recRiver"]}
    with db.transaction():
        assert db.execute("select lead_id, airtable_record_id from works").fetchall() == [(None, "recRiver")]


def test_months_one_after_the_other_and_then_all_end_as_one_full_load(
    db: psycopg.Connection, world: World
) -> None:
    made = world.publish()
    run(db, world, made, months=["2025-01-01"])
    run(db, world, made, months=["2025-02-01"])
    report = run(db, world, made)
    assert report.committed
    assert report.tables["works"].updated == 1, "the row of January now finds its lead of February"
    by_months = contents(db)
    assert run(db, world, made).written == 0
    with db.transaction():
        db.execute("truncate people, works, credits, airtable.records, migration.findings")
    run(db, world, made)
    assert contents(db) == by_months


def test_a_month_loaded_again_writes_nothing(db: psycopg.Connection, world: World) -> None:
    made = world.publish()
    run(db, world, made, months=["2025-01"])
    assert run(db, world, made, months=["2025-01"]).written == 0
    run(db, world, made)
    assert run(db, world, made, months=["2025-01"]).written == 0


def test_only_the_chosen_month_loses_what_is_gone(db: psycopg.Connection, world: World) -> None:
    world.people["recAnna"]["favourite"] = world.people["recBen"]["favourite"] = None
    run(db, world)
    world.works.clear()
    report = run(db, world, months=["2025-02"])
    assert report.tables["works"].deleted == 1
    with db.transaction():
        rows = db.execute(
            "select airtable_record_id, source_deleted_at is null from works order by 1"
        ).fetchall()
    assert rows == [("recRiver", True), ("recStone", False)]


def test_a_conflict_of_another_month_stays_open(db: psycopg.Connection, world: World) -> None:
    run(db, world)
    with db.transaction():
        db.execute("update works set title = 'edited' where airtable_record_id = 'recRiver'")
    world.works["recRiver"]["title"] = "changed"
    assert run(db, world).findings == {"conflict": 1}
    assert run(db, world, months=["2025-02"]).findings == {"conflict": 1}


def test_a_month_is_the_first_day_of_the_utc_month_and_never_before_the_first() -> None:
    first = date(2025, 1, 1)
    assert month_key(datetime.fromisoformat("2025-03-01T00:30:00+02:00"), first) == "2025-02-01"
    assert month_key(datetime.fromisoformat("2019-03-01T00:30:00Z"), first) == "2025-01-01"


def test_older_records_belong_to_the_first_month(db: psycopg.Connection, world: World) -> None:
    world.person("recOld", "Old", created="2019-05-05T00:00:00.000Z")
    report = run(db, world, months=["2025-01"])
    assert report.months["2025-01-01"]["people"] == 2


@pytest.mark.parametrize("month", ["2025", "2025-13", "2025-1", "2025-01-02", "January"])
def test_what_is_not_a_month_is_refused(month: str) -> None:
    with pytest.raises(SettingsError, match="write it as 2025-01"):
        parse_months([month])
