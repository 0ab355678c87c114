"""Values of the snapshot for columns and tables that come back.

What belongs here: copying them in, and refusing what they cannot settle. What does not: objects (``make``).

Invariants: no trigger fires, so that nothing is dated, counted or written to a history; a consent that was withdrawn since
the snapshot comes back as withdrawn; memory stays flat; rows are named by their ids, at most 20.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from ledger_assets.backup.repairing.work import Work, columns_of, refused
from ledger_assets.errors import TargetError

SHOWN = 20
_KEY_COLUMNS = """
select quote_ident(a.attname) from pg_index i cross join unnest(i.indkey) with ordinality k (attnum, n)
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
where i.indrelid = %s::regclass and i.indisprimary order by k.n
"""
_ORDER = """
select quote_ident(attname) from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
"""
_WITHDRAWN = """
update public.consents f set state = 'withdrawn' where f.state = 'given' and exists (
  select from public.consent_events e where e.consent_id = f.id and e.event = 'withdrawn' and not exists (
    select from public.consent_events l where l.consent_id = f.id and l.event = 'given' and l.at > e.at
  )
)
"""


def order(work: Work, table: str) -> list[str]:
    """The columns of a table in the snapshot, in their order."""
    return [row[0] for row in work.copy.execute(_ORDER, (table,)).fetchall()]


def key_of(work: Work, table: str) -> list[str]:
    """The primary key of a table in the snapshot: the live one may have lost its own."""
    return [row[0] for row in work.copy.execute(_KEY_COLUMNS, (table,)).fetchall()]


def refuse_without_key(work: Work, table: str, column: str) -> None:
    """Nothing says which row is which where the key itself is gone."""
    keys = key_of(work, table)
    if column in keys or not keys:
        raise TargetError(
            f"column {table}.{column} cannot be repaired: it is of the primary key, so that nothing says which row of the "
            f"snapshot is which; the whole repair was rolled back: rename the table, so that it is made again with the "
            "snapshot's rows, and bring newer rows over by hand"
        )


def fill_table(work: Work, table: str) -> int:
    """All rows of the snapshot into a table that was made again."""
    columns = columns_of(work.wanted, table)
    stored = [name for name, column in columns.items() if not column.generated]
    count = _pipe(work, table, stored, table)
    for name in (name for name, column in columns.items() if column.identity):
        move_sequence(work, table, name)
    work.brought[table] = work.brought.get(table, 0) + count
    return count


def fill(work: Work, table: str, columns: list[str]) -> None:
    """The snapshot's values into columns that were added again; rows that it does not know keep what they have."""
    keys = key_of(work, table)
    named = [*keys, *columns]
    staged = f"pg_temp.repair_{len(work.brought)}_{len(work.lines)}"
    work.run(
        f"table {table}",
        f"create temp table {staged[8:]} on commit drop as select {', '.join(named)} from {table} with no data",
    )
    _pipe(work, table, named, staged)
    work.run(f"table {table}", f"analyze {staged}")
    same = " and ".join(f"t.{key} = v.{key}" for key in keys)
    setting = ", ".join(f"{column} = v.{column}" for column in columns)
    done = change(work, table, f"update only {table} t set {setting} from {staged} v where {same}")
    work.brought[table] = work.brought.get(table, 0) + done
    for name in columns:
        work.lines.append(f"column {table}.{name}: made again with the snapshot's values in {done} rows")


def change(work: Work, table: str, statement: str) -> int:
    """A statement that changes rows, with our triggers still; how many."""
    work.run(f"table {table}", f"alter table {table} disable trigger user")
    try:
        done = work.live.execute(statement.encode()).rowcount
        # An ALTER is refused while checks of these rows are still to come.
        work.live.execute("set constraints all immediate")
    except psycopg.Error as error:
        raise refused(f"table {table}", error) from None
    work.run(f"table {table}", f"alter table {table} enable trigger user")
    return done


def withdrawn(work: Work) -> None:
    """The history decides about a consent whose state came back from the snapshot."""
    table, events = "public.consents", "public.consent_events"
    if table not in work.brought:
        return
    if events in work.made_tables or work.remade.get(events):
        work.lines.append(
            f"table {events}: came back too: withdrawals since the snapshot are known from neither"
        )
    done = change(work, table, _WITHDRAWN)
    if done:
        work.lines.append(f"table {table}: {done} consents stay withdrawn, as their history says")


def move_sequence(work: Work, table: str, column: str) -> None:
    """No number of the table is given away again."""
    name = column.strip('"')
    theirs = work.copy.execute(
        "select pg_get_serial_sequence(%s, %s)::regclass::text", (table, name)
    ).fetchone()
    last = 0
    if theirs and theirs[0]:
        row = work.copy.execute(f"select last_value, is_called from {theirs[0]}".encode()).fetchone()
        assert row is not None
        last = row[0] if row[1] else row[0] - 1
    work.run(
        f"table {table}",
        f"select setval(pg_get_serial_sequence({sql.Literal(table).as_string(None)}, {sql.Literal(name).as_string(None)}), "
        f"greatest(m.n, 1), m.n > 0) from (select greatest(coalesce(max({column}), 0), {last}) as n from {table}) m",
    )


def refuse_empty(work: Work, table: str, column: str) -> None:
    """Rows that the snapshot does not know cannot be given a value that nobody knows."""
    refuse_rows(
        work,
        table,
        f"{column} is null",
        f"column {table}.{column}: rows without a value that the snapshot does not have either",
    )


def refuse_rows(work: Work, table: str, where: str, why: str) -> None:
    """Raises TargetError naming the rows of which it is true."""
    keys = " || ' ' || ".join(f"t.{key}::text" for key in key_of(work, table)) or "''"
    label = f"coalesce(t.airtable_record_id, {keys})" if "airtable_record_id" in order(work, table) else keys
    try:
        rows = work.live.execute(
            f"select {label}, count(*) over () from only {table} t where {where} order by 1 limit {SHOWN}".encode()
        ).fetchall()
    except psycopg.Error as error:
        raise refused(why, error) from None
    if rows:
        raise TargetError(
            f"{why} ({rows[0][1]}: {', '.join(str(row[0]) for row in rows)}); the whole repair was rolled back: decide about "
            "these rows by hand, then try again"
        )


def _pipe(work: Work, table: str, columns: list[str], into: str) -> int:
    listed = ", ".join(columns)
    out, to = f"copy (select {listed} from only {table}) to stdout", f"copy {into} ({listed}) from stdin"
    try:
        with work.copy.copy(out.encode()) as reading, work.live.copy(to.encode()) as writing:
            for block in reading:
                writing.write(block)
        return work.live.rowcount
    except psycopg.Error as error:
        raise refused(f"table {table}", error) from None
