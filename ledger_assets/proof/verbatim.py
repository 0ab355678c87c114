"""Whether a quote occurs in its transcripts, looked up again in the texts as they lie in Postgres.

What belongs here: the promise about ``quotes.occurs_verbatim``. What does not: whose quote it is (``promises``).

Invariants: transcripts come from the raw records, because they may be corrected here, and quotes from rows that nobody
changed, whose cells are proven; one batch of transcripts is in memory at a time; letters are told
apart by Python's own tables and not by the ledger's expressions.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import LiteralString

import psycopg

from ledger_assets.proof.catalogue import Catalogue
from ledger_assets.proof.plan import ColumnPlan, LinkPlan, Plan
from ledger_assets.proof.promises import Promise, link_between
from ledger_assets.proof.statements import named
from ledger_assets.proof.verdicts import SAMPLE

VERBATIM = "a quote says that its words occur in one of its transcripts where they do, and nowhere else"
BATCH = 200
"""Transcripts that are in memory at once: the longest are about a megabyte."""

_QUOTES: LiteralString = """
select airtable_record_id, occurs_verbatim, locally_changed, case when not locally_changed then quote end
from public.quotes
where airtable_base_id = %s and source_deleted_at is null
"""
_LINKS: LiteralString = (
    "select target_id, array_agg(record_id) from proof_links where field_id = %s group by 1"
)
_TRANSCRIPTS: LiteralString = """
select r.record_id, r.fields ->> %(transcript)s
from proof_raw r
where r.table_id = %(media)s and jsonb_typeof(r.fields -> %(transcript)s) = 'string'
  and %(transcript)s <> all (r.lossy)
  and r.record_id in (select target_id from proof_links where field_id = %(link)s)
  and r.record_id not in (select q.record_id from proof_rejected q
                          where q.table_id = %(media)s and q.field_id is null and q.kind = 'quarantine')
"""


def prove_verbatim(
    conn: psycopg.Connection, base_id: str, plan: Plan, catalogue: Catalogue
) -> tuple[Promise, ...]:
    """The promise, when there are quotes of transcripts."""
    quote, transcript = _column(plan, "quotes", "quote"), _column(plan, "interviews", "transcript")
    link = link_between(plan, "quotes", "interviews")
    if quote is None or transcript is None or link is None or not catalogue.has("quotes", "occurs_verbatim"):
        return ()
    said: dict[str, str] = {}
    stored: dict[str, bool | None] = {}
    changed = 0
    for record_id, occurs, locally_changed, words in conn.execute(_QUOTES, (base_id,)):
        changed += locally_changed
        if not locally_changed:
            stored[record_id], said[record_id] = occurs, plain(words or "")
    found = _look_up(conn, link, transcript, said)
    broken = sorted(record_id for record_id, occurs in stored.items() if found.get(record_id) is not occurs)
    return (
        Promise(
            quote.table.name,
            "quotes",
            VERBATIM,
            len(stored) + changed,
            changed,
            named(len(broken), broken[:SAMPLE]),
        ),
    )


def plain(text: str) -> str:
    """Letters, marks and digits alone, in lower case."""
    return text.translate(_LETTERS).lower()


class _Letters(dict[int, int | None]):
    """What becomes of each character, found out when it is first met."""

    def __missing__(self, code: int) -> int | None:
        # Cn: a character newer than Python's tables is more likely a letter than not.
        kind = unicodedata.category(chr(code))
        self[code] = code if kind[0] in "LMN" or kind == "Cn" else None
        return self[code]


_LETTERS = _Letters()


def _look_up(
    conn: psycopg.Connection, link: LinkPlan, transcript: ColumnPlan, said: dict[str, str]
) -> dict[str, bool]:
    """Whether each quote that has a transcript occurs in one of them."""
    quotes: dict[str, list[str]] = dict(conn.execute(_LINKS, (link.field.id,)).fetchall())
    found: dict[str, bool] = {}
    for interview, words in _transcripts(conn, link, transcript):
        heard = plain(words)
        for record_id in quotes[interview]:
            text = said.get(record_id)
            if text is not None and not found.get(record_id):
                found[record_id] = text != "" and text in heard
    return found


def _transcripts(
    conn: psycopg.Connection, link: LinkPlan, transcript: ColumnPlan
) -> Iterator[tuple[str, str]]:
    values = {"transcript": transcript.field.id, "media": transcript.table.id, "link": link.field.id}
    with conn.cursor(name="proof_transcripts") as cursor:
        cursor.itersize = BATCH
        yield from cursor.execute(_TRANSCRIPTS, values)


def _column(plan: Plan, target: str, column: str) -> ColumnPlan | None:
    return next((p for p in plan.columns if (p.target, p.column) == (target, column)), None)
