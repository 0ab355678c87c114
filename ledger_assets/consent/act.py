"""One act of a person on the target: one transaction, in their name, on the right database, with plain errors.

What belongs here: what every act needs before its first statement. What does not: any act.

Invariants: whatever the act writes carries who did it (``audit.log.run``, ``consent_events.run``); with ``commit``
False nothing of it stays; a message of Postgres is passed on only where our own trigger wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg.rows import tuple_row

from ledger_assets.consent.words import record_id, row_uuid
from ledger_assets.environment import Environment
from ledger_assets.errors import SettingsError, TargetError
from ledger_assets.load.sqlfiles import Cursor, plain_errors

FROZEN = "PT503"
"""SQLSTATE of private.refuse_frozen; its message is our own and meant for people."""

_READY: LiteralString = "select to_regprocedure('private.publish_story(uuid, text)') is not null"


@cache
def statement(name: str) -> LiteralString:
    """The SQL of ``sql/<name>.sql``."""
    text: LiteralString = (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    return text


@contextmanager
def act(
    conn: psycopg.Connection, what: str, *, who: str, environment: Environment, commit: bool = True
) -> Iterator[Cursor]:
    """A cursor for the act ``what`` by ``who``. Raises TargetError for what Postgres refuses."""
    with (
        plain_errors(what, undone="nothing was changed"),
        _frozen(what),
        conn.transaction(force_rollback=not commit),
        conn.cursor(row_factory=tuple_row) as cur,
    ):
        cur.execute("set transaction isolation level read committed")
        cur.execute("set local lock_timeout = '10s'")
        _assert_ours(cur, environment)
        cur.execute("select set_config('migration.run', %s, true)", (f"{what} by {who}",))
        yield cur


@contextmanager
def _frozen(what: str) -> Iterator[None]:
    """Turn the refusal of a freeze into its own words: who froze wrote them for everybody."""
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate != FROZEN:
            raise
        until = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
        raise TargetError(
            f"{what}: {error.diag.message_primary}{until}; nothing was changed, try again afterwards"
        ) from None


def _assert_ours(cur: Cursor, environment: Environment) -> None:
    """Raises TargetError for a database without our schema, or one that was loaded as another environment."""
    ready = cur.execute(_READY).fetchone()
    if ready != (True,):
        raise TargetError(f"the database lacks our schema; run: ledger-assets schema apply {environment}")
    theirs = cur.execute("select environment from migration.target").fetchone()
    if theirs is not None and theirs[0] != environment.value:
        raise TargetError(
            f"this database belongs to environment {theirs[0]}, not to {environment}; check the database setting"
        )


def find_person(cur: Cursor, name: str) -> tuple[str, str]:
    """The storyteller's uuid, and how to name them (record id, else uuid). Raises SettingsError."""
    return _find(
        cur,
        name,
        "--storyteller",
        "select id::text, coalesce(airtable_record_id, id::text) "
        "from public.storytellers where airtable_record_id = %s or id = %s",
    )


def find_story(cur: Cursor, name: str) -> tuple[str, str]:
    """The same of a story."""
    return _find(
        cur,
        name,
        "--story",
        "select id::text, coalesce(airtable_record_id, id::text) "
        "from public.stories where airtable_record_id = %s or id = %s",
    )


def _find(cur: Cursor, name: str, option: str, query: LiteralString) -> tuple[str, str]:
    record, row = record_id(name), row_uuid(name)
    if record is None and row is None:
        raise SettingsError(f"{option}: this is not an Airtable record id (rec...) or uuid")
    found = cur.execute(query, (record, row)).fetchall()
    if len(found) != 1:
        raise SettingsError(
            f"{option} {name} is {'not known here' if not found else 'more than one: use the uuid'}"
        )
    return str(found[0][0]), str(found[0][1])
