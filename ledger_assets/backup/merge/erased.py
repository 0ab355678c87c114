"""Nothing that a person had erased comes back, and no account that is gone.

What belongs here: asking the live database what was erased, and looking for it in the scratch. What does not: taking it
out of the scratch (``backup.erasure``).

Invariants: the scratch is only looked at, except that profiles of accounts which no longer exist are taken out of it, in a
transaction that is rolled back; a hit is refused with ids, never with words.
"""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from ledger_assets.backup.merge.mode import Erased
from ledger_assets.backup.merge.model import Model, Table
from ledger_assets.backup.merge.stage import same
from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import Cursor, names

SHOWN = 20
_RECORD_COLUMNS = (
    ("airtable_base_id", "airtable_table_id", "airtable_record_id"),
    ("base_id", "table_id", "record_id"),
)


def tables_with_erased(live: Cursor) -> dict[str, bool]:
    """Names of tables of ``public`` that hold, or held, rows which were erased."""
    return {
        row[0]: True
        for row in live.execute("select distinct table_name from audit.log where action = 'erase'")
    }


def refuse(scratch: Cursor, live: Cursor, model: Model, erased: Erased) -> None:
    """Raises TargetError when the scratch holds what was erased in the live database or is named in ``erased``."""
    found: list[str] = []
    records = [*live.execute("select base_id, table_id, record_id from migration.erasures"), *erased.records]
    scratch.execute("create temp table merge_records (b text, t text, r text) on commit drop")
    _copy(scratch, "copy merge_records from stdin", records)
    rows: list[tuple[str, str]] = live.execute(
        "select distinct table_name, row_id from audit.log where action = 'erase' and row_id is not null"
    ).fetchall()
    rows += [("storytellers", str(person)) for person in erased.storytellers]
    rows += [("stories", str(story)) for story in erased.stories]
    scratch.execute("create temp table merge_rows (t text, id text) on commit drop")
    _copy(scratch, "copy merge_rows from stdin", rows)
    for table in model.tables:
        found += _of_records(scratch, table) if records else []
        found += _of_rows(scratch, live, table) if table.name in {name for name, _ in rows} else []
    if found:
        shown = ", ".join(sorted(set(found))[:SHOWN])
        raise TargetError(
            f"the snapshot still holds what people had erased ({len(set(found))}: {shown}): take it out of the scratch "
            "first (restore does, by the list of erasures)"
        )


def _of_records(scratch: Cursor, table: Table) -> list[str]:
    columns = next((c for c in _RECORD_COLUMNS if set(c) <= set(table.columns)), None)
    if columns is None or table.schema not in ("public", "airtable"):
        return []
    query = sql.SQL(
        "select distinct e.r from only {} t join merge_records e on (e.b, e.t, e.r) = ({})"
    ).format(table.named, names(columns, "t"))
    return [row[0] for row in scratch.execute(query)]


def _of_rows(scratch: Cursor, live: Cursor, table: Table) -> list[str]:
    if table.schema != "public" or table.key != ("id",):
        return []
    query = sql.SQL(
        "select t.id::text from only {} t join merge_rows e on e.t = {} and e.id = t.id::text"
    ).format(table.named, sql.Literal(table.name))
    ids = [row[0] for row in scratch.execute(query)]
    # What stayed for the books, without the person's words, is in both.
    shells = {
        row[0]
        for row in live.execute(
            sql.SQL("select id::text from {} where id::text = any (%s)").format(table.named), (ids,)
        )
    }
    if shells and table.name == "storytellers":
        shells = {
            row[0]
            for row in scratch.execute(
                "select id::text from public.storytellers where id::text = any (%s) and airtable_record_id is null "
                "and name = '(erased)'",
                (list(shells),),
            )
        }
    return [f"{table.name} {row}" for row in ids if row not in shells]


def drop_gone_accounts(scratch: Cursor, live: Cursor, model: Model) -> int:
    """Take out of the scratch what belongs to accounts that no longer exist, as their deletion would have."""
    ours, removed = model.by_name, 0
    for number, key in enumerate(key for key in model.keys if key.child in ours and key.parent not in ours):
        temp = sql.Identifier(f"merge_accounts_{number}")
        child, parent = ours[key.child].named, sql.Identifier(*key.parent.split("."))
        present = sql.SQL(" and ").join(
            sql.SQL("{} is not null").format(sql.Identifier(c)) for c in key.columns
        )
        for cur in (live, scratch):
            cur.execute(
                sql.SQL("create temp table {} on commit drop as select {} from {} with no data").format(
                    temp, names(key.columns), child
                )
            )
        _pipe(
            scratch,
            sql.SQL("copy (select distinct {} from only {} where {}) to stdout").format(
                names(key.columns), child, present
            ),
            live,
            sql.SQL("copy {} from stdin").format(temp),
        )
        _pipe(
            live,
            sql.SQL(
                "copy (select x.* from {} x where not exists (select from {} p where {})) to stdout"
            ).format(temp, parent, same("p", "x", key.targets, key.columns)),
            scratch,
            sql.SQL("copy {} from stdin").format(temp),
        )
        removed += scratch.execute(
            sql.SQL("delete from only {} t using {} x where {}").format(
                child, temp, same("t", "x", key.columns)
            )
        ).rowcount
    return removed


def _copy(cur: Cursor, query: str, rows: Iterable[tuple[str, ...]]) -> None:
    with cur.copy(query.encode()) as copy:
        for row in rows:
            copy.write_row(row)


def _pipe(source: Cursor, out: sql.Composed, target: Cursor, into: sql.Composed) -> None:
    with source.copy(out) as reading, target.copy(into) as writing:
        for block in reading:
            writing.write(block)
