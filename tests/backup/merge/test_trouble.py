"""A restore that is killed, that meets writers, or whose way back has been overtaken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import psycopg
import pytest

from ledger_assets.backup.merge import EXACT, LOST, forget_undo, list_undo, undo
from ledger_assets.errors import TargetError
from tests.backup.merge.pair import Pair
from tests.schema.world import in_background

KILLED = """
import os, signal, sys
import psycopg
from ledger_assets.backup.merge import EXACT, apply

class Killing(psycopg.Cursor):
    def execute(self, query, *rest, **more):
        told = query.as_string(None) if hasattr(query, "as_string") else query
        if sys.argv[3] in str(told):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(query, *rest, **more)

with psycopg.connect(sys.argv[1], cursor_factory=Killing) as live, psycopg.connect(sys.argv[2]) as scratch:
    apply(scratch, live, EXACT, snapshot="backup-1-full", who="a tester", aside=lambda lines: [*lines])
"""
STEPS = (
    "lock table",
    "create temp table",
    "insert into migration.undo ",
    "insert into migration.undo_rows",
    "set constraints all deferred",
    "delete from only",
    "overriding system value",
    "update only",
    "set constraints all immediate",
    "refresh_all",
    "truncate",
    "set_config('migration.mode', '', true)",
)


@pytest.mark.parametrize("step", STEPS)
def test_killed_anywhere_nothing_was_changed(pair: Pair, step: str) -> None:
    pair.damage("update public.stories set copy = 'vandalised'")
    pair.damage("delete from public.quote_interviews")
    pair.damage("insert into public.themes (id, name) values (gen_random_uuid(), 'newer')")
    before = pair.contents(without=())
    done = subprocess.run(
        [sys.executable, "-c", KILLED, pair.live_url, pair.scratch_url, step],
        env=dict(os.environ),
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    wait_for_the_dead(pair)
    assert pair.contents(without=()) == before
    pair.apply(EXACT)


def wait_for_the_dead(pair: Pair) -> None:
    while pair.world.one(
        "select count(*) from pg_locks l join pg_class c on c.oid = l.relation "
        "where c.relname = 'stories' and l.pid <> pg_backend_pid()"
    ):
        pass


def test_a_writer_waits_and_loses_nothing(pair: Pair) -> None:
    pair.damage("delete from public.quote_interviews")
    story = pair.world.one("select id from public.stories order by id limit 1")
    written: list[bool] = []
    with psycopg.connect(pair.live_url) as writer:

        def write() -> None:
            writer.execute("update public.stories set title = 'written meanwhile' where id = %s", (story,))
            writer.commit()
            written.append(True)

        threads: list[threading.Thread] = []

        def judge(conn: psycopg.Connection) -> list[str]:
            threads.append(in_background(pair.world, writer, write))
            assert written == []
            return []

        pair.apply(LOST, judge=judge)
        threads[0].join()
    assert pair.world.one("select title from public.stories where id = %s", story) == "written meanwhile"


def test_it_waits_for_a_writer_who_was_first(pair: Pair) -> None:
    pair.damage("delete from public.quote_interviews")
    with psycopg.connect(pair.live_url) as writer:
        writer.execute("update public.stories set title = 'written before'")
        thread = in_background(pair.world, pair.live, lambda: pair.apply(EXACT))
        writer.commit()
        thread.join()
    # Seen, because it was committed before the comparison: exact is exact.
    assert pair.contents()["public.stories"] == pair.contents(pair.scratch)["public.stories"]


def test_it_gives_up_in_time_and_changes_nothing(pair: Pair) -> None:
    pair.damage("delete from public.quote_interviews")
    before = pair.contents(without=())
    with psycopg.connect(pair.live_url) as writer:
        writer.execute("select 1 from public.stories for update")
        writer.execute("lock table public.stories in row exclusive mode")
        with pytest.raises(TargetError, match="somebody has been writing"):
            pair.apply(EXACT, lock_seconds=0)
    assert pair.contents(without=()) == before


def test_where_both_would_wait_the_writer_is_the_one_who_goes_on(pair: Pair) -> None:
    with psycopg.connect(pair.live_url) as writer:
        writer.execute("update public.stories set title = 'first'")
        thread = in_background(pair.world, pair.live, lambda: pair.apply(LOST))
        writer.execute("update public.quotes set quote = 'second'")
        writer.commit()
        thread.join()
    assert pair.world.one("select count(*) from public.quotes where quote = 'second'") > 0


def test_a_connection_in_a_transaction_is_refused(pair: Pair) -> None:
    pair.live.execute("select 1")
    with pytest.raises(TargetError, match="inside another transaction"):
        pair.apply(LOST)
    pair.live.rollback()


def test_the_way_back_is_refused_where_somebody_went_on(pair: Pair) -> None:
    story = pair.world.one("select id from public.stories order by id limit 1")
    pair.damage("update public.stories set copy = 'vandalised'")
    done = pair.apply(EXACT)
    pair.world.do("update public.stories set title = 'since' where id = %s", story)
    before = pair.contents(without=())
    with pytest.raises(TargetError, match=f"1 rows of public.stories were changed since.*{story}"):
        undo(pair.live, done.undo_id, who="a tester")
    assert pair.contents(without=()) == before


def test_the_way_back_is_refused_where_newer_rows_stand_on_it(pair: Pair) -> None:
    pair.world.do("truncate public.stories cascade")
    done = pair.apply(LOST)
    story = pair.world.one("select id from public.stories order by id limit 1")
    account = pair.world.one("select id from public.profiles limit 1")
    comment = pair.world.row("story_comments", story_id=story, profile_id=account, body="since")
    with pytest.raises(
        TargetError, match=f"{comment}.*public.story_comments refer to rows of public.stories"
    ):
        undo(pair.live, done.undo_id, who="a tester")


def test_a_restore_is_taken_back_once(pair: Pair) -> None:
    pair.damage("delete from public.quote_interviews")
    done = pair.apply(LOST)
    (entry,) = list_undo(pair.live)
    assert (entry.undo_id, entry.mode, entry.snapshot_id, entry.who) == (
        done.undo_id,
        "lost",
        "backup-1-full",
        "a tester",
    )
    assert (entry.rows, entry.purged, entry.undone_at) == (4, 0, None)
    undone = undo(pair.live, done.undo_id, who="a tester")
    assert (undone.inserted, undone.updated, undone.deleted) == (0, 0, 4)
    with pytest.raises(TargetError, match="taken back already"):
        undo(pair.live, done.undo_id, who="a tester")
    with pytest.raises(TargetError, match="no restore 77"):
        undo(pair.live, 77, who="a tester")


def test_what_is_kept_for_the_way_back_expires(pair: Pair) -> None:
    pair.damage("delete from public.quote_interviews")
    done = pair.apply(LOST)
    now = pair.world.one("select now()")
    assert forget_undo(pair.live, now) == 4
    with pytest.raises(TargetError, match="have expired"):
        undo(pair.live, done.undo_id, who="a tester")


def test_a_restore_keeps_no_history_of_its_own(pair: Pair) -> None:
    pair.world.do("update public.stories set copy = 'changed by somebody'")
    pair.world.do("update public.consents set expires_at = '2040-01-01'")
    histories = ("public.story_versions", "public.consent_events")
    before = {name: pair.contents()[name] for name in histories}
    done = pair.apply(EXACT)
    undo(pair.live, done.undo_id, who="a tester")
    assert {name: pair.contents()[name] for name in histories} == before
