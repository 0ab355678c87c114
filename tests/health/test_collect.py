"""All measures together: none hides another, nothing is written."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from ledger_assets import events, monitoring
from ledger_assets.environment import Environment, Settings, read_settings
from ledger_assets.errors import TargetError
from ledger_assets.health import Measure, Report, collect
from ledger_assets.health.collect import GROUPS
from ledger_assets.load.connect import connect
from ledger_assets.storage import ObjectStore
from tests.health.hands import NOW
from tests.schema.world import World


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "home").mkdir()
    return read_settings(Environment.STAGING, {"LEDGER_HOME": str(tmp_path / "home")})


def test_every_measure_of_the_issue_is_taken_once(
    settings: Settings, conn: psycopg.Connection, store: ObjectStore
) -> None:
    report = collect(settings, conn, store)
    names = [one.name for one in report.measures]
    assert len(names) == len(set(names)) == sum(map(len, GROUPS.values()))
    assert all(one.value and (one.state == "ok" or one.remedy) for one in report.measures)
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_measures_of_somebody_else_are_among_them_and_make_it_bad(
    settings: Settings, conn: psycopg.Connection, store: ObjectStore
) -> None:
    def later_edits() -> Measure:
        return Measure(
            "later_edits",
            "bad",
            "3 records were edited in Airtable since the switch",
            "bad at the first",
            "x",
        )

    report = collect(settings, conn, store, more=[later_edits])
    assert report.measures[-1] == later_edits()
    assert "later_edits" in report.bad
    assert not report.passed


def test_a_measure_cannot_write_and_one_that_fails_does_not_hide_the_others(
    settings: Settings, world: World, conn: psycopg.Connection, store: ObjectStore
) -> None:
    def careless() -> Measure:
        conn.execute("insert into public.themes (id, name) values (gen_random_uuid(), 'x')")
        raise AssertionError("it was written")

    def broken() -> Measure:
        raise TargetError("the other side does not answer")

    report = collect(settings, conn, store, more=[careless, broken])
    *others, first, second = report.measures
    assert (first.name, first.state) == ("careless", "unknown")
    assert "25006" in first.value
    assert "the other side does not answer" in second.value
    assert world.one("select count(*) from public.themes") == 0
    assert "connections" in [one.name for one in others]


def test_a_database_without_our_schema_is_measured_as_far_as_it_goes(
    settings: Settings, empty_database_url: str, store: ObjectStore
) -> None:
    with connect(empty_database_url, application_name="test") as connection:
        report = collect(settings, connection, store)
        assert monitoring.record_change(connection, report) is False
    states = {one.name: one.state for one in report.measures}
    assert states["migration"] == states["visibility"] == "unknown"
    assert states["blocked_locks"] == "ok"


def test_a_connection_that_is_lost_is_an_error_and_no_good_report(
    settings: Settings, conn: psycopg.Connection, store: ObjectStore, world: World
) -> None:
    def ending() -> Measure:
        world.do("select pg_terminate_backend(%s)", conn.info.backend_pid)
        conn.execute("select 1")
        raise AssertionError("the connection lives")

    with pytest.raises(TargetError, match="Postgres ended the connection"):
        collect(settings, conn, store, more=[ending])


def report_of(*bad: str) -> Report:
    return Report("staging", "t", NOW, tuple(Measure(name, "bad", "v", "t", "r") for name in bad))


def test_what_is_bad_is_recorded_when_it_changes_and_not_at_every_look(conn: psycopg.Connection) -> None:
    looks = [(), ("locks",), ("locks",), ("locks", "disk"), ("disk", "locks"), ()]
    changed = [monitoring.record_change(conn, report_of(*bad)) for bad in looks]
    assert changed == [False, True, False, True, False, True]
    told = [(one.outcome, one.detail["bad"]) for one in events.read(conn, actions=["health"])]
    assert told == [("failed", ["locks"]), ("failed", ["disk", "locks"]), ("done", [])]
