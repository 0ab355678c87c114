"""What rows stand on: parents that are neither there nor written, and bringing them back with a person.

What belongs here: looking up the keys. What does not: what goes with what is removed (``closure``).
"""

from __future__ import annotations

from dataclasses import replace

from psycopg import sql

from ledger_assets.backup.merge.model import ForeignKey, raw
from ledger_assets.backup.merge.rules import NO, Rule
from ledger_assets.backup.merge.stage import Stage, fetch, filled, labels, make_temporary, same
from ledger_assets.load.sqlfiles import names

GOING = "'d', 'r', 'k'"
"""Actions that remove the live row, for good or for a moment."""
GOES = raw(f"({GOING})")
SHOWN = 20


def orphans(stage: Stage, key: ForeignKey) -> list[str]:
    """Rows to be written whose parent is neither there nor written."""
    return labels(stage, _missing_parents(stage, key, filled("{label}", stage.model.by_name[key.child])))


def _missing_parents(stage: Stage, key: ForeignKey, what: sql.Composable) -> sql.Composed:
    child, parent = stage.model.by_name[key.child], stage.model.by_name[key.parent]
    written: sql.Composable = sql.SQL("false")
    goes: sql.Composable = sql.SQL("false")
    if key.parent in stage.rule_of:
        written = filled(
            "exists (select from {f} f where {f_refers})",
            parent,
            f_refers=same("t", "f", key.columns, key.targets),
        )
        goes = filled(
            "exists (select from {c} c where {p_is_c} and merge_allowed and merge_action in {goes})",
            parent,
            p_is_c=same("p", "c", parent.key),
            goes=GOES,
        )
    return filled(
        "select distinct {what} from {f} t where {present} and not {written} "
        "and not exists (select from only {parent} p where {refers} and not {goes})",
        child,
        present=sql.SQL(" and ").join(
            sql.SQL("t.{} is not null").format(sql.Identifier(c)) for c in key.columns
        ),
        written=written,
        parent=parent.named,
        refers=same("t", "p", key.columns, key.targets),
        goes=goes,
        what=what,
    )


def with_parents(stage: Stage) -> Stage:
    """What a person's rows stand on (their organisation, their project) comes back too where it is gone."""
    scratch = stage.scratch
    assert scratch is not None
    for key in reversed(stage.model.inner):
        if key.child not in stage.rule_of or not orphans(stage, key):
            continue
        parent = stage.model.by_name[key.parent]
        if key.parent not in stage.rule_of:
            never = Rule(parent, where=NO, update=NO, delete=NO)
            ordered = sorted((*stage.rules, never), key=lambda rule: rule.table.number)
            make_temporary(replace(stage, rules=(never,)))
            stage = replace(stage, rules=tuple(ordered))
        wanted = stage.live.execute(_missing_parents(stage, key, names(key.columns, "t"))).fetchall()
        target = sql.SQL("({})").format(names(key.targets, "t"))
        listed = sql.SQL(", ").join(
            sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, w))) for w in wanted
        )
        rows = scratch.execute(
            filled(
                "select {t_key}, {label}, {hash} from only {table} t where {target} in ({listed})",
                parent,
                target=target,
                listed=listed,
            )
        ).fetchall()
        holes = sql.SQL(", ").join([sql.Placeholder()] * (len(parent.key) + 1))
        for *found, _ in rows:
            stage.live.execute(
                filled("insert into {c} values ({holes}, 'i', true)", parent, holes=holes), found
            )
        fetch(stage, parent)
    return stage


def some(labels: list[str]) -> str:
    """Their ids, as many as a person reads."""
    shown = ", ".join(sorted(labels)[:SHOWN])
    return f"{len(labels)} rows ({shown}{', ...' if len(labels) > SHOWN else ''})"
