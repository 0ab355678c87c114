"""What stands of a person: their consents, and whom their stories are open to.

What belongs here: reading, by ids. What does not: deciding (the kept columns of stories say who sees one).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import psycopg

from ledger_assets.consent.act import act, find_person, statement
from ledger_assets.consent.words import PURPOSES
from ledger_assets.environment import Environment
from ledger_assets.load.sqlfiles import Cursor

POSTHUMOUS = "posthumous"


@dataclass(frozen=True)
class Consent:
    """One row of consents. ``state`` is given, withdrawn, expired, or gone (deleted in Airtable); ``story`` None: all."""

    purpose: str
    state: str
    story: str | None
    expires: date | None
    evidence_kind: str
    recorded: date


@dataclass(frozen=True)
class Sight:
    """Whom a story is open to: ``limits`` as in stories.eff_limits, None: nobody."""

    story: str
    status: str
    privacy: str
    limits: int | None
    analysis: bool


@dataclass(frozen=True)
class Standing:
    """All that stands of one person."""

    storyteller: str
    circle: str
    deceased: bool
    sensitive: bool
    consents: tuple[Consent, ...]
    missing: tuple[str, ...]
    stories: tuple[Sight, ...]


def show(conn: psycopg.Connection, person: str, *, environment: Environment) -> Standing:
    """What stands of ``person`` (record id or uuid). Raises SettingsError for somebody unknown."""
    with act(conn, "consent show", who="nobody", environment=environment, commit=False) as cur:
        cur.execute("set transaction read only")
        row_id, name = find_person(cur, person)
        row = cur.execute(
            "select privacy, deceased, sensitive from public.storytellers where id = %s", (row_id,)
        ).fetchone()
        assert row is not None
        circle, deceased, sensitive = row
        consents = consents_of(cur, row_id)
        return Standing(
            name,
            circle,
            deceased,
            sensitive,
            consents,
            missing(consents, deceased=deceased),
            sights(cur, row_id),
        )


def consents_of(cur: Cursor, row_id: str) -> tuple[Consent, ...]:
    """The person's consents, by purpose."""
    return tuple(Consent(*row) for row in cur.execute(statement("consents_of"), {"person": row_id}))


def sights(cur: Cursor, row_id: str, *, lock: bool = False) -> tuple[Sight, ...]:
    """Whom each of the person's stories is open to; with ``lock`` until the transaction's end nobody else changes it."""
    query = statement("sights")
    if lock:
        query += "for no key update of s"
    return tuple(Sight(*row) for row in cur.execute(query, {"person": row_id}))


def missing(consents: Sequence[Consent], *, deceased: bool) -> tuple[str, ...]:
    """The purposes for which no consent for all of the person's stories holds."""
    held = {c.purpose for c in consents if c.story is None and c.state == "given"}
    held -= {c.purpose for c in consents if c.story is None and c.state == "withdrawn"}
    return tuple(p for p in PURPOSES if p not in held and (p != POSTHUMOUS or deceased))
