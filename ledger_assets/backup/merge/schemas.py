"""Is the live schema what the snapshot was taken of? Asked before anything else: data cannot be brought into a damaged one.

What belongs here: which objects must be the same. What does not: how they are read and compared (``schema``).
"""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

from ledger_assets.backup.merge.model import Model
from ledger_assets.errors import TargetError
from ledger_assets.schema import catalogue
from ledger_assets.schema.catalogue import Item
from ledger_assets.schema.compare import differences

SHOWN = 5
NOT_DUMPED = frozenset({"publication", "query", "statistics"})
"""A publication is the platform's and not in the snapshot; a view's query is written otherwise by other versions."""


def refuse_other(scratch: psycopg.Connection, live: psycopg.Connection, tables: Iterable[str]) -> None:
    """Raises TargetError naming what differs between the two, of these tables and of the functions behind them."""
    wanted = list(tables)
    expected, found = (list(_within(catalogue.read(conn).items, wanted)) for conn in (scratch, live))
    differing = differences(expected, found)
    if differing:
        some = "; ".join(f"{d.kind} {d.object}" for d in differing[:SHOWN])
        raise TargetError(
            f"the live schema is not the snapshot's ({len(differing)} differences: {some}), see ledger-assets schema "
            "verify: where somebody damaged it, ledger-assets recover ENV --scenario bad_migration repairs it first; "
            "where it is of an older release, schema apply"
        )


def tables_of(*models: Model) -> list[str]:
    """As the catalogue names them; also one that only the snapshot has."""
    return sorted({table.full for model in models for table in model.tables})


def _within(items: Iterable[Item], tables: Iterable[str]) -> Iterable[Item]:
    every = [item for item in items if item.kind not in NOT_DUMPED]
    inside = {f"table {name}" for name in tables}
    size = 0
    while size != len(inside):
        size = len(inside)
        inside |= {item.key for item in every if item.parent in inside}
    for item in every:
        if item.key in inside or (item.kind == "function" and item.name.startswith("private.")):
            yield item
