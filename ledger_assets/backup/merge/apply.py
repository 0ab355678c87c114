"""A restore: one transaction that brings the snapshot's rows in, is checked before it ends, and can be taken back.

What belongs here: the order of it. What does not: each part (``stage``, ``closure``, ``write``).

Invariants: whatever fails, nothing was changed; what would be replaced or removed is handed to the caller and kept for
the way back before it is; afterwards the same comparison that made the plan must find nothing left to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg
from psycopg import sql

from ledger_assets.backup.merge import narrowed, sessions, standing, write
from ledger_assets.backup.merge.mode import Erased, Mode
from ledger_assets.backup.merge.model import LEFT, PARAMETERS, text
from ledger_assets.backup.merge.preview import Preview, planned
from ledger_assets.backup.merge.stage import Stage, differences, filled
from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import Cursor, one

Aside = Callable[[Iterator[bytes]], None]
"""Takes the lines of what is replaced or removed, and keeps them; called before the commit."""
Judge = Callable[[psycopg.Connection], Sequence[str]]
"""Looks at the database inside the transaction; every line it answers is a reason to roll it back."""
SHOWN = 5


@dataclass(frozen=True)
class Restored:
    """A restore that was committed; ``undo_id`` is the way back."""

    undo_id: int
    preview: Preview
    seconds: float


def apply(
    scratch: psycopg.Connection,
    live: psycopg.Connection,
    mode: Mode,
    *,
    snapshot: str,
    who: str,
    erased: Erased | None = None,
    aside: Aside | None = None,
    judge: Judge | None = None,
    lock_seconds: float = 60,
) -> Restored:
    """Bring the scratch's data into ``live``. Raises TargetError; then nothing was changed."""
    begun = time.monotonic()
    what = f"restore of {snapshot}"
    with sessions.one_transaction(live, what) as cur:
        lock_tables(cur, lock_seconds)
        with planned(scratch, live, cur, mode, erased, what) as (stage, plan):
            undo_id = int(
                one(
                    cur,
                    "insert into migration.undo (snapshot_id, mode, who, shape) values (%s, %s, %s, %s) returning undo_id",
                    (snapshot, str(mode), who, write.shape(stage.model)),
                )
            )
            sessions.as_restore(cur, f"restore {undo_id} of {snapshot}")
            kept = write.keep(stage, undo_id)
            cur.execute("update migration.undo set rows = %s where undo_id = %s", (kept, undo_id))
            if aside is not None:
                with closing(write.kept_aside(stage)) as lines:
                    aside(lines)
            carry_out(stage)
            _verify(stage)
        judged(cur, judge)
    return Restored(undo_id, plan, time.monotonic() - begun)


def lock_tables(cur: Cursor, seconds: float) -> None:
    """Every table of ours that a restore, or what it refers to, may touch."""
    rows = cur.execute(text("tables"), PARAMETERS).fetchall()
    named = [sql.Identifier(r[0], r[1]) for r in rows if f"{r[0]}.{r[1]}" not in LEFT or r[1] == "erasures"]
    sessions.lock(cur, named, seconds)


def carry_out(stage: Stage) -> None:
    """Write the plan and what follows from it."""
    write.write(stage)
    write.move_sequences(stage)
    write.tell_audit(stage)
    write.refresh(stage.live)
    write.refuse_orphans(stage)


def judged(cur: Cursor, judge: Judge | None) -> None:
    """Ask the caller's own checks, as anybody. Raises TargetError with their lines."""
    sessions.as_anybody(cur)
    lines = list(judge(cur.connection)) if judge is not None else []
    if lines:
        raise TargetError(f"the restore was rolled back, because afterwards {'; '.join(lines[:SHOWN])}")


def _verify(stage: Stage) -> None:
    """The comparison once more: rows that were to be as in the snapshot are, by the hash of their values."""
    for rule in stage.rules:
        stage.live.execute(filled("truncate {c}", rule.table))
        differences(stage, rule)
        exempt: sql.Composable = sql.SQL("")
        if rule.table.full in narrowed.TABLES | standing.TABLES:
            name = sql.Literal(rule.table.name)
            exempt = sql.SQL(
                " and id not in (select n.id from merge_exempt n where n.table_name = {})"
            ).format(name)
        query = filled("select count(*) from {c} where merge_allowed{exempt}", rule.table, exempt=exempt)
        left = one(stage.live, query)
        if left:
            raise TargetError(
                f"after the restore {left} rows of {rule.table.full} are not as in the snapshot; it was rolled back: a "
                "trigger that is not ours changes what is written there"
            )
