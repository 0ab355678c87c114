"""The record of what was done to a database (``migration.events``): who, what, which run, how it ended.

What belongs here: writing an event, and reading them back. What does not: the actions themselves.

Invariants: an event holds names, ids, counts and times, never a cell's value; it is written in a transaction of its own
unless the caller is inside one, so that an action and its record can be committed together.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from ledger_assets.load.sqlfiles import plain_errors
from ledger_assets.moment import kept

if TYPE_CHECKING:
    import psycopg

Outcome = Literal["begun", "done", "refused", "failed"]


@dataclass(frozen=True)
class Event:
    """One line of the record; ``at`` has a time zone."""

    id: int
    at: datetime
    action: str
    outcome: Outcome
    who: str
    run_id: str | None
    detail: dict[str, Any]


def somebody() -> str:
    """Who is at this machine: ``LEDGER_OPERATOR``, else the account and the machine's name."""
    named = os.environ.get("LEDGER_OPERATOR", "").strip()
    if named:
        return named
    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # a container's user that has no name
        account = str(os.getuid())
    return f"{account}@{socket.gethostname()}"


def record(
    connection: psycopg.Connection,
    action: str,
    outcome: Outcome,
    *,
    who: str | None = None,
    run_id: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> int:
    """Write an event; its id. ``action``: lower case words and underscores. Raises TargetError."""
    with plain_errors(f"record of {action}", undone="it was not recorded"), connection.transaction():
        row = connection.execute(
            "insert into migration.events (action, outcome, who, run_id, detail) values (%s, %s, %s, %s, %s) "
            "returning event_id",
            (action, outcome, who or somebody(), run_id, json.dumps(dict(detail or {}), default=kept)),
        ).fetchone()
    assert row is not None
    return int(row[0])


def read(
    connection: psycopg.Connection, *, actions: Sequence[str] | None = None, since: datetime | None = None
) -> list[Event]:
    """Events in the order they were written, of these ``actions`` (None: all), from ``since`` on. Raises TargetError."""
    with plain_errors("record of events", undone="nothing was read"), connection.transaction():
        rows = connection.execute(
            "select event_id, at, action, outcome, who, run_id, detail from migration.events "
            "where (%(actions)s::text[] is null or action = any (%(actions)s)) "
            "and (%(since)s::timestamptz is null or at >= %(since)s) order by event_id",
            {"actions": None if actions is None else list(actions), "since": since},
        ).fetchall()
    return [Event(*row) for row in rows]
