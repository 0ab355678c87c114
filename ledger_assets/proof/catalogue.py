"""The target tables as Postgres has them: their columns, which must be filled, and what they refer to. Reads, judges
nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from ledger_assets.tables.fields import TableSpec

_COLUMNS = """
select c.relname, a.attname, coalesce(pg_get_expr(d.adbin, d.adrelid), ''), a.attnotnull
from pg_catalog.pg_class c
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_catalog.pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname = any (%(names)s)
"""

_REFERENCES = """
select c.conrelid::regclass::text, a.attname, f.relname
from pg_catalog.pg_constraint c
join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
join pg_catalog.pg_class f on f.oid = c.confrelid
join pg_catalog.pg_class t on t.oid = c.conrelid
where c.contype = 'f' and t.relnamespace = 'public'::regnamespace and f.relnamespace = 'public'::regnamespace
  and t.relname = any (%(names)s) and cardinality(c.conkey) = 1
"""


@dataclass(frozen=True)
class Catalogue:
    """Columns (with their default expressions; ``filled``: those that must not be NULL) and single-column foreign keys
    of the target tables."""

    columns: Mapping[str, Mapping[str, str]]
    references: Mapping[str, Mapping[str, str]]
    filled: Mapping[str, frozenset[str]]

    def has(self, table: str, column: str) -> bool:
        """Whether the target table has that column."""
        return column in self.columns.get(table, {})

    def requires(self, table: str, column: str) -> bool:
        """Whether no row can be without a value for that column."""
        return column in self.filled.get(table, ()) and not self.columns[table][column]

    def default(self, table: str, column: str) -> str:
        """The column's default when it is a constant, else ''."""
        expression = self.columns.get(table, {}).get(column, "")
        return "" if "(" in expression else expression


def read_catalogue(conn: psycopg.Connection, specs: Sequence[TableSpec]) -> Catalogue:
    """The catalogue of the target tables of ``specs``."""
    names = {"names": [spec.name for spec in specs]}
    columns: dict[str, dict[str, str]] = {}
    filled: dict[str, set[str]] = {}
    for table, column, default, not_null in conn.execute(_COLUMNS, names):
        columns.setdefault(table, {})[column] = default
        if not_null:
            filled.setdefault(table, set()).add(column)
    references: dict[str, dict[str, str]] = {}
    for table, column, referenced in conn.execute(_REFERENCES, names):
        references.setdefault(str(table).removeprefix("public.").strip('"'), {})[column] = referenced
    return Catalogue(columns, references, {table: frozenset(names) for table, names in filled.items()})
