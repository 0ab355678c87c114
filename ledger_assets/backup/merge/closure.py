"""What a change draws with it: rows in the place of others, rows that refer to what goes or to what is not there.

What belongs here: the search for those, before a single row is written. What does not: writing (``write``).

Invariants: no row is removed or emptied by Postgres' own actions without being known here first; where a restore of a
part would break what does not belong to it, it is refused with the names of the rows.
"""

from __future__ import annotations

from psycopg import sql

from ledger_assets.backup.merge import narrowed, standing, withdrawn
from ledger_assets.backup.merge.model import SET_NULL, ForeignKey, Table, Unique, raw
from ledger_assets.backup.merge.parents import GOES, GOING, orphans, some, with_parents
from ledger_assets.backup.merge.rules import Rule
from ledger_assets.backup.merge.stage import Stage, fetch, filled, having, labels, same
from ledger_assets.errors import TargetError

WITH_THEIR_SUBJECT = frozenset({"public.erasure_requests"})
"""An open request to erase what goes anyway may not stay without it (a constraint of its table)."""


def complete(stage: Stage) -> Stage:
    """Find all of it; answers with the stage that has the tables which a person's rows stand on besides."""
    if stage.scratch is not None:
        missing = having(stage, "'i', 'u'")
        for table in stage.tables:
            if table.full in missing:
                fetch(stage, table)
        withdrawn.keep(stage)
        narrowed.keep(stage)
    if stage.mode is not None and stage.mode.kind == "storyteller":
        stage = with_parents(stage)
    if stage.scratch is not None:
        standing.keep(stage)
    written = having(stage, "'i', 'u', 'r'")
    for unique in stage.model.uniques:
        if unique.table in written:
            _make_room(stage, unique)
    for table in stage.tables:
        if set(table.always) - set(table.key):
            # An UPDATE cannot set a column that is always generated as identity.
            stage.live.execute(
                filled(
                    "update {c} c set merge_action = 'r' where merge_allowed and merge_action = 'u'", table
                )
            )
    drawn = 1
    while drawn:
        drawn, going = 0, having(stage, GOING)
        for key in stage.model.inner:
            if key.parent in going and (found := _follow(stage, key)):
                drawn, going = drawn + found, having(stage, GOING)
    going = having(stage, GOING)
    for key in stage.model.keys:
        if key.parent in going and key.child not in stage.model.by_name:
            _refuse_outside(stage, key)
    written = having(stage, "'i', 'u', 'r', 'k'")
    for key in stage.model.inner:
        if key.child in written:
            left = orphans(stage, key)
            if left:
                raise TargetError(
                    f"{some(left)} of {key.child} refer to rows of {key.parent} that are not there "
                    f"({key.name}): restore {key.parent} too, or everything that was lost (mode lost)"
                )
    return stage


def _make_room(stage: Stage, unique: Unique) -> None:
    """Rows whose unique values a row of the snapshot needs: changed ones go first, others are in the way."""
    table = stage.model.by_name[unique.table]
    marks = [f"merge_e{number}" for number, _ in enumerate(unique.expressions)]
    values = sql.SQL(", ").join(
        sql.SQL("{} as {}").format(raw(e), sql.Identifier(m))
        for e, m in zip(unique.expressions, marks, strict=True)
    )
    equal = sql.SQL(" is not distinct from " if unique.nulls_equal else " = ")
    meets = sql.SQL(" and ").join(
        sql.SQL("{}{}{}").format(sql.Identifier("a", m), equal, sql.Identifier("b", m)) for m in marks
    )
    colliding = filled(
        """
        from (select {key}, {values} from {f} where {predicate}) a
        join (select {key}, {values} from only {table} where {predicate}) b on {meets} and not ({a_is_b})
        """,
        table,
        values=values,
        predicate=raw(unique.predicate or "true"),
        meets=meets,
        a_is_b=same("a", "b", table.key),
    )
    stage.live.execute(
        filled(
            "update {c} c set merge_action = 'r' where merge_allowed and merge_action = 'u' "
            "and exists (select 1 {colliding} where {b_is_c})",
            table,
            colliding=colliding,
            b_is_c=same("b", "c", table.key),
        )
    )
    rest = filled(
        "select distinct {label} {colliding} join only {table} t on {t_is_b} where not exists "
        "(select from {c} c where {t_is_c} and merge_allowed and merge_action in {goes})",
        table,
        colliding=colliding,
        t_is_b=same("t", "b", table.key),
        goes=GOES,
    )
    blocked = labels(stage, rest)
    if blocked:
        raise TargetError(
            f"{some(blocked)} of {table.full} stand where rows of the snapshot belong ({unique.name}): change or "
            "remove them first, or restore exactly"
        )


