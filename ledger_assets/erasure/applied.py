"""What people had erased, taken out of a database that holds them again: a restored snapshot.

What belongs here: the same erasures once more, and looking whether anything of them is left. What does not: files and
exports (``purge``).

Invariants: the schema's own ``private.erase`` does it, so that a restored database is as the live one became; whatever
hung together differently when the snapshot was taken goes by id afterwards; again changes nothing; ids only are said.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from ledger_assets.erasure.model import Erasure
from ledger_assets.erasure.statements import each, text
from ledger_assets.load.sqlfiles import plain_errors

SHELL = "(erased)"
"""Name of the row that stays on the books where money was paid to somebody who is erased."""
_OPEN = "select id::text from public.erasure_requests where state = 'requested' and scope = {} and {} = {} limit 1"
_OF_AIRTABLE = """
select table_name::text from information_schema.columns
where table_schema = 'public' and column_name in ('airtable_base_id', 'airtable_table_id', 'airtable_record_id')
  and table_name in (select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p'))
group by 1 having count(*) = 3
"""


def apply_to(conn: psycopg.Connection, erasures: Iterable[Erasure]) -> int:
    """Erase in ``conn``'s database what the list names, and leave its tombstones; how many found something there.

    Each in a transaction of its own. Of a snapshot that an older release took the pending migrations are applied first.
    Raises TargetError when Postgres refuses.
    """
    from ledger_assets.load import schema

    with conn.transaction():
        known = conn.execute("select to_regprocedure('private.erase(uuid)') is not null").fetchone()
    if known is not None and not known[0]:
        schema.apply(conn)
    found = 0
    for one in erasures:
        with (
            plain_errors(f"erasure {one.request_id}", undone="it was not applied"),
            conn.transaction(),
            conn.cursor(row_factory=tuple_row) as cursor,
        ):
            cursor.execute("select set_config('migration.run', %s, true)", (f"erasure {one.request_id}",))
            left = bool(_left(cursor, [one]))
            _tombstones(cursor, one)
            if left:
                _erase(cursor, one)
            found += _closed(cursor, one) or left
            _done(cursor, one)
    return found


def assert_absent(conn: psycopg.Connection, erasures: Sequence[Erasure]) -> list[str]:
    """One line for each row that is left of somebody who was erased: table and id."""
    with (
        plain_errors("what was erased", undone="nothing was compared"),
        conn.transaction(),
        conn.cursor(row_factory=tuple_row) as cursor,
    ):
        return [f"{place}: {row_id} was erased and is there" for place, row_id in _left(cursor, erasures)]


Cursor = psycopg.Cursor[tuple[Any, ...]]


def _left(cursor: Cursor, erasures: Sequence[Erasure]) -> list[tuple[str, str]]:
    values = _values(erasures)
    found = list(cursor.execute(text("absent"), values).fetchall())
    for table in sorted(set(values["row_tables"])):
        if not _exists(cursor, f"public.{table}"):
            continue
        ids = [
            row_id
            for name, row_id in zip(values["row_tables"], values["row_ids"], strict=True)
            if name == table
        ]
        shell = sql.SQL("and name <> {}").format(SHELL) if table == "storytellers" else sql.SQL("")
        query = sql.SQL("select id::text from {} where id = any (%s::uuid[]) {} order by 1")
        rows = cursor.execute(query.format(sql.Identifier("public", table), shell), (ids,)).fetchall()
        found += [(f"public.{table}", row_id) for (row_id,) in rows]
    for (table,) in cursor.execute(_OF_AIRTABLE).fetchall() if values["records"] else []:
        query = sql.SQL(
            "select distinct d.airtable_record_id from {} d join unnest(%(bases)s::text[], %(tables)s::text[], "
            "%(records)s::text[]) r (b, t, i) on (d.airtable_base_id, d.airtable_table_id, d.airtable_record_id) = "
            "(r.b, r.t, r.i) order by 1"
        )
        rows = cursor.execute(query.format(sql.Identifier("public", table)), values).fetchall()
        found += [(f"public.{table}", record_id) for (record_id,) in rows]
    if _exists(cursor, "migration.undo_rows"):
        gone = [*values["records"], *values["row_ids"]]
        rows = cursor.execute(
            "select distinct table_name, key[cardinality(key)] from migration.undo_rows "
            "where image is not null and key && %s order by 1, 2",
            (gone,),
        ).fetchall()
        found += [(f"migration.undo_rows of {table}", row_id) for table, row_id in rows]
    return found


def _values(erasures: Sequence[Erasure]) -> dict[str, list[str]]:
    records = [record for one in erasures for record in one.records]
    rows = [row for one in erasures for row in one.rows]
    people = [row_id for table, row_id in rows if table == "storytellers"]
    return {
        "bases": [base for base, _, _ in records],
        "tables": [table for _, table, _ in records],
        "records": [record for _, _, record in records],
        "row_tables": [table for table, _ in rows],
        "row_ids": [row_id for _, row_id in rows],
        "people": people,
        "accounts": [one.account_id for one in erasures if one.account_id is not None],
    }


def _tombstones(cursor: Cursor, one: Erasure) -> None:
    cursor.executemany(
        "insert into migration.erasures (base_id, table_id, record_id, erased_at, request_id) values (%s, %s, %s, %s, %s) "
        "on conflict do nothing",
        [(*record, one.at, one.request_id) for record in one.records],
    )
    cursor.executemany(
        "insert into migration.erased_files (object_key, erased_at, request_id) values (%s, %s, %s) on conflict do nothing",
        [(key, one.at, one.request_id) for key in one.files],
    )


def _erase(cursor: Cursor, one: Erasure) -> None:
    stories = [row_id for table, row_id in one.rows if table == "stories"]
    if one.account_id is not None:
        cursor.execute("delete from public.profiles where id = %s", (one.account_id,))
        cursor.execute(
            "delete from audit.images where table_name = 'profiles' and row_id = %s", (one.account_id,)
        )
    if one.scope == "storyteller" and one.storyteller_id is not None:
        _ask(cursor, one, "storyteller", one.storyteller_id)
    for story in stories:
        cursor.execute(
            "delete from public.authorship a where a.story_id = %s and a.id <> "
            "(select min(o.id::text)::uuid from public.authorship o where o.story_id = a.story_id)",
            (story,),
        )
        _ask(cursor, one, "story", story)
    values = _values([one])
    for statement in each("rest"):
        cursor.execute(statement, values if b"%(" in statement else None)
    # What was deleted before the erasure has its words in images still.
    people: list[str | None] = [*values["people"]] or [None]
    for person in people:
        cursor.execute("select private.forget_images(%s::uuid, %s::uuid[])", (person, stories))
    cursor.execute(
        "delete from audit.images i using unnest(%(row_tables)s::text[], %(row_ids)s::text[]) g (name, id) "
        "where i.table_name = g.name and i.row_id = g.id",
        values,
    )
    for statement in each("archive"):
        cursor.execute(statement, {"request": one.request_id})


def _closed(cursor: Cursor, one: Erasure) -> bool:
    """Close a story that stayed with its other tellers; whether it was open. One of a database that knows the erasure as
    done was opened by a person since."""
    if one.scope != "story" or one.story_id is None or ("stories", one.story_id) in one.rows:
        return False
    cursor.execute(
        "update public.stories set status = 'archived', published_at = null, privacy = 'private' where id = %s "
        "and status <> 'archived' and not exists (select from public.erasure_requests where id = %s and state = 'done')",
        (one.story_id, one.request_id),
    )
    return cursor.rowcount > 0


def _ask(cursor: Cursor, one: Erasure, scope: str, subject: str) -> None:
    """One call of the schema's own erasure, if the subject is there; what it wrote is this erasure's."""
    table, column = ("storytellers", "storyteller_id") if scope == "storyteller" else ("stories", "story_id")
    present = sql.SQL("select 1 from {} d where d.id = %s and (to_jsonb(d) ->> 'name') is distinct from %s")
    if cursor.execute(present.format(sql.Identifier("public", table)), (subject, SHELL)).fetchone() is None:
        return
    named = sql.Identifier(column)
    waiting = cursor.execute(sql.SQL(_OPEN).format(scope, named, subject)).fetchone()
    request = str(uuid.uuid4()) if waiting is None else str(waiting[0])
    if waiting is None:
        insert = sql.SQL("insert into public.erasure_requests (id, scope, {}) values (%s, %s, %s)")
        cursor.execute(insert.format(named), (request, scope, subject))
    cursor.execute("select private.erase(%s)", (request,))
    for kept in ("erasures", "erased_files"):
        update = sql.SQL("update {} set request_id = %s where request_id = %s")
        cursor.execute(update.format(sql.Identifier("migration", kept)), (one.request_id, request))
    if waiting is None:
        cursor.execute("delete from public.erasure_requests where id = %s", (request,))


def _done(cursor: Cursor, one: Erasure) -> None:
    """The request itself, done, so that the database tells of it as the one that it was done in does."""
    cursor.execute(
        "insert into public.erasure_requests (id, requested_by, scope, state, requested_at, done_at, counts) "
        "values (%s, %s, %s, 'done', %s, %s, '{}') on conflict (id) do update set state = 'done', reason = null, "
        "done_at = coalesce(erasure_requests.done_at, excluded.done_at), counts = coalesce(erasure_requests.counts, '{}') "
        "where erasure_requests.state <> 'done' or erasure_requests.reason is not null",
        (one.request_id, one.account_id, one.scope, one.at, one.at),
    )


def _exists(cursor: Cursor, table: str) -> bool:
    row = cursor.execute("select to_regclass(%s) is not null", (table,)).fetchone()
    return row is not None and bool(row[0])
