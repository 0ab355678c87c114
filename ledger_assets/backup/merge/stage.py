"""Two databases side by side: keys and hashes of the snapshot beside the live rows, and how they differ.

What belongs here: temporary tables and the comparison. What does not: what a change draws with it (``closure``), writing.

Invariants: only keys and hashes of what is compared cross over, and whole rows only of what will be written; both go
through COPY, so that memory stays flat; what is compared is every column but those that follow from others.

Temporary tables of a table, on the live side: ``merge_s`` key, label, hash of each row of the snapshot; ``merge_c`` key,
label, action, allowed of each row that differs; ``merge_f`` whole rows that will be written. Actions: ``i`` insert, ``u``
update, ``d`` delete, ``r`` delete and insert again with other values, ``k`` the same with its own, ``n`` emptied by what
it refers to. ``merge_exempt`` has the rows that on purpose do not become what they are in the snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from ledger_assets.backup.merge.mode import Mode
from ledger_assets.backup.merge.model import Model, Table, raw
from ledger_assets.backup.merge.rules import Rule
from ledger_assets.load.sqlfiles import Cursor, names


@dataclass(frozen=True)
class Stage:
    """Both sides, and what is looked at."""

    scratch: Cursor | None
    """None on the way back, which needs no snapshot."""
    live: Cursor
    mode: Mode | None
    model: Model
    rules: tuple[Rule, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that may be written, parents first."""
        return tuple(rule.table for rule in self.rules)

    @property
    def rule_of(self) -> dict[str, Rule]:
        """By ``schema.name``."""
        return {rule.table.full: rule for rule in self.rules}


def make_temporary(stage: Stage) -> None:
    """The empty temporary tables."""
    stage.live.execute(
        "create temp table if not exists merge_exempt (table_name text, id uuid, why text) on commit drop"
    )
    for table in stage.tables:
        for kind, columns in (
            ("{s}", "{key}, ''::text as merge_label, ''::text as merge_hash"),
            ("{c}", "{key}, ''::text as merge_label, ''::text as merge_action, true as merge_allowed"),
            ("{f}", "{columns}"),
        ):
            made = "create temp table {made} on commit drop as select {what} from {table} with no data"
            stage.live.execute(_fill(made, table, made=_fill(kind, table), what=_fill(columns, table)))
        if stage.scratch is not None:
            stage.scratch.execute(
                _fill("create temp table {k} on commit drop as select {key} from {table} with no data", table)
            )


def compare(stage: Stage) -> None:
    """Fill ``merge_s`` and ``merge_c`` of every table."""
    assert stage.scratch is not None
    for rule in stage.rules:
        table = rule.table
        if rule.where is not None:
            _pipe(
                stage.live,
                _fill(
                    "copy (select {key} from only {table} t where {where}) to stdout", table, where=rule.where
                ),
                stage.scratch,
                _fill("copy {k} from stdin", table),
            )
        _pipe(
            stage.scratch,
            _fill(
                "copy (select {key}, {label}, {hash} from only {table} t where {where}) to stdout",
                table,
                where=_looked_at(rule, "k"),
            ),
            stage.live,
            _fill("copy {s} from stdin", table),
        )
        stage.live.execute(_fill("analyze {s}", table))
        differences(stage, rule)


def differences(stage: Stage, rule: Rule) -> None:
    """Fill ``merge_c`` from ``merge_s`` and the live rows."""
    stage.live.execute(
        _fill(
            """
            insert into {c} ({key}, merge_label, merge_action, merge_allowed)
            select {key}, coalesce(l.merge_label, s.merge_label),
              case when l.merge_here is null then 'i' when s.merge_hash is null then 'd' else 'u' end,
              case when l.merge_here is null then {insert} when s.merge_hash is null then l.merge_delete
                else l.merge_update end
            from {s} s full join (
              select {key}, {label} as merge_label, {hash} as merge_hash, true as merge_here,
                {update} as merge_update, {delete} as merge_delete
              from only {table} t where {where}
            ) l using ({key})
            where s.merge_hash is distinct from l.merge_hash
            """,
            rule.table,
            insert=rule.insert,
            update=rule.update,
            delete=rule.delete,
            where=_looked_at(rule, "s"),
        )
    )
    stage.live.execute(_fill("analyze {c}", rule.table))


