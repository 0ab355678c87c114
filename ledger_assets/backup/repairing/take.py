"""What is taken away: whatever opens something that the release does not, and whatever has another definition.

What belongs here: policies, triggers, rules, views, functions, constraints, indexes, grants. What does not: making them
(``make``).

Invariants: no table, column, sequence, type or materialised view is ever dropped, whoever made it; what API roles were
granted on such a thing is taken back all the same.
"""

from __future__ import annotations

import re

from psycopg import errors

from ledger_assets.backup.repairing import definitions
from ledger_assets.backup.repairing.work import Work, columns_of, tables, text
from ledger_assets.schema.catalogue import Item

_BY_KIND = ("policy", "trigger", "rule")


def take_away(work: Work) -> None:
    """Everything of that, in an order that nothing stands in the way of."""
    wanted, present = work.wanted, work.present()
    other = [item for key, item in present.items() if wanted.get(key) != item]
    for item in other:
        if item.kind in _BY_KIND and not item.name.startswith("of constraint "):
            _drop(work, item)
    altered = _altered_columns(work, present)
    for table, column in altered:
        _free(work, table, column)
    if altered or any(item.kind in {"view", "query"} for item in _differing(work, present)):
        _drop_views(work, present)
    for item in other:
        if item.kind in {"function", "procedure"} and item.key not in wanted:
            _drop_function(work, item)
    for item in sorted(other, key=lambda item: "FOREIGN KEY" not in item.definition):
        if item.kind in {"constraint", "index"} and item.parent in wanted:
            if item.key not in wanted and _of_extra_column(work, present, item):
                work.left_alone.add(item.key)
            else:
                _drop(work, item)
    _revoke(work)


def _revoke(work: Work) -> None:
    wanted, present = work.wanted, work.present()
    for key, item in present.items():
        if item.kind == "table" and key not in wanted and "row-level security off" in item.definition:
            work.run(key, f"alter table {item.name} enable row level security")
            work.tell("stays, closed", item)
    for key, item in present.items():
        if wanted.get(key) == item:
            continue
        if item.kind == "grant":
            _drop(work, item)
        elif item.kind == "default privileges":
            work.run(item.key, definitions.default_privileges(item, work.owner, grant=False))
            if key not in wanted:
                work.tell("taken away", item)


def _drop(work: Work, item: Item) -> None:
    for statement in definitions.taken(item):
        work.run(item.key, statement)
    if item.key not in work.wanted:
        work.tell("taken away", item)


def _drop_views(work: Work, present: dict[str, Item]) -> None:
    """All at once: they stand on each other. Ours are made again."""
    names = [item.name for item in present.values() if item.kind == "view"]
    if names:
        work.run(f"views {', '.join(sorted(names))}", f"drop view {', '.join(names)}")
    for item in present.values():
        if item.kind == "view" and item.key not in work.wanted:
            work.tell("taken away", item)


def _drop_function(work: Work, item: Item) -> None:
    """Unless something that stays stands on it (the default of a column that somebody added)."""
    if work.attempt(definitions.taken(item)[0], errors.DependentObjectsStillExist):
        work.tell("taken away", item)
    else:
        work.left_alone.add(item.key)


def _free(work: Work, table: str, column: str) -> None:
    """Policies and triggers that stand on a column keep its type from being changed."""
    for what, name, of in work.live.execute(text("dependent"), (table, table, column)).fetchall():
        work.run(f"{what} {name} on {of}", f"drop {what} {name} on {of}")


def _altered_columns(work: Work, present: dict[str, Item]) -> list[tuple[str, str]]:
    """Columns of another type, or computed otherwise."""
    found = []
    for table in tables(work.wanted):
        have = columns_of(present, table)
        for name, column in columns_of(work.wanted, table).items():
            there = have.get(name)
            if there is not None and (there.type, there.generated) != (column.type, column.generated):
                found.append((table, name))
    return found


def _differing(work: Work, present: dict[str, Item]) -> list[Item]:
    wanted = work.wanted
    return [item for key, item in present.items() if wanted.get(key) != item]


def _of_extra_column(work: Work, present: dict[str, Item], item: Item) -> bool:
    table = definitions.relation(item)
    extra = columns_of(present, table).keys() - columns_of(work.wanted, table).keys()
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", item.definition) for name in extra)
