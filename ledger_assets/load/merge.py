"""One target table of the load: keys first, then only what changed, then what a person changed as well.

What belongs here: staging a frame and writing its differences. What does not: the transaction, the checks
(``verify``), what becomes of findings (``findings``).

Invariants: a row that is the same on both sides is not touched; a row that somebody else changed is not
overwritten; nothing is deleted; every written row is written whole, so that an emptied cell becomes NULL. New
rows are COPYed straight into the table: nobody else makes these ids, and staging them first writes all twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
from psycopg import sql

from ledger_assets.errors import StoreError
from ledger_assets.load.columns import Target
from ledger_assets.load.copytext import copy_frame
from ledger_assets.load.report import TableCounts
from ledger_assets.load.sqlfiles import Cursor, one, statement

if TYPE_CHECKING:
    from ledger_assets.ledger.store import Ledger


@dataclass(frozen=True)
class Scope:
    """What a load is about: an export of a base, all of it or the records of some months."""

    base_id: str
    export_id: str
    first_month: date
    months: tuple[str, ...] | None

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of :meth:`rows`."""
        months = None if self.months is None else list(self.months)
        return {"base": self.base_id, "months": months, "first": self.first_month.replace(day=1)}

    def rows(self, created: str) -> sql.Composed:
        """SQL: the row ``d`` is one that this load would have to bring, by its column ``created``."""
        return sql.SQL(
            "(%(months)s::text[] is null or d.{created} is not null and to_char(greatest(date_trunc('month', "
            "d.{created} at time zone 'UTC'), %(first)s::timestamp), 'YYYY-MM-DD') = any(%(months)s))"
        ).format(created=sql.Identifier(created))

    def target_rows(self) -> sql.Composed:
        """As :meth:`rows`, for target tables: rows that people made here have no base."""
        return sql.SQL("d.airtable_base_id = %(base)s and {}").format(self.rows("airtable_created_at"))


@dataclass(frozen=True)
class Conflict:
    """A row that was changed here and in Airtable. ``silenced``: decided already, for this state of the
    source.
    """

    table: str
    row_id: str
    airtable_table_id: str | None
    record_id: str | None
    source_hash: str
    row_updated_at: str
    silenced: bool


@dataclass(frozen=True)
class Merged:
    """What became of one table. ``filled``: cells that are not NULL by column, of rows not changed here. ``same``: its
    rows were compared as a whole and nothing was staged."""

    target: Target
    counts: TableCounts
    conflicts: tuple[Conflict, ...]
    columns: tuple[str, ...]
    filled: dict[str, int] = field(default_factory=dict)
    same: bool = False


def same_table(cur: Cursor, target: Target, ledger: Ledger, scope: Scope) -> Merged | None:
    """The table when it holds the ledger's rows already, ids and hashes, and nothing else; None when it does not.

    One hash of the whole table against the one that the ledger's manifest has: neither its rows are read nor its keys
    staged. A conflict, a row that is gone or back, make another hash.
    """
    if scope.months is not None:
        return None
    made = ledger.manifest.table(target.name)
    query = statement("digest", table=sql.Identifier(target.name), in_scope=scope.target_rows())
    if one(cur, query, scope.parameters) != made.sha256:
        return None
    columns = target.loaded(ledger.columns(target.name))
    counts = TableCounts(staged=made.rows, unchanged=made.rows)
    return Merged(target, counts, (), columns, same=True)


def merge_table(cur: Cursor, target: Target, frame: pl.DataFrame, scope: Scope, left_out: int) -> Merged:
    """Bring the table to what ``frame`` says."""
    columns = target.loaded(frame.columns)
    if frame["id"].n_unique() != frame.height:
        raise StoreError(f"ledger table {target.name} has an id twice; make the ledger again")
    keys, diff = keys_table(target), sql.Identifier(f"diff_{target.name}")
    cur.execute(sql.SQL("create temp table {} (id uuid, source_hash bytea) on commit drop").format(keys))
    copy_frame(cur, keys, frame.select("id", "source_hash"))
    cur.execute(sql.SQL("analyze {}").format(keys))
    names = {"table": sql.Identifier(target.name), "keys": keys, "diff": diff}
    parameters = {**scope.parameters, "table": target.name, "export": scope.export_id}
    cur.execute(statement("compare", in_scope=scope.target_rows(), **names), parameters)
    actions = _actions(cur, diff)
    inserted = _insert(cur, target, frame, diff, actions, scope)
    updated = _update(cur, target, frame, names, parameters) if actions.get("update") else 0
    _flag(cur, names, actions)
    if inserted or updated or actions.get("delete") or actions["returned"]:
        cur.execute(statement("audit", diff=diff), {"table": target.name})
    found = cur.execute(statement("conflicts", **names), parameters).fetchall()
    conflicts = tuple(Conflict(target.name, str(row[0]), *row[1:]) for row in found)
    reported = sum(not c.silenced for c in conflicts)
    counts = TableCounts(
        staged=frame.height,
        inserted=inserted,
        updated=updated,
        unchanged=frame.height - inserted - updated - reported,
        conflicts=reported,
        deleted=actions.get("delete", 0),
        returned=actions.get("returned", 0),
        left_out=left_out,
    )
    filled = _filled(cur, target, frame) if inserted or updated else {}
    return Merged(target, counts, conflicts, columns, filled)


