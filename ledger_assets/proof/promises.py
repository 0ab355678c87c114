"""Columns that no cell fills, asked for what the migration must never do: publish, or say whose words they are by guess.

What belongs here: the promises, each as one query of its own on the rows and the raw links. What does not: cells
and links (``cells``, ``parts``); ``media_assets.role``, which is proven with its files; a quote's words (``verbatim``).

Invariant: only what holds whatever the transform is; a row that somebody changed in Postgres is counted, not judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from ledger_assets.proof.catalogue import Catalogue
from ledger_assets.proof.plan import LinkPlan, Plan
from ledger_assets.proof.statements import named, statement
from ledger_assets.proof.verdicts import NOTHING, Named

PRIVATE = "every migrated story is a draft and private"
CERTAIN = "a quote names a storyteller where its interviews name that one and nobody else, and nowhere else"


@dataclass(frozen=True)
class Promise:
    """What the migration must never do to a column that no cell fills, whatever the ledger made of it."""

    table: str
    """The Airtable table of the rows."""
    target: str
    text: str
    rows: int
    """Rows that were looked at."""
    changed: int = 0
    """Rows that somebody changed in Postgres since: theirs to decide."""
    broken: Named = NOTHING

    @property
    def passed(self) -> bool:
        """Whether it was kept in every row."""
        return not self.broken


def prove_promises(
    conn: psycopg.Connection, base_id: str, plan: Plan, catalogue: Catalogue
) -> tuple[Promise, ...]:
    """The promises about the tables that there are."""
    return tuple(_promises(conn, base_id, plan, catalogue))


def _promises(conn: psycopg.Connection, base_id: str, plan: Plan, catalogue: Catalogue) -> Iterator[Promise]:
    tables = {column.target: column.table.name for column in plan.columns}
    if "stories" in tables and catalogue.has("stories", "status") and catalogue.has("stories", "privacy"):
        yield _ask(conn, "private", Promise(tables["stories"], "stories", PRIVATE, 0), {"base": base_id})
    interviews = link_between(plan, "quotes", "interviews")
    speakers = link_between(plan, "interviews", "storytellers")
    if interviews is not None and speakers is not None and catalogue.has("quotes", "storyteller_id"):
        values = {"base": base_id, "interviews": interviews.field.id, "speakers": speakers.field.id}
        yield _ask(conn, "certain", Promise(interviews.table.name, "quotes", CERTAIN, 0), values)


def link_between(plan: Plan, holder: str, linked: str) -> LinkPlan | None:
    """The link field of ``holder``'s records that leads to ``linked``."""
    return next((p for p in plan.links if (p.holder_table, p.linked_table) == (holder, linked)), None)


def _ask(conn: psycopg.Connection, name: str, promise: Promise, values: dict[str, str]) -> Promise:
    row = conn.execute(statement(name), values).fetchone()
    assert row is not None
    rows, changed, broken, ids = row
    return Promise(promise.table, promise.target, promise.text, rows, changed, named(broken, ids))
