"""The plan carried out: what goes is kept for the way back, then rows are removed, put in and changed.

What belongs here: the writing, in an order that no key objects to. What does not: what is written (``closure``).

Invariants: children go before parents and come after them; every row that is changed or removed stands in
``migration.undo_rows`` before it is; the audit has a line for each table and deed; a sequence only moves forward.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator

from psycopg import sql

from ledger_assets.backup.merge.model import Model, Table, sequences
from ledger_assets.backup.merge.stage import Stage, filled, hashed, having
from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import Cursor, one


def keep(stage: Stage, undo_id: int) -> int:
    """Write what is needed for the way back; how many rows."""
    kept, busy = 0, having(stage, "'i', 'u', 'd', 'r'")
    for table in (table for table in stage.tables if table.full in busy):
        kept += stage.live.execute(
            filled(
                """
                insert into migration.undo_rows (undo_id, table_name, key, action, image, after_md5, refs)
                select {undo}, {name}, {key_texts}, case merge_action when 'i' then 'insert' when 'd' then 'delete'
                  else 'update' end, case when merge_action <> 'i' then t::text end, {after}, {refs}
                from {c} c left join only {table} t on {t_is_c} left join {f} f on {f_is_c}
                where merge_allowed and merge_action <> 'k'
                """,
                table,
                undo=sql.Literal(undo_id),
                name=sql.Literal(table.full),
                key_texts=_texts("c", table.key),
                after=sql.SQL("case when merge_action <> 'd' then {} end").format(hashed("f", table)),
                refs=_refs(table),
            )
        ).rowcount
    return kept


def kept_aside(stage: Stage) -> Generator[bytes, None, None]:
    """What is replaced or removed, a line of JSON for each row, in the words that stand there now."""
    busy = having(stage, "'u', 'd', 'r'")
    for table in (table for table in stage.tables if table.full in busy):
        query = filled(
            "select json_build_object('table', {name}, 'action', case merge_action when 'd' then 'removed' else 'replaced' "
            "end, 'row', row_to_json(t))::text from {c} c join only {table} t on {t_is_c} "
            "where merge_allowed and merge_action in ('u', 'r', 'd')",
            table,
            name=sql.Literal(table.full),
        )
        # A cursor of the server's: one that is left half read does not stand in the way of the rollback.
        with stage.live.connection.cursor(name=f"merge_aside_{table.number}") as reading:
            for (line,) in reading.execute(query):
                yield line.encode() + b"\n"


def write(stage: Stage) -> None:
    """Remove, put in, change."""
    cur = stage.live
    cur.execute("set constraints all deferred")
    busy = having(stage, "'i', 'u', 'd', 'r', 'k'")
    tables = [table for table in stage.tables if table.full in busy]
    for table in reversed(tables):
        cur.execute(
            filled(
                "delete from only {table} t using {c} c where {t_is_c} and merge_allowed and "
                "merge_action in ('d', 'r', 'k')",
                table,
            )
        )
    for table in tables:
        cur.execute(
            filled(
                "insert into {table} ({columns}) overriding system value select {f_columns} from {f} f join {c} c on "
                "{f_is_c} where merge_allowed and merge_action in ('i', 'r', 'k')",
                table,
            )
        )
    for table in tables:
        others = [column for column in table.columns if column not in (*table.key, *table.always)]
        if others:
            cur.execute(
                filled(
                    "update only {table} t set {values} from {f} f join {c} c on {f_is_c} where {t_is_f} "
                    "and merge_allowed and merge_action = 'u'",
                    table,
                    values=sql.SQL(", ").join(
                        sql.SQL("{0} = f.{0}").format(sql.Identifier(column)) for column in others
                    ),
                )
            )
    cur.execute("set constraints all immediate")


def move_sequences(stage: Stage) -> None:
    """No id of the snapshot is given away again. Not undone by a rollback: an id that is passed over harms nobody."""
    if stage.scratch is None:
        return
    for name in sequences(stage.live):
        query = sql.SQL("select last_value, is_called from {}").format(name)
        theirs, ours = (cur.execute(query).fetchone() for cur in (stage.scratch, stage.live))
        if theirs and ours and theirs > ours:
            stage.live.execute(
                sql.SQL("select setval({}::regclass, %s, %s)").format(sql.Literal(name.as_string(None))),
                theirs,
            )


def tell_audit(stage: Stage) -> None:
    """A line for each table and deed; the rows themselves are kept for the way back."""
    busy = having(stage, "'i', 'u', 'd', 'r'")
    for table in (table for table in stage.tables if table.full in busy):
        for actions, word in ((("i",), "insert"), (("u", "r"), "update"), (("d",), "delete")):
            stage.live.execute(
                filled(
                    "insert into audit.log (table_name, action, rows) select {name}, {word}, count(*) from {c} "
                    "where merge_allowed and merge_action = any (%s) having count(*) > 0",
                    table,
                    name=sql.Literal(table.name),
                    word=sql.Literal(word),
                ),
                (list(actions),),
            )


def refresh(cur: Cursor) -> None:
    """The columns that follow from the consent rule. Raises TargetError when one still does not."""
    cur.execute("select private.refresh_all()")
    left = one(cur, "select count(*) from private.visibility_drift")
    if left:
        raise TargetError(
            f"after the restore {left} stories are not as visible as the consent rule says; it was rolled back"
        )


def refuse_orphans(stage: Stage) -> None:
    """Constraints say valid also where rows were lost behind their back: looked at, not believed."""
    ours = stage.model.by_name
    for key in stage.model.keys:
        if key.child not in stage.rule_of or key.child not in ours:
            continue
        present = sql.SQL(" and ").join(
            sql.SQL("t.{} is not null").format(sql.Identifier(c)) for c in key.columns
        )
        query = filled(
            "select count(*) from only {table} t where {present} and not exists (select from {parent} p where {refers})",
            ours[key.child],
            present=present,
            parent=sql.Identifier(*key.parent.split(".")),
            refers=sql.SQL(" and ").join(
                sql.SQL("p.{} = t.{}").format(sql.Identifier(p), sql.Identifier(t))
                for t, p in zip(key.columns, key.targets, strict=True)
            ),
        )
        left = one(stage.live, query)
        if left:
            raise TargetError(
                f"{left} rows of {key.child} refer to rows of {key.parent} that are not there ({key.name}), which is not "
                "of this restore's making; it was rolled back: restore what was lost (mode lost)"
            )


def shape(model: Model) -> str:
    """Of all columns in their order: an image is read back only into the columns it was taken of."""
    told = "\n".join(
        f"{t.full} {' '.join(t.columns)} {' '.join(t.types)}"
        for t in sorted(model.tables, key=lambda t: t.full)
    )
    return hashlib.sha256(told.encode()).hexdigest()


def _texts(alias: str, columns: tuple[str, ...]) -> sql.Composed:
    parts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(alias, c)) for c in columns)
    return sql.SQL("array[{}]").format(parts)


def _refs(table: Table) -> sql.Composed:
    ids = [c for c, of in zip(table.columns, table.types, strict=True) if of == "uuid"]
    ids += [c for c in (table.record, "row_id") if c in table.columns and c not in ids]
    # The key too: of a row that was put in, nothing else is kept.
    parts = [sql.SQL("t.{}::text").format(sql.Identifier(c)) for c in ids]
    parts += [sql.SQL("c.{}::text").format(sql.Identifier(c)) for c in table.key]
    return sql.SQL("array_remove(array[{}], null)").format(sql.SQL(", ").join(parts))
