"""All or nothing: failing checks, dry runs, two loads at once, killed processes, a server that stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from load_world import DDL, World, contents, run

from ledger_assets.demo.postgres import Cluster
from ledger_assets.errors import TargetError
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply

SENTINEL = "sentinel-of-somebody's-story"


def nothing_of(conn: psycopg.Connection) -> bool:
    return not any(contents(conn).values())


def test_a_link_to_nothing_fails_the_check_and_loads_nothing(db: psycopg.Connection, world: World) -> None:
    made = world.publish()
    frame = made[1].frame("works")
    lost = "00000000-0000-5000-8000-000000000000"
    changed = frame.with_columns(lead_id=frame["lead_id"].replace(frame["lead_id"][0], lost))
    report = run(db, world, (made[0], world.replace_frame(made[1], "works", changed)))
    assert not report.committed
    (failed,) = [c for c in report.checks if not c.passed]
    assert (failed.table, failed.name) == ("works", "relationships")
    assert failed.detail["by_column"]["lead_id"] == {"rows": 1, "to": "people", "ids": ["recRiver"]}
    assert nothing_of(db)


@pytest.mark.parametrize(
    ("sabotage", "check"),
    [
        ("begin if new.airtable_record_id = 'recStone' then return null; end if; return new; end", "ids"),
        ("begin new.source_hash := '\\x00'; return new; end", "hashes"),
        ("begin new.pages := null; return new; end", "columns"),
    ],
)
def test_what_postgres_did_differently_fails_its_check_and_loads_nothing(
    db: psycopg.Connection, world: World, sabotage: str, check: str
) -> None:
    with db.transaction():
        db.execute(
            f"create function private.sabotage() returns trigger language plpgsql as $f$ {sabotage} $f$"
        )
        db.execute(
            "create trigger zz before insert on works for each row execute function private.sabotage()"
        )
    for person in world.people.values():
        person["favourite"] = None
    for work in world.works.values():
        work["by"] = []
    report = run(db, world)
    assert not report.committed
    failed = {(c.table, c.name) for c in report.checks if not c.passed}
    assert ("works", check) in failed
    assert {table for table, _ in failed} == {"works"}
    assert nothing_of(db)


def test_a_raw_record_that_is_not_there_fails_its_check(db: psycopg.Connection, world: World) -> None:
    with db.transaction():
        db.execute(
            "create function private.sabotage() returns trigger language plpgsql as "
            "$f$ begin if new.record_id = 'recStone' then return null; end if; return new; end $f$"
        )
        db.execute(
            "create trigger zz before insert on airtable.records for each row execute function private.sabotage()"
        )
    report = run(db, world)
    assert not report.committed
    (failed,) = [c for c in report.checks if not c.passed]
    assert (failed.table, failed.detail["missing"]) == ("airtable.records", {"rows": 1, "ids": ["recStone"]})
    assert nothing_of(db)


def test_a_dry_run_gives_the_same_report_and_leaves_nothing(db: psycopg.Connection, world: World) -> None:
    made = world.publish()
    dry = run(db, world, made, commit=False)
    assert not dry.committed
    assert dry.passed
    assert nothing_of(db)
    wet = run(db, world, made)
    assert (wet.tables, wet.raw, wet.months, wet.checks) == (dry.tables, dry.raw, dry.months, dry.checks)


def test_an_error_names_table_and_constraint_and_never_a_value(db: psycopg.Connection, world: World) -> None:
    world.person("recBad", "refused")
    with pytest.raises(TargetError, match=r"people.*constraint people_name_check") as caught:
        run(db, world)
    assert "refused" not in str(caught.value)
    assert "recBad" not in str(caught.value)
    del world.people["recBad"]
    with db.transaction():
        db.execute("drop trigger mark_local_update on works")  # it names the column
        db.execute("alter table works alter title type integer using null")
    world.works["recRiver"]["title"] = SENTINEL
    with pytest.raises(TargetError, match=r"table works, column title") as caught:
        run(db, world)
    assert SENTINEL not in str(caught.value)
    assert caught.value.__suppress_context__
    assert nothing_of(db)


def test_a_column_that_the_database_lacks_is_named(db: psycopg.Connection, world: World) -> None:
    with db.transaction():
        db.execute("alter table works drop column pages cascade")
    with pytest.raises(TargetError, match="works has no column pages"):
        run(db, world)


def test_two_loads_at_once_end_as_one_after_the_other(
    db: psycopg.Connection, database_url: str, world: World
) -> None:
    # Claimed before, and two exports: else unique keys of the claim or the export would keep the two apart.
    run(db, world)
    for number in range(300):
        world.person(f"recTwin{number:03d}", "Twin")
    exports = [world.publish(), world.publish()]
    barrier = threading.Barrier(2)

    def one_load(number: int) -> bool:
        with connect(database_url, application_name="twin") as conn:
            barrier.wait()
            return run(conn, world, exports[number]).committed

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(one_load, range(2))) == [True, True]
    twice = contents(db)
    with db.transaction():
        db.execute("truncate people, works, credits, airtable.records, migration.findings")
    run(db, world, exports[0])
    assert contents(db) == twice
    with db.transaction():
        assert db.execute("select count(*) from migration.loads").fetchone() == (4,)


@contextmanager
def held(url: str, table: str) -> Iterator[Callable[[], None]]:
    """Hold a lock on ``table``; the function given waits until a load stands in the middle of its work for it."""
    # closing() and not the connection's own block, which would commit: the server may be gone by then.
    with closing(psycopg.connect(url)) as holder, closing(psycopg.connect(url, autocommit=True)) as watcher:
        holder.execute(f"lock table {table} in access exclusive mode")

        def until_blocked() -> None:
            query = (
                "select count(*), pg_sleep(0.02) from pg_locks where not granted and relation = %s::regclass"
            )
            while watcher.execute(query, (table,)).fetchone()[0] == 0:  # type: ignore[index]  # count(*) has a row
                pass

        yield until_blocked


def test_a_process_killed_in_the_middle_leaves_nothing_and_the_next_load_is_right(
    db: psycopg.Connection, database_url: str, world: World
) -> None:
    export, ledger = made = world.publish()
    program = [sys.executable, str(Path(__file__).with_name("load_world.py"))]
    with held(database_url, "works") as until_blocked:
        process = subprocess.Popen(
            [*program, database_url, world.store.url, export.export_id, ledger.ledger_id],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        until_blocked()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert nothing_of(db)
    assert run(db, world, made).committed
    assert run(db, world, made).written == 0


def test_a_server_that_stops_in_the_middle_gives_one_line_and_the_next_load_is_right(
    tmp_path: Path, world: World
) -> None:
    made = world.publish()
    cluster = Cluster(tmp_path / "own", durable=True)
    cluster.start()
    try:
        cluster.ensure_database("target")
        url = cluster.url("target")
        with connect(url, application_name="tests") as conn:
            apply(conn)
            conn.execute(DDL)
            conn.commit()
        postmaster = int((tmp_path / "own/postgres/data/postmaster.pid").read_text().split()[0])
        with connect(url, application_name="tests") as conn, ThreadPoolExecutor(1) as pool:
            with held(url, "works") as until_blocked:
                loading = pool.submit(run, conn, world, made)
                until_blocked()
                os.kill(postmaster, signal.SIGQUIT)
                assert loading.exception() is not None
            with pytest.raises(TargetError, match="Postgres ended the connection; nothing is half there"):
                loading.result()
        cluster.start()
        with connect(cluster.url("target"), application_name="tests") as conn:
            assert nothing_of(conn)
            assert run(conn, world, made).committed
    finally:
        cluster.stop()


def _end_the_first(db: psycopg.Connection, attempts: int) -> None:
    """Let Postgres end as many writes to works, as it ends one of two sessions that wait for each other."""
    with db.transaction():
        db.execute("create sequence attempts")
        db.execute(
            f"""
            create function deadlocked() returns trigger language plpgsql as $$
            begin
              if nextval('attempts') <= {attempts} then
                raise exception 'deadlock' using errcode = 'deadlock_detected';
              end if;
              return null;
            end $$;
            create trigger deadlocked after insert on works for each statement execute function deadlocked()
            """.encode()
        )


def test_a_load_that_postgres_ended_in_a_deadlock_does_it_again(db: psycopg.Connection, world: World) -> None:
    _end_the_first(db, 2)
    assert run(db, world, world.publish()).committed
    with db.transaction():
        assert db.execute("select count(*) from migration.loads").fetchone() == (1,)
        assert db.execute("select count(*) from works").fetchone() == (2,)


def test_a_load_that_always_deadlocks_says_so_in_one_line_and_leaves_nothing(
    db: psycopg.Connection, world: World
) -> None:
    _end_the_first(db, 99)
    with pytest.raises(
        TargetError, match=r"waited for each other's locks \(deadlock\); nothing was loaded, run it again"
    ):
        run(db, world, world.publish())
    assert nothing_of(db)
    assert db.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
