"""The records of a database, in time: events, loads, proofs, restores."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ledger_assets import events
from ledger_assets.load.sqlfiles import plain_errors
from ledger_assets.review.model import Line

if TYPE_CHECKING:
    import psycopg

SWITCHED_BACK = "switch_back"
"""The same action the other way round; it undoes, and is no step of the timetable."""
LOADS = (
    "select committed_at, run_id, load_id, export_id, months from migration.loads "
    "where committed_at between %s and %s order by load_id"
)
PROOFS = (
    "select made_at, run_id, passed, document ->> 'headline' from migration.reports "
    "where kind = 'proof' and made_at between %s and %s order by report_id"
)
RESTORES = (
    "select at, who, undo_id, snapshot_id, mode, rows, undone_at, undone_by from migration.undo "
    "where at between %s and %s or undone_at between %s and %s order by undo_id"
)


def lines(connection: psycopg.Connection, since: datetime, until: datetime) -> list[Line]:
    """Everything recorded from ``since`` to ``until``, in order. Raises TargetError."""
    with plain_errors("the records", undone="nothing was read"), connection.transaction():
        found = [
            *_events(connection, since, until),
            *_loads(connection, since, until),
            *_proofs(connection, since, until),
            *_restores(connection, since, until),
        ]
    return sorted(found, key=lambda line: line.at)


def _events(connection: psycopg.Connection, since: datetime, until: datetime) -> list[Line]:
    return [
        Line(
            one.at,
            SWITCHED_BACK if one.action == "switch" and one.detail.get("to") == "airtable" else one.action,
            one.outcome,
            one.who,
            one.run_id,
            ", ".join(
                f"{name} {_short(value)}" for name, value in one.detail.items() if value not in (None, "", [])
            ),
            "events",
        )
        for one in events.read(connection, since=since)
        if one.at <= until
    ]


def _loads(connection: psycopg.Connection, since: datetime, until: datetime) -> list[Line]:
    return [
        Line(
            at,
            "load",
            "done",
            "",
            run,
            f"load {load} from {export}, {'all months' if months is None else f'{len(months)} months'}",
            "loads",
        )
        for at, run, load, export, months in connection.execute(LOADS, (since, until)).fetchall()
    ]


def _proofs(connection: psycopg.Connection, since: datetime, until: datetime) -> list[Line]:
    return [
        Line(at, "proof", "done" if passed else "failed", "", run, headline or "", "reports")
        for at, run, passed, headline in connection.execute(PROOFS, (since, until)).fetchall()
    ]


def _restores(connection: psycopg.Connection, since: datetime, until: datetime) -> list[Line]:
    found = []
    rows = connection.execute(RESTORES, (since, until, since, until)).fetchall()
    for at, who, number, snapshot, mode, count, undone_at, undone_by in rows:
        if since <= at <= until:
            facts = f"restore {number} of {snapshot}, {mode}, {count:,} rows"
            found.append(Line(at, "restore", "done", who, None, facts, "undo"))
        if undone_at is not None and since <= undone_at <= until:
            facts = f"restore {number} was taken back"
            found.append(Line(undone_at, "undo_restore", "done", undone_by, None, facts, "undo"))
    return found


def _short(value: object) -> str:
    """A value of an event's detail: of a list how many and the first ones."""
    if isinstance(value, list):
        return ", ".join(map(str, value[:5])) + (f" and {len(value) - 5} more" if len(value) > 5 else "")
    if isinstance(value, dict):
        return "; ".join(f"{name} {_short(one)}" for name, one in list(value.items())[:8])
    return str(value)
