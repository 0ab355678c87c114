"""The way back from a restore: the rows as they were before it, in one transaction.

What belongs here: taking a restore back, listing restores, and letting their rows expire. What does not: restoring.

Invariants: rows that somebody changed since are not overwritten: the way back is refused with their ids; what was
erased since is no longer there to come back; the snapshot is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from ledger_assets.backup.merge import closure, model, sessions, stage, write
from ledger_assets.backup.merge.apply import Judge, carry_out, judged, lock_tables
from ledger_assets.backup.merge.model import Table
from ledger_assets.backup.merge.preview import changes_of
from ledger_assets.backup.merge.rules import NO, Rule
from ledger_assets.backup.merge.stage import Stage, filled, hashed, same
from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import Cursor, one

SHOWN = 20


@dataclass(frozen=True)
class Undone:
    """A restore that was taken back."""

    undo_id: int
    inserted: int
    updated: int
    deleted: int


@dataclass(frozen=True)
class UndoEntry:
    """A restore that was made; ``rows`` are kept for the way back, ``purged`` were erased out of it."""

    undo_id: int
    at: datetime
    snapshot_id: str
    mode: str
    who: str
    rows: int
    purged: int
    undone_at: datetime | None


def undo(
    live: psycopg.Connection, undo_id: int, *, who: str, judge: Judge | None = None, lock_seconds: float = 60
) -> Undone:
    """Take a restore back. Raises TargetError; then nothing was changed."""
    with sessions.one_transaction(live, f"the way back from restore {undo_id}") as cur:
        lock_tables(cur, lock_seconds)
        found = model.read(cur)
        _refuse_other(cur, undo_id, write.shape(found))
        staged = Stage(None, cur, None, found, tuple(Rule(table, NO) for table in found.tables))
        stage.make_temporary(staged)
        touched = {
            r[0]
            for r in cur.execute(
                "select distinct table_name from migration.undo_rows where undo_id = %s", (undo_id,)
            )
        }
        for table in staged.tables:
            if table.full in touched:
                _plan(cur, table, undo_id)
        staged = closure.complete(staged)
        changes = changes_of(staged)
        sessions.as_restore(cur, f"undo of restore {undo_id}", mode="undo")
        carry_out(staged)
        for table in staged.tables:
            _verify(cur, table)
        cur.execute(
            "update migration.undo set undone_at = now(), undone_by = %s where undo_id = %s", (who, undo_id)
        )
        cur.execute("delete from migration.undo_rows where undo_id = %s", (undo_id,))
        judged(cur, judge)
    return Undone(
        undo_id,
        sum(c.inserted for c in changes),
        sum(c.updated for c in changes),
        sum(c.deleted for c in changes),
    )


def list_undo(live: psycopg.Connection) -> list[UndoEntry]:
    """Every restore into this database, the newest first."""
    with live.transaction():
        rows = live.execute(
            "select u.undo_id, u.at, u.snapshot_id, u.mode, u.who, "
            "(select count(*) from migration.undo_rows r where r.undo_id = u.undo_id), u.purged, u.undone_at "
            "from migration.undo u order by u.undo_id desc"
        ).fetchall()
    return [UndoEntry(*row) for row in rows]


def forget_undo(live: psycopg.Connection, older_than: datetime) -> int:
    """Rows kept for the way back from restores before then are removed; answers with how many."""
    with live.transaction():
        return live.execute(
            "delete from migration.undo_rows r using migration.undo u where u.undo_id = r.undo_id and u.at < %s",
            (older_than,),
        ).rowcount


def _refuse_other(cur: Cursor, undo_id: int, shape: str) -> None:
    row = cur.execute(
        "select u.shape, u.undone_at, u.at, u.rows > u.purged + (select count(*) from migration.undo_rows r where "
        "r.undo_id = u.undo_id) from migration.undo u where u.undo_id = %s",
        (undo_id,),
    ).fetchone()
    if row is None:
        raise TargetError(f"there is no restore {undo_id} in this database")
    kept, undone_at, at, expired = row
    if undone_at is not None:
        raise TargetError(f"restore {undo_id} was taken back already")
    if kept != shape:
        raise TargetError(
            f"the schema has changed since restore {undo_id}: restore the snapshot that was taken before it instead"
        )
    if expired:
        raise TargetError(
            f"the rows kept for the way back from restore {undo_id} of {at:%Y-%m-%d} have expired: restore the snapshot "
            "that was taken before it instead"
        )


def _plan(cur: Cursor, table: Table, undo_id: int) -> None:
    """The opposite of what the restore did to this table."""
    typed = sql.SQL(", ").join(
        sql.SQL("r.key[{}]::{} as {}").format(
            sql.Literal(place), table.type_of(column), sql.Identifier(column)
        )
        for place, column in enumerate(table.key, 1)
    )
    rows = filled(
        "(select {typed}, r.action, r.after_md5, r.image, r.key from migration.undo_rows r "
        "where r.undo_id = {undo} and r.table_name = {name})",
        table,
        typed=typed,
        undo=sql.Literal(undo_id),
        name=sql.Literal(table.full),
    )
    changed = filled(
        "select array_to_string(u.key, ' ') from {rows} u left join only {table} t on {t_is_u} where case u.action "
        "when 'delete' then {here} when 'update' then not {here} or {hash} <> u.after_md5 "
        "else {here} and {hash} <> u.after_md5 end",
        table,
        rows=rows,
        t_is_u=same("t", "u", table.key),
        here=sql.SQL("(t.{} is not null)").format(sql.Identifier(table.key[0])),
        hash=hashed("t", table),
    )
    later = [row[0] for row in cur.execute(changed).fetchall()]
    if later:
        shown = ", ".join(sorted(later)[:SHOWN])
        raise TargetError(
            f"{len(later)} rows of {table.full} were changed since restore {undo_id} ({shown}): the way back would lose "
            "that; restore the snapshot that was taken before it instead"
        )
    cur.execute(
        filled(
            "insert into {c} select {u_key}, array_to_string(u.key, ' '), case u.action when 'insert' then 'd' "
            "when 'update' then 'u' else 'i' end, true from {rows} u left join only {table} t on {t_is_u} "
            "where u.action <> 'insert' or {here}",
            table,
            u_key=sql.SQL(", ").join(sql.Identifier("u", column) for column in table.key),
            rows=rows,
            t_is_u=same("t", "u", table.key),
            here=sql.SQL("t.{} is not null").format(sql.Identifier(table.key[0])),
        )
    )
    cur.execute(
        filled(
            "insert into {f} ({columns}) select {columns} from (select (u.image::{table}).* from {rows} u "
            "where u.image is not null) i",
            table,
            rows=rows,
        )
    )


def _verify(cur: Cursor, table: Table) -> None:
    left = one(
        cur,
        filled(
            "select count(*) from {c} c left join only {table} t on {t_is_c} left join {f} f on {f_is_c} "
            "where merge_allowed and case when merge_action = 'd' then {here} else {of_t} is distinct from {of_f} end",
            table,
            here=sql.SQL("t.{} is not null").format(sql.Identifier(table.key[0])),
            of_t=hashed("t", table),
            of_f=hashed("f", table),
        ),
    )
    if left:
        raise TargetError(
            f"{left} rows of {table.full} are not as they were before the restore; nothing was changed"
        )
