"""What a restore would do, table by table: counts and ids, never a word of anybody's.

What belongs here: counting, and telling it. What does not: doing it (``apply``).

Invariants: a preview makes the whole plan that the restore would, in transactions that are rolled back, so that what
would be refused is refused here already.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from ledger_assets.backup.merge import (
    closure,
    erased,
    model,
    narrowed,
    person,
    rules,
    schemas,
    sessions,
    stage,
    standing,
    withdrawn,
)
from ledger_assets.backup.merge.mode import Erased, Mode
from ledger_assets.backup.merge.model import Table, raw
from ledger_assets.backup.merge.stage import Stage, filled
from ledger_assets.load.sqlfiles import Cursor

SHOWN = 20
DIFFERENCES = {"i": "missing", "u": "differing", "r": "differing", "d": "newer"}
DEEDS = {"i": "inserted", "u": "updated", "r": "updated", "d": "deleted"}


@dataclass(frozen=True)
class Change:
    """One table: how the two differ, and what of that the mode would change."""

    table: str
    missing: int
    differing: int
    newer: int
    inserted: int
    updated: int
    deleted: int
    ids: dict[str, tuple[str, ...]]
    """At most 20 record ids of each of the counts above, by its name."""


@dataclass(frozen=True)
class Preview:
    """The whole plan; tables without a difference are left out."""

    mode: Mode
    changes: tuple[Change, ...]
    accounts_gone: int = 0
    """Profiles of the snapshot whose accounts no longer exist: they stay gone."""
    withdrawals_kept: tuple[str, ...] = ()
    """Consents that were withdrawn since: they stay withdrawn."""
    narrowed_kept: tuple[str, ...] = ()
    """Stories and storytellers whose circle was narrowed since: they stay as narrow."""
    shares_left_out: tuple[str, ...] = ()
    """Lost shares of value events whose amount or other shares were changed since: they stay out."""

    @property
    def inserted(self) -> int:
        """Rows that would come back."""
        return sum(change.inserted for change in self.changes)

    @property
    def updated(self) -> int:
        """Rows that would be as in the snapshot again."""
        return sum(change.updated for change in self.changes)

    @property
    def deleted(self) -> int:
        """Rows newer than the snapshot that would go."""
        return sum(change.deleted for change in self.changes)

    def lines(self) -> list[str]:
        """For a person."""
        told = [
            f"{c.table}: {c.missing} missing, {c.differing} differing, {c.newer} newer than the snapshot; would bring "
            f"back {c.inserted}, change {c.updated}, remove {c.deleted}"
            for c in self.changes
        ]
        return [*told, *self.notes()]

    def notes(self) -> list[str]:
        """What stays as it is although the snapshot has it otherwise."""
        told = []
        if self.accounts_gone:
            told.append(f"{self.accounts_gone} profiles stay gone: their accounts no longer exist")
        if self.withdrawals_kept:
            told.append(
                f"{len(self.withdrawals_kept)} consents stay withdrawn: {', '.join(self.withdrawals_kept[:SHOWN])}"
            )
        if self.narrowed_kept:
            told.append(
                f"{len(self.narrowed_kept)} stay as narrow as people made them: {', '.join(self.narrowed_kept[:SHOWN])}"
            )
        if self.shares_left_out:
            told.append(
                f"{len(self.shares_left_out)} lost shares (value_distributions) no longer add up to their event's amount "
                f"and stay out: {', '.join(self.shares_left_out[:SHOWN])}"
            )
        return told


def preview(
    scratch: psycopg.Connection, live: psycopg.Connection, mode: Mode, *, erased: Erased | None = None
) -> Preview:
    """The plan of a restore; nothing is changed and no writer waits. Raises TargetError where the restore would."""
    with (
        sessions.rolled_back(live, "preview of a restore") as cur,
        planned(scratch, live, cur, mode, erased, "preview of a restore") as plan,
    ):
        return plan[1]


@contextmanager
def planned(
    scratch: psycopg.Connection,
    live: psycopg.Connection,
    cur: Cursor,
    mode: Mode,
    named: Erased | None,
    what: str,
) -> Iterator[tuple[Stage, Preview]]:
    """The plan inside ``cur``'s transaction, with the scratch's beside it; an error of either is told of ``what``."""
    with sessions.rolled_back(scratch, what) as source:
        found = model.read(cur)
        schemas.refuse_other(scratch, live, schemas.tables_of(model.read(source), found))
        gone = erased.drop_gone_accounts(source, cur, found)
        erased.refuse(source, cur, found, named or Erased())
        who = person.find((source, cur), mode.storyteller or "") if mode.kind == "storyteller" else None
        ruled = rules.rules(mode, found, erased.tables_with_erased(cur), who)
        staged = Stage(source, cur, mode, found, tuple(ruled))
        stage.make_temporary(staged)
        stage.compare(staged)
        before = {table.full: _counted(cur, table, DIFFERENCES, "true") for table in staged.tables}
        staged = closure.complete(staged)
        changes = (_change(cur, table, before) for table in staged.tables)
        told = Preview(
            mode,
            tuple(c for c in changes if c.ids),
            gone,
            withdrawn.told(staged),
            narrowed.told(staged),
            standing.told(staged),
        )
        yield staged, told


def changes_of(staged: Stage) -> tuple[Change, ...]:
    """What is planned, of the way back."""
    return tuple(c for table in staged.tables if (c := _change(staged.live, table, {})).ids)


Counted = dict[str, tuple[int, tuple[str, ...]]]


def _change(cur: Cursor, table: Table, before: dict[str, Counted]) -> Change:
    found = before.get(table.full, {}) | _counted(cur, table, DEEDS, "merge_allowed")
    counts = {name: found.get(name, (0, ()))[0] for name in {*DIFFERENCES.values(), *DEEDS.values()}}
    return Change(table=table.full, **counts, ids={name: ids for name, (_, ids) in sorted(found.items())})


def _counted(cur: Cursor, table: Table, words: dict[str, str], which: str) -> Counted:
    query = (
        "select merge_action, count(*), (array_agg(merge_label order by merge_label))[:20] from {c} where {which} "
        "group by 1 order by 1"
    )
    found: Counted = {}
    for action, number, ids in cur.execute(filled(query, table, which=raw(which))).fetchall():
        if action in words:
            known = found.get(words[action], (0, ()))
            found[words[action]] = (known[0] + number, (*known[1], *ids)[:SHOWN])
    return found
