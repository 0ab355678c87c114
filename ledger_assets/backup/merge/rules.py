"""What each mode may do to each table: which rows it looks at, and which of them it may bring back, change or remove.

What belongs here: those rules, as SQL over the live row (alias ``t``) or the snapshot's key (alias ``s``). What does not:
the rows of one person (``person``), applying them (``stage``).

Invariants: histories only grow; a consent that is withdrawn stays withdrawn; what a person had erased is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from psycopg import sql

from ledger_assets.backup.merge import person
from ledger_assets.backup.merge.mode import Mode
from ledger_assets.backup.merge.model import Model, Table
from ledger_assets.errors import TargetError

HISTORIES = frozenset({
    "audit.log", "audit.images", "migration.events", "migration.reports", "public.consent_events", "public.story_versions",
    "public.story_views", "public.erasure_requests",
})  # fmt: skip
"""They tell what happened since the snapshot too: to remove that because data are brought back would be to lie about
it, and a request to erase that was carried out must not be open again."""
YES, NO = sql.SQL("true"), sql.SQL("false")


@dataclass(frozen=True)
class Rule:
    """For one table. ``where``: the rows looked at (None: all)."""

    table: Table
    where: sql.Composable | None = None
    insert: sql.Composable = field(default_factory=lambda: YES)
    update: sql.Composable = field(default_factory=lambda: YES)
    delete: sql.Composable = field(default_factory=lambda: YES)
    history: bool = False


def rules(mode: Mode, model: Model, erased: Mapping[str, bool], who: person.Person | None) -> list[Rule]:
    """The rules of a mode, parents first. ``erased``: tables of which rows were erased in the live database."""
    if mode.kind == "table":
        table = model.by_name.get(mode.table or "")
        if table is None:
            raise TargetError(f"there is no table {mode.table} that can be restored: name it as schema.table")
        found = [Rule(table)]
    elif mode.kind == "storyteller":
        if who is None:
            raise TargetError(f"neither the snapshot nor the database has a storyteller {mode.storyteller}")
        found = [
            Rule(part.table, part.where, update=part.update, delete=part.delete)
            for part in person.parts(model, who)
        ]
    else:
        found = [Rule(table) for table in model.tables]
    return [_limited(rule, mode, bool(erased.get(rule.table.name))) for rule in found]


def _limited(rule: Rule, mode: Mode, erased: bool) -> Rule:
    full = rule.table.full
    if full in HISTORIES:
        rule = replace(rule, update=NO, delete=NO, history=True)
    if mode.kind == "lost":
        rule = replace(rule, update=NO, delete=NO)
    if full == "audit.images":
        # An image that is gone beside its line was taken out, by an erasure or with its account.
        rule = replace(rule, insert=sql.SQL("not exists (select from audit.log l where l.log_id = s.log_id)"))
    if full == "public.consents":
        given = sql.SQL("t.state <> 'withdrawn'")
        rule = replace(rule, update=_both(rule.update, given), delete=_both(rule.delete, given))
    if erased and rule.table.schema == "public" and rule.table.key == ("id",):
        # What is left of the erased (a row without a person, for the books) stays as the erasure left it.
        kept = sql.SQL(
            "not exists (select from audit.log l where l.action = 'erase' and l.table_name = {} and l.row_id = t.id::text)"
        ).format(sql.Literal(rule.table.name))
        rule = replace(rule, update=_both(rule.update, kept), delete=_both(rule.delete, kept))
    return rule


def _both(one: sql.Composable, other: sql.Composable) -> sql.Composable:
    return sql.SQL("({}) and ({})").format(one, other)
