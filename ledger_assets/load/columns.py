"""The target tables as the database has them: columns and foreign keys, read from the catalogue.

What belongs here: what the load must know of a table's shape. What does not: what a row means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import Cursor

KEPT_BY_LOAD = ("export_id", "locally_changed", "source_deleted_at", "created_at", "updated_at")
"""Columns that the load itself fills; no ledger frame carries them."""

_COLUMNS: LiteralString = """
select c.relname, a.attname
from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
where c.relnamespace = 'public'::regnamespace and c.relname = any(%s) and c.relkind in ('r', 'p')
  and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
order by c.relname, a.attnum
"""

_REFERENCES: LiteralString = """
select c.relname, a.attname, a.attnotnull, f.relname, k.conname
from pg_catalog.pg_constraint k
join pg_catalog.pg_class c on c.oid = k.conrelid
join pg_catalog.pg_class f on f.oid = k.confrelid
join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
where k.contype = 'f' and cardinality(k.conkey) = 1
  and c.relnamespace = 'public'::regnamespace and f.relnamespace = 'public'::regnamespace
  and c.relname = any(%s) and f.relname = any(%s)
order by c.relname, k.conname
"""


@dataclass(frozen=True)
class Reference:
    """A foreign key of one column to another target table's id."""

    column: str
    table: str
    required: bool
    constraint: str


@dataclass(frozen=True)
class Target:
    """A table of schema public."""

    name: str
    columns: tuple[str, ...]
    references: tuple[Reference, ...]

    def loaded(self, delivered: Sequence[str]) -> tuple[str, ...]:
        """The delivered columns. Raises :class:`TargetError` naming those that the table lacks."""
        lacking = [c for c in delivered if c not in self.columns]
        if lacking:
            raise TargetError(
                f"table {self.name} has no column {', '.join(lacking)}; run: ledger-assets schema apply ENV"
            )
        return tuple(delivered)


def read_targets(cur: Cursor, tables: Sequence[str]) -> dict[str, Target]:
    """The named tables. Raises :class:`TargetError` naming those that are not there or lack the load's
    columns.
    """
    columns: dict[str, list[str]] = {}
    for table, column in cur.execute(_COLUMNS, (list(tables),)).fetchall():
        columns.setdefault(table, []).append(column)
    missing = [t for t in tables if t not in columns]
    if missing:
        raise TargetError(
            f"the database has no table {', '.join(missing)}; run: ledger-assets schema apply ENV"
        )
    references: dict[str, list[Reference]] = {}
    for table, column, required, to, constraint in cur.execute(
        _REFERENCES, (list(tables), list(tables))
    ).fetchall():
        references.setdefault(table, []).append(Reference(column, to, required, constraint))
    found = {t: Target(t, tuple(columns[t]), tuple(references.get(t, ()))) for t in tables}
    for target in found.values():
        target.loaded(("id", "source_hash", *KEPT_BY_LOAD))
    return found