def _follow(stage: Stage, key: ForeignKey) -> int:
    """Live rows that refer to rows which go; how many were not known yet."""
    parent, child = stage.model.by_name[key.parent], stage.model.by_name[key.child]
    found = filled(
        """
        from only {table} t join only {parent} o on {refers} join {gone} g on {g_is_o}
        where g.merge_allowed and g.merge_action in {goes}
        """,
        child,
        parent=parent.named,
        gone=parent.temp("c"),
        goes=GOES,
        refers=same("t", "o", key.columns, key.targets),
        g_is_o=same("g", "o", parent.key),
    )
    if key.child not in stage.rule_of:
        left = labels(stage, filled("select distinct {label} {found}", child, found=found))
        if left:
            raise _refused(key, left)
        return 0
    known = (
        "update {c} c set merge_action = 'r' where merge_allowed and merge_action = 'u' "
        "and exists (select 1 {found} and {t_is_c})"
    )
    drawn = stage.live.execute(filled(known, child, found=found)).rowcount
    drawn += _take_up(stage, child, found)
    return drawn + _let_go(stage, key, parent, child)


def _take_up(stage: Stage, child: Table, found: sql.Composed) -> int:
    """Rows that are not to change, but refer to such as are removed and put back: they are put back too."""
    unknown = filled(
        "create temp table {d} on commit drop as select distinct {t_key}, {label} as merge_label, 'k' as merge_action, true "
        "as merge_allowed {found} and not exists (select from {c} c where {t_is_c} and merge_allowed)",
        child,
        found=found,
        d=child.temp("d"),
    )
    stage.live.execute(unknown)
    # A row that differs, but may not be changed, stands there already as not allowed.
    stage.live.execute(filled("delete from {c} t using {d} c where {t_is_c}", child, d=child.temp("d")))
    rows = stage.live.execute(filled("insert into {c} select * from {d}", child, d=child.temp("d"))).rowcount
    stage.live.execute(
        filled(
            "insert into {f} ({columns}) select {t_columns} from only {table} t join {d} c on {t_is_c}",
            child,
            d=child.temp("d"),
        )
    )
    stage.live.execute(filled("drop table {d}", child, d=child.temp("d")))
    return rows


def _let_go(stage: Stage, key: ForeignKey, parent: Table, child: Table) -> int:
    """Of those, rows whose parent does not come back: they go too, or lose the reference where that is the key's action."""
    # A row of the snapshot never refers to one that the snapshot lacks: what is found here was taken up.
    refers = filled(
        "{f_is_c} and merge_allowed and exists (select from only {parent} o join {gone} g on {g_is_o} where {refers} "
        "and g.merge_allowed and g.merge_action = 'd')",
        child,
        parent=parent.named,
        gone=parent.temp("c"),
        g_is_o=same("g", "o", parent.key),
        refers=same("f", "o", key.columns, key.targets),
    )
    left = labels(stage, filled("select merge_label from {c} c join {f} f on {refers}", child, refers=refers))
    if not left:
        return 0
    if not _goes_along(stage, stage.rule_of[child.full]):
        raise _refused(key, left)
    if key.on_delete == SET_NULL and child.full not in WITH_THEIR_SUBJECT:
        marked, last = (
            "update {c} c set merge_action = 'r' from {f} f where {refers}",
            "update {f} f set {empty} from {c} c where {refers}",
        )
    else:
        marked, last = (
            "update {c} c set merge_action = 'd' from {f} f where {refers}",
            "delete from {f} f using {c} c where {f_is_c} and merge_action = 'd'",
        )
    empty = sql.SQL(", ").join(sql.SQL("{} = null").format(sql.Identifier(c)) for c in key.columns)
    stage.live.execute(filled(marked, child, refers=refers))
    stage.live.execute(filled(last, child, refers=refers, empty=empty))
    return len(left)


def _goes_along(stage: Stage, rule: Rule) -> bool:
    """What refers to a row that the snapshot lacks goes with it: all of it, or, of a part, only its history."""
    return stage.mode is not None and (stage.mode.whole or rule.history)


def _refused(key: ForeignKey, rows: list[str]) -> TargetError:
    return TargetError(
        f"{some(rows)} of {key.child} refer to rows of {key.parent} that would go ({key.name}): restore exactly, or "
        "change them first"
    )


def _refuse_outside(stage: Stage, key: ForeignKey) -> None:
    parent = stage.model.by_name[key.parent]
    row = stage.live.execute(
        filled(
            "select count(*) from {other} o join only {table} t on {refers} join {c} c on {t_is_c} "
            "where merge_allowed and merge_action in {goes}",
            parent,
            other=sql.Identifier(*key.child.split(".")),
            refers=same("o", "t", key.columns, key.targets),
            goes=GOES,
        )
    ).fetchone()
    if row and row[0]:
        raise TargetError(
            f"{row[0]} rows of {key.child}, which is not restored, refer to rows of {key.parent} that would go "
            f"({key.name}): change them first"
        )
