"""Every cell of the matrix as a real session on embedded Postgres, and what the check leaves behind: nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from ledger_assets.access import run
from ledger_assets.access.ids import ROLES, uid
from ledger_assets.access.matrix import load
from ledger_assets.access.reach import reachable
from ledger_assets.access.report import AccessReport
from ledger_assets.access.run import check_access
from ledger_assets.access.trials import world
from ledger_assets.demo.postgres import Cluster
from ledger_assets.errors import TargetError
from ledger_assets.load import claim
from ledger_assets.load.connect import connect
from ledger_assets.storage import ObjectStore
from ledger_assets.tables import SPECS
from tests.access.world import checked, contents
from tests.proof.small_base import small_base
from tests.proof.world import publish


def test_every_cell_is_as_the_matrix_says(cluster: Cluster, database_url: str) -> None:
    report = checked(cluster, database_url)
    assert report.lines == []
    assert report.not_run == ()
    matrix = load()
    assert report.cells > len(ROLES) * (len(matrix.tables) + len(matrix.calls))


def test_the_owner_of_a_database_cannot_act_as_the_login_service_and_says_so(
    conn: psycopg.Connection,
) -> None:
    report = check_access(conn)
    assert report.lines == []
    assert [line.split(":")[0] for line in report.not_run] == ["auth_admin"]


def test_an_account_that_cannot_be_deleted_is_seen_although_nobody_may_act_as_the_login_service(
    conn: psycopg.Connection,
) -> None:
    conn.execute(
        "create function private.keep() returns trigger language plpgsql as $$ begin return null; end; $$; "
        "create trigger keep before delete on auth.users for each row execute function private.keep()"
    )
    conn.commit()
    assert _lines(check_access(conn)) == {("auth.users", "remove", "auth_admin")}


def test_nothing_is_left_behind_in_a_database_that_holds_migrated_rows(
    conn: psycopg.Connection, store: ObjectStore
) -> None:
    publish(conn, store, small_base(), SPECS)
    before = contents(conn)
    assert int(before["public.stories"].split()[0]) > 0
    assert check_access(conn).lines == []
    assert contents(conn) == before
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert conn.execute("select current_user, current_setting('row_security')").fetchone() == (
        "postgres",
        "off",
    )


def test_a_freeze_neither_fails_the_check_nor_ends_by_it(conn: psycopg.Connection) -> None:
    conn.execute("update migration.maintenance set frozen = true, reason = 'cut-over', since = now()")
    conn.commit()
    assert check_access(conn).lines == []
    assert conn.execute("select frozen, reason from migration.maintenance").fetchall() == [(True, "cut-over")]


def test_two_checks_at_once_both_pass(database_url: str) -> None:
    reports: list[AccessReport] = []

    def check() -> None:
        with connect(database_url, application_name="tests") as connection:
            reports.append(check_access(connection))

    threads = [threading.Thread(target=check) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report.lines for report in reports] == [[], []]


def test_the_check_waits_for_a_load_and_then_passes(conn: psycopg.Connection, database_url: str) -> None:
    """A load locks whole tables in another order than the check writes to them: side by side they deadlocked."""
    with (
        psycopg.connect(database_url, autocommit=True) as watcher,
        ThreadPoolExecutor(1) as pool,
        connect(database_url, application_name="the check") as checking,
    ):
        with psycopg.connect(database_url) as loading:
            with loading.cursor() as cursor:
                claim.begin(cursor)
                cursor.execute("lock table public.storytellers in share row exclusive mode")
            result = pool.submit(check_access, checking)
            waiting = None
            while waiting is None and not result.done():
                waiting = watcher.execute(
                    "select 1, pg_sleep(0.02) from pg_locks where not granted and locktype = 'advisory' and pid = %s",
                    (checking.info.backend_pid,),
                ).fetchone()
            assert waiting is not None
        assert result.result().lines == []


def test_no_table_is_locked_against_writers_and_no_row_of_anybody_else(
    conn: psycopg.Connection, database_url: str, store: ObjectStore
) -> None:
    publish(conn, store, small_base(), SPECS)
    rows, matrix = world(), load()
    with psycopg.connect(database_url) as other, conn.transaction(force_rollback=True):
        run.prepare(conn)
        found = reachable(conn)
        run.write(conn, rows)
        for column in ("owner", "elder", "service"):
            run.session(conn, matrix, found, rows, column)
        modes = other.execute(
            "select distinct mode from pg_locks where pid = %s and locktype = 'relation'",
            (conn.info.backend_pid,),
        ).fetchall()
        assert {mode for (mode,) in modes} <= {"AccessShareLock", "RowShareLock", "RowExclusiveLock"}
        other.execute("set lock_timeout = '100ms'")
        for table in ("stories", "storytellers", "consents", "organisations", "media_assets"):
            other.execute(f"select 1 from public.{table} for update".encode())
        other.execute("select * from migration.maintenance for update")


def test_rows_that_another_session_holds_are_named_after_a_short_wait(
    conn: psycopg.Connection, database_url: str
) -> None:
    with psycopg.connect(database_url) as other:
        other.execute(
            "insert into public.organisations (id, name, kind) values (%s, 'x', 'other')",
            (uid("organisations/ours"),),
        )
        with pytest.raises(TargetError, match="another session holds: try again"):
            check_access(conn)


def test_a_database_without_this_schema_is_refused_in_one_line(empty_database_url: str) -> None:
    with (
        connect(empty_database_url, application_name="tests") as connection,
        pytest.raises(TargetError, match="schema verify"),
    ):
        check_access(connection)


def _lines(report: AccessReport) -> set[tuple[str, str, str]]:
    return {(d.subject, d.act, d.who) for d in report.differences}
