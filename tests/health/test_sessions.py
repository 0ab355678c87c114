"""Who is connected, since when, and who waits for whom: made so for real, and seen named."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import psycopg

from ledger_assets.health import sessions
from tests.health.hands import Make
from tests.schema.world import World, in_background


def test_a_lock_that_blocks_is_bad_and_names_both_sessions_and_the_table(
    world: World, database_url: str, context: Make
) -> None:
    with psycopg.connect(database_url) as holder, psycopg.connect(database_url) as waiter:
        holder.execute("lock table public.stories in access exclusive mode")
        thread = in_background(world, waiter, lambda: waiter.execute("select count(*) from public.stories"))
        soon = datetime.now(UTC) + timedelta(seconds=10)
        late = datetime.now(UTC) + timedelta(seconds=40)
        first = sessions.blocked_locks(context(now=soon))
        found = sessions.blocked_locks(context(now=late))
        holder.rollback()
        thread.join()
        pids = f"pid {waiter.info.backend_pid} waits", f"for pid {holder.info.backend_pid} (stories)"
    assert (first.state, found.state) == ("warn", "bad")
    assert all(words in found.value for words in pids)
    assert "pg_terminate_backend" in found.remedy


def test_nobody_waits_where_nobody_does(context: Make) -> None:
    assert sessions.blocked_locks(context()).state == "ok"


def test_a_transaction_that_stays_open_is_named_by_its_session(database_url: str, context: Make) -> None:
    with psycopg.connect(database_url) as forgotten:
        forgotten.execute("select 'private words'")
        now = datetime.now(UTC)
        young = sessions.long_transactions(context(now=now + timedelta(minutes=4)))
        old = sessions.long_transactions(context(now=now + timedelta(minutes=10)))
        ancient = sessions.long_transactions(context(now=now + timedelta(minutes=40)))
        assert [young.state, old.state, ancient.state] == ["ok", "warn", "bad"]
        assert f"pid {forgotten.info.backend_pid} (postgres, idle in transaction, 40 min)" in ancient.value
        assert "private words" not in ancient.value


def test_a_server_whose_connections_are_used_up_is_bad_before_the_last_one(
    conn: psycopg.Connection, database_url: str, context: Make
) -> None:
    few = sessions.connections(context())
    used, most = (int(number) for number in few.value.removesuffix(" used").split(" of "))
    assert few.state == "ok"
    with ExitStack() as stack:
        for _ in range(int(most * 0.91) + 1 - used):
            stack.enter_context(psycopg.connect(database_url))
        conn.rollback()  # within one transaction the list of sessions stays that of its first look
        assert sessions.connections(context()).state == "bad"
