"""The record of what was done to a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from ledger_assets import events
from ledger_assets.errors import LedgerError


def test_an_event_says_who_what_which_run_and_how_it_ended(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_OPERATOR", "Night watch")
    events.record(conn, "freeze", "begun", run_id="run-1", detail={"tables": 33})
    events.record(conn, "freeze", "done", who="somebody else", run_id="run-1")
    events.record(conn, "switch", "refused")
    found = events.read(conn, actions=["freeze"], since=datetime.now(UTC) - timedelta(minutes=5))
    assert [(e.action, e.outcome, e.who, e.run_id, e.detail) for e in found] == [
        ("freeze", "begun", "Night watch", "run-1", {"tables": 33}),
        ("freeze", "done", "somebody else", "run-1", {}),
    ]
    assert len(events.read(conn)) == 3
    assert events.read(conn, since=datetime.now(UTC) + timedelta(minutes=5)) == []


def test_an_event_goes_with_the_transaction_it_tells_of(conn: psycopg.Connection) -> None:
    with conn.transaction(force_rollback=True):
        events.record(conn, "load", "done")
    assert events.read(conn) == []


@pytest.mark.parametrize(
    "statement",
    ["update migration.events set who = 'x'", "delete from migration.events", "truncate migration.events"],
)
def test_the_record_only_grows(conn: psycopg.Connection, statement: str) -> None:
    events.record(conn, "load", "done")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
        conn.execute(statement.encode())
    assert len(events.read(conn)) == 1


def test_a_word_that_is_no_action_is_refused_in_one_line(conn: psycopg.Connection) -> None:
    with pytest.raises(LedgerError, match="record of Not An Action"):
        events.record(conn, "Not An Action", "done")
    assert events.read(conn) == []