def fetch(stage: Stage, table: Table) -> None:
    """Bring the whole rows of what will be inserted or updated, as far as they are not here yet."""
    assert stage.scratch is not None
    stage.scratch.execute(_fill("truncate {k}", table))
    wanted = (
        "copy (select {key} from {c} c where merge_allowed and merge_action in ('i', 'u') "
        "and not exists (select from {f} f where {f_is_c})) to stdout"
    )
    _pipe(stage.live, _fill(wanted, table), stage.scratch, _fill("copy {k} from stdin", table))
    stage.scratch.execute(_fill("analyze {k}", table))
    _pipe(
        stage.scratch,
        _fill("copy (select {t_columns} from only {table} t join {k} k using ({key})) to stdout", table),
        stage.live,
        _fill("copy {f} ({columns}) from stdin", table),
    )
    stage.live.execute(_fill("analyze {f}", table))


def labels(stage: Stage, query: sql.Composed) -> list[str]:
    """The ids that a query answers."""
    return [row[0] for row in stage.live.execute(query).fetchall()]


def having(stage: Stage, actions: str) -> set[str]:
    """The tables with rows planned for one of these actions: most of them have none."""
    asked = (
        filled(
            "select {name} where exists (select from {c} where merge_allowed and merge_action in ({actions}))",
            table,
            name=sql.Literal(table.full),
            actions=raw(actions),
        )
        for table in stage.tables
    )
    return {row[0] for row in stage.live.execute(sql.SQL(" union all ").join(asked)).fetchall()}


def filled(statement: str, table: Table, **parts: sql.Composable) -> sql.Composed:
    """A statement about one table: its name, keys, columns and temporary tables filled in."""
    return _fill(statement, table, **parts)


def same(one: str, other: str, columns: Sequence[str], others: Sequence[str] | None = None) -> sql.Composed:
    """``one.a = other.a and ...``."""
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(one, a), sql.Identifier(other, b))
        for a, b in zip(columns, others or columns, strict=True)
    )


def _looked_at(rule: Rule, kind: str) -> sql.Composable:
    """The rows that the rule is about, and their partners on the other side, wherever those now belong."""
    if rule.where is None:
        return sql.SQL("true")
    partner = _fill("exists (select from {x} x where {x_is_t})", rule.table, x=rule.table.temp(kind))
    return sql.SQL("({} or {})").format(rule.where, partner)


def _fill(statement: str, table: Table, **parts: sql.Composable) -> sql.Composed:
    key = list(table.key)
    label = sql.SQL(" || ' ' || ").join(sql.SQL("t.{}::text").format(sql.Identifier(c)) for c in key)
    if table.record is not None:
        label = sql.SQL("coalesce(t.{}::text, {})").format(sql.Identifier(table.record), label)
    known: dict[str, sql.Composable] = {
        "table": table.named,
        "key": names(key),
        "t_key": names(key, "t"),
        "columns": names(table.columns),
        "t_columns": names(table.columns, "t"),
        "f_columns": names(table.columns, "f"),
        "label": label,
        "hash": hashed("t", table),
        "f_is_c": same("f", "c", key),
        "t_is_c": same("t", "c", key),
        "t_is_f": same("t", "f", key),
        "x_is_t": same("x", "t", key),
        **{kind: table.temp(kind) for kind in ("s", "c", "f", "k")},
    }
    return raw(statement).format(**{**known, **parts})


def hashed(alias: str, table: Table) -> sql.Composable:
    """The hash of a row's values, by the same columns in the same order on every version."""
    return sql.SQL("md5(row({})::text)").format(names(table.compared, alias))


def _pipe(source: Cursor, out: sql.Composed, target: Cursor, into: sql.Composed) -> None:
    with source.copy(out) as reading, target.copy(into) as writing:
        for block in reading:
            writing.write(block)
