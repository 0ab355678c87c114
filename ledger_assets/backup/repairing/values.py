"""Values of the snapshot for columns and tables that come back.

What belongs here: copying them in, and refusing what they cannot settle. What does not: objects (``make``).

Invariants: no trigger fires, so that nothing is dated, counted or written to a history; a consent that was withdrawn since
the snapshot comes back as withdrawn; memory stays flat; rows are named by their ids, at most 20.
"""

from __future__ import annotations

import psycopg

from ledger_assets.backup.repairing.definitions import unquoted
from ledger_assets.backup.repairing.work import Work, columns_of, filled, literal, refused, text
from ledger_assets.errors import TargetError

SHOWN = 20


def order(work: Work, table: str) -> list[str]:
    """The columns of a table in the snapshot, in their order."""
    return [row[0] for row in work.copy.execute(text("columns"), (table,)).fetchall()]


def key_of(work: Work, table: str) -> list[str]:
    """The primary key of a table in the snapshot: the live one may have lost its own."""
    return [row[0] for row in work.copy.execute(text("key_columns"), (table,)).fetchall()]


def refuse_without_key(work: Work, table: str, column: str) -> None:
    """Nothing says which row is which where the key itself is gone."""
    keys = key_of(work, table)
    if column in keys or not keys:
        raise TargetError(
            f"column {table}.{column} cannot be repaired: it is of the primary key, so that nothing says which row of "
            "the snapshot is which; the whole repair was rolled back: rename the table, so that it is made again with the "
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
    staged = f"repair_{len(work.brought)}_{len(work.lines)}"
    parts = {"table": table, "staged": staged, "columns": ", ".join(named)}
    work.run(f"table {table}", filled("staged", **parts))
    _pipe(work, table, named, f"pg_temp.{staged}")
    work.run(f"table {table}", f"analyze pg_temp.{staged}")
    same = " and ".join(f"t.{key} = v.{key}" for key in keys)
    setting = ", ".join(f"{column} = v.{column}" for column in columns)
    done = change(work, table, filled("fill", **parts, same=same, values=setting))
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
    done = change(work, table, text("withdrawn"))
    if done:
        work.lines.append(f"table {table}: {done} consents stay withdrawn, as their history says")


def move_sequence(work: Work, table: str, column: str) -> None:
    """No number of the table is given away again."""
    name = unquoted(column)
    theirs = work.copy.execute(
        "select pg_get_serial_sequence(%s, %s)::regclass::text", (table, name)
    ).fetchone()
    last = 0
    if theirs and theirs[0]:
        row = work.copy.execute(filled("last", sequence=theirs[0]).encode()).fetchone()
        assert row is not None
        last = row[0] if row[1] else row[0] - 1
    work.run(
        f"table {table}",
        filled(
            "sequence",
            table=table,
            column=column,
            last=str(last),
            table_text=literal(table),
            column_text=literal(name),
        ),
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
        asked = filled("rows", table=table, label=label, condition=where, shown=str(SHOWN))
        rows = work.live.execute(asked.encode()).fetchall()
    except psycopg.Error as error:
        raise refused(why, error) from None
    if rows:
        raise TargetError(
            f"{why} ({rows[0][1]}: {', '.join(str(row[0]) for row in rows)}); the whole repair was rolled back: decide "
            "about these rows by hand, then try again"
        )


def _pipe(work: Work, table: str, columns: list[str], into: str) -> int:
    listed = ", ".join(columns)
    out, to = filled("out", columns=listed, table=table), f"copy {into} ({listed}) from stdin"
    try:
        with work.copy.copy(out.encode()) as reading, work.live.copy(to.encode()) as writing:
            for block in reading:
                writing.write(block)
    except psycopg.Error as error:
        raise refused(f"table {table}", error) from None
    return work.live.rowcount
