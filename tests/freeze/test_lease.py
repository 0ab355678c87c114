"""A cut-over's lease: renewed while its process lives, over by itself when it died, and never another's by mistake."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from ledger_assets import events, freeze
from ledger_assets.demo.postgres import Cluster
from ledger_assets.errors import TargetError
from ledger_assets.load.connect import connect
from tests.freeze.world import WRITE, lease, one, until, write

LEASE = "select extract(epoch from lease_until)::text from migration.maintenance"
RAN_OUT = "select not private.is_frozen(m) from migration.maintenance m"


@contextmanager
def victim(url: str, cutover: str, seconds: float) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that holds and renews a lease, and its token."""
    command = [sys.executable, "-m", "tests.freeze.world", url, cutover, str(seconds)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def test_it_is_renewed_while_its_process_lives_and_thaws_by_itself_after_sigkill(
    conn: psycopg.Connection, database_url: str
) -> None:
    with victim(database_url, "cut-1", 2) as (process, token):
        first = freeze.state(conn)
        assert (first.kind, first.cutover, first.token) == ("lease", "cut-1", token)
        until(conn, f"select clock_timestamp() > '{first.lease_until}'")
        assert write(database_url) == "PT503"
        process.kill()
        process.wait()
        killed = freeze.state(conn)
        assert killed.kind == "lease"
        until(conn, RAN_OUT)
        ended = freeze.state(conn)
        assert ended.kind == "ran_out"
        assert (ended.at - killed.at).total_seconds() < 3
    assert write(database_url) is None
    assert one(conn, "select public.maintenance_state()") == {"frozen": False}
    assert lease(conn, "cut-2") == token + 1


def test_two_fight_for_it_and_the_one_without_is_told_whose_it_is(
    conn: psycopg.Connection, database_url: str
) -> None:
    with victim(database_url, "cut-1", 5) as (_, token):
        with pytest.raises(TargetError, match="the freeze of cut-over cut-1 since"):
            lease(conn, "cut-2")
        assert freeze.state(conn).token == token


def test_of_two_that_take_it_at_once_one_has_it(conn: psycopg.Connection, database_url: str) -> None:
    taken: list[int] = []
    refused: list[str] = []

    def take(cutover: str) -> None:
        with connect(database_url, application_name="tests:fighter") as mine:
            try:
                taken.append(lease(mine, cutover))
            except TargetError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=take, args=(f"cut-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken == [1] == [freeze.state(conn).token]
    assert len(refused) == 3
    assert [e.outcome for e in events.read(conn, actions=["freeze"])].count("refused") == 3


def test_a_manual_freeze_is_not_taken_over(conn: psycopg.Connection) -> None:
    freeze.on(conn, reason="mine", who="somebody")
    with pytest.raises(TargetError, match="the manual freeze of somebody since"):
        lease(conn)
    freeze.off(conn, who="somebody")
    assert lease(conn) == 2


def test_its_own_cut_over_takes_it_over_with_a_new_token(conn: psycopg.Connection) -> None:
    first = lease(conn)
    since = freeze.state(conn).since
    second = lease(conn)
    assert (second, freeze.state(conn).since) == (first + 1, since)
    with pytest.raises(TargetError, match=f"token {first} is over"), conn.transaction():
        freeze.fence(conn.cursor(), first)
    with conn.transaction():
        freeze.fence(conn.cursor(), second)


def test_a_held_one_does_not_run_out_and_its_own_cut_over_finds_it_held(
    conn: psycopg.Connection, database_url: str
) -> None:
    token = lease(conn, seconds=1)
    with conn.transaction():
        freeze.hold(conn.cursor(), token)
    until(conn, "select lease_until < clock_timestamp() from migration.maintenance")
    assert freeze.state(conn).kind == "held"
    assert write(database_url) == "PT503"
    with pytest.raises(TargetError, match="is held since its load was committed"):
        freeze.thaw(conn, token, who="somebody")
    with pytest.raises(TargetError, match="the freeze of cut-over cut-1"):
        lease(conn, "cut-2")
    again = lease(conn, seconds=30)
    assert freeze.state(conn).kind == "held"
    with conn.transaction():
        freeze.release(conn.cursor(), again)
    assert freeze.state(conn).kind == "lease"
    assert freeze.thaw(conn, again, who="somebody") is True
    assert write(database_url) is None


def test_one_that_was_held_is_not_said_to_be_open_when_writes_do_not_end(
    conn: psycopg.Connection, database_url: str
) -> None:
    token = lease(conn)
    with conn.transaction():
        freeze.hold(conn.cursor(), token)
    with connect(database_url, application_name="tests:locker") as locker:
        locker.execute("lock table public.themes in access exclusive mode")
        with pytest.raises(TargetError, match="writing stays frozen, as it was"):
            lease(conn, wait_seconds=0)
    assert freeze.state(conn).kind == "held"


def test_what_was_held_by_a_transaction_that_rolled_back_is_not_held(conn: psycopg.Connection) -> None:
    token = lease(conn)
    with conn.transaction(force_rollback=True):
        freeze.hold(conn.cursor(), token)
    assert freeze.state(conn).kind == "lease"


def test_a_hold_whose_lease_runs_out_before_the_commit_fails_at_the_commit(
    conn: psycopg.Connection, database_url: str
) -> None:
    """A process stopped between its last statement and its commit: others have written meanwhile."""
    token = lease(conn, seconds=1)
    with connect(database_url, application_name="tests:clock") as clock:
        conn.execute("set constraints all immediate")
        freeze.fence(conn.cursor(), token)
        freeze.hold(conn.cursor(), token)
        until(clock, RAN_OUT)
        clock.execute(WRITE)
        clock.commit()
        with pytest.raises(psycopg.Error, match="ran out before the commit"):
            conn.commit()
        assert freeze.state(conn).kind == "ran_out"


def test_a_fence_keeps_others_from_taking_over_and_lets_the_heartbeat_renew(
    conn: psycopg.Connection, database_url: str
) -> None:
    token = lease(conn, seconds=3)
    with (
        connect(database_url, application_name="tests:load") as load,
        freeze.Heartbeat(database_url, token, seconds=3, every=0.1) as beat,
        load.transaction(),
    ):
        freeze.fence(load.cursor(), token)
        before = one(conn, LEASE)
        until(conn, LEASE, lambda now: now != before)
        beat.assert_alive()
        conn.execute("set lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            conn.execute("select * from migration.maintenance for update")
        conn.rollback()


def test_thawing_ends_it_once(conn: psycopg.Connection, database_url: str) -> None:
    token = lease(conn)
    assert freeze.thaw(conn, token, who="night watch") is True
    assert freeze.thaw(conn, token, who="night watch") is False
    assert write(database_url) is None
    assert [(e.action, e.outcome, e.run_id) for e in events.read(conn)] == [
        ("freeze", "begun", "cut-1"),
        ("freeze", "done", "cut-1"),
        ("thaw", "done", "cut-1"),
    ]


def test_an_older_token_thaws_nothing(conn: psycopg.Connection) -> None:
    first, second = lease(conn), lease(conn)
    assert freeze.thaw(conn, first, who="night watch") is False
    assert freeze.state(conn).token == second


def test_a_heartbeat_knows_that_its_lease_was_taken(conn: psycopg.Connection, database_url: str) -> None:
    token = lease(conn)
    with freeze.Heartbeat(database_url, token, seconds=60, every=0.05) as beat:
        assert beat.alive()
        freeze.off(conn, who="somebody", force=True)
        until(conn, "select true", lambda _: not beat.alive())
        with pytest.raises(TargetError, match=f"token {token} was ended or taken over"):
            beat.assert_alive()


def test_a_heartbeat_never_starts_on_a_freeze_that_is_over(
    conn: psycopg.Connection, database_url: str
) -> None:
    token = lease(conn)
    freeze.thaw(conn, token, who="night watch")
    with pytest.raises(TargetError, match="start the cut-over again"), freeze.Heartbeat(database_url, token):
        pass


def test_a_heartbeat_outlives_a_lost_connection_and_ends_with_a_lost_database(
    conn: psycopg.Connection, database_url: str, cluster: Cluster
) -> None:
    token = lease(conn, seconds=2)
    beating = f"select pid from pg_stat_activity where application_name = 'ledger:heartbeat:{token}'"
    with (
        psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin,
        freeze.Heartbeat(database_url, token, seconds=2, every=0.05) as beat,
    ):
        first = one(conn, beating)
        one(admin, f"select pg_terminate_backend({first})")
        until(conn, f"select exists ({beating} and pid <> {first})")
        assert beat.alive()
        name = conn.info.dbname
        forbid = sql.SQL("alter database {} allow_connections {}")
        admin.execute(forbid.format(sql.Identifier(name), sql.SQL("false")))
        one(admin, f"select count(pg_terminate_backend(pid)) from ({beating}) b")
        until(admin, "select true", lambda _: not beat.alive())
        admin.execute(forbid.format(sql.Identifier(name), sql.SQL("true")))
        with pytest.raises(TargetError, match="could not be renewed in time"):
            beat.assert_alive()