def keys_table(target: Target) -> sql.Identifier:
    """The temporary table of the target's staged ids and hashes."""
    return sql.Identifier(f"keys_{target.name}")


def _actions(cur: Cursor, diff: sql.Identifier) -> dict[str, int]:
    """How many rows by action, and ``returned``."""
    query = sql.SQL(
        "select action, count(*), count(*) filter (where returned) from {} group by action"
    ).format(diff)
    rows = cur.execute(query).fetchall()
    return {**{action: count for action, count, _ in rows}, "returned": sum(back for _, _, back in rows)}


def _insert(
    cur: Cursor,
    target: Target,
    frame: pl.DataFrame,
    diff: sql.Identifier,
    actions: dict[str, int],
    scope: Scope,
) -> int:
    count = actions.get("insert", 0)
    if count:
        new = frame if count == frame.height else _chosen(cur, frame, diff, "insert")
        copy_frame(
            cur, sql.Identifier("public", target.name), new.with_columns(export_id=pl.lit(scope.export_id))
        )
    return count


def _update(
    cur: Cursor,
    target: Target,
    frame: pl.DataFrame,
    names: dict[str, sql.Identifier],
    parameters: dict[str, Any],
) -> int:
    stage = sql.Identifier(f"stage_{target.name}")
    columns = sql.SQL(", ").join(sql.Identifier(c) for c in frame.columns)
    cur.execute(
        sql.SQL("create temp table {} on commit drop as select {} from public.{} with no data").format(
            stage, columns, names["table"]
        )
    )
    copy_frame(cur, stage, _chosen(cur, frame, names["diff"], "update"))
    cur.execute(sql.SQL("analyze {}").format(stage))
    assignments = sql.SQL(", ").join(
        sql.SQL("{0} = s.{0}").format(sql.Identifier(c)) for c in frame.columns if c != "id"
    )
    cur.execute(statement("update", stage=stage, assignments=assignments, **names), parameters)
    return cur.rowcount


def _flag(cur: Cursor, names: dict[str, sql.Identifier], actions: dict[str, int]) -> None:
    """Mark rows gone from the source, and those that are back."""
    if actions.get("delete"):
        cur.execute(
            sql.SQL(
                "update public.{table} d set source_deleted_at = now(), updated_at = now() "
                "from {diff} x where x.id = d.id and x.action = 'delete'"
            ).format(**names)
        )
    if actions["returned"]:
        cur.execute(
            sql.SQL(
                "update public.{table} d set source_deleted_at = null, updated_at = now() "
                "from {diff} x where x.id = d.id and x.returned and d.source_deleted_at is not null"
            ).format(**names)
        )


def _chosen(cur: Cursor, frame: pl.DataFrame, diff: sql.Identifier, action: str) -> pl.DataFrame:
    query = sql.SQL("select id::text from {} where action = %s").format(diff)
    ids = pl.DataFrame({"id": [row[0] for row in cur.execute(query, (action,))]}, schema={"id": pl.String})
    return frame.join(ids, on="id", how="semi")


def _filled(cur: Cursor, target: Target, frame: pl.DataFrame) -> dict[str, int]:
    query = sql.SQL("select d.id::text from public.{} d where d.locally_changed").format(
        sql.Identifier(target.name)
    )
    changed = pl.DataFrame({"id": [row[0] for row in cur.execute(query)]}, schema={"id": pl.String})
    counts = frame.join(changed, on="id", how="anti").select(pl.all().count())
    return dict(counts.row(0, named=True))
