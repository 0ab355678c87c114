"""What a load owes the consent rule before it commits: the kept columns brought up to date, and judged.

What belongs here: the refresh and the check ``consent``. What does not: the rule (``supabase/migrations``,
09_visibility), which this never repeats but for the one thing that must hold of every open story.

Invariants: the loader's rows fire none of the rule's triggers, so the refresh is once per load and inside its
transaction; a story is open only where every one of its people has given, and nobody has withdrawn, a consent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.rows import tuple_row

from ledger_assets.load.report import SAMPLE, CheckOutcome
from ledger_assets.load.sqlfiles import Cursor, one, plain_errors, statement

if TYPE_CHECKING:
    import psycopg

STORIES = "stories"
CONSENT = "consent"


def refresh(cur: Cursor) -> int:
    """Record the consents that have expired, and bring every published or open story to what the rule says; how many
    stories were written."""
    record_expiries(cur)
    return int(one(cur, "select private.refresh_all()"))


def record_expiries(cur: Cursor) -> int:
    """Record the expiry of every consent whose end date has come; how many were new."""
    return int(one(cur, "select private.record_expiries()"))


def record_now(conn: psycopg.Connection, *, run_id: str) -> int:
    """:func:`record_expiries` in a transaction of its own; as the loader, so that a freeze does not lose an expiry."""
    with (
        plain_errors("the record of expired consents", undone="nothing was recorded"),
        conn.transaction(),
        conn.cursor(row_factory=tuple_row) as cur,
    ):
        cur.execute("set local migration.writer = 'on'")
        cur.execute("select set_config('migration.run', %s, true)", (run_id,))
        return record_expiries(cur)


def verify_consent(cur: Cursor) -> CheckOutcome:
    """No story is more open than its evidence, and no kept column is stale."""
    row = cur.execute(statement("consent"), {"sample": SAMPLE}).fetchone()
    assert row is not None
    open_stories, stale, stale_ids, unfounded, unfounded_ids = row
    detail = {"open": open_stories, "stale": stale, "without_evidence": unfounded}
    if stale:
        detail["stale_ids"] = stale_ids
    if unfounded:
        detail["without_evidence_ids"] = unfounded_ids
    return CheckOutcome(STORIES, CONSENT, not stale and not unfounded, detail)
