"""What is missing or other is made from the definition that the release's catalogue has of it.

What belongs here: making objects. What does not: the values in columns and tables that come back (``values``).

Invariants: tables and columns first, with their values; then what judges these values (constraints); then what reads
them; a value is only given another type where nothing of it is lost.
"""

from __future__ import annotations

import re

from psycopg import errors

from ledger_assets.backup.merge.model import DERIVED
from ledger_assets.backup.repairing import definitions, references, values
from ledger_assets.backup.repairing.definitions import Column
from ledger_assets.backup.repairing.work import NOT_YET, Work, columns_of, tables
from ledger_assets.errors import TargetError
from ledger_assets.load import schema
from ledger_assets.load.sqlfiles import one
from ledger_assets.schema.catalogue import Item

_VIEW = re.compile(r"^create (?:or replace )?view (\S+)", re.MULTILINE)
_TEXTS = ("text", "character varying", "character", "name", "json")


def make(work: Work) -> None:
    """Everything."""
    # A function's body may speak of what is only made afterwards.
    work.live.execute("set local check_function_bodies = off")
    for item in _missing(work, "schema"):
        _make(work, item)
    for item in _missing(work, "function", "procedure"):
        # Defaults and checks of columns may call it. What it needs itself may come later.
        work.attempt(definitions.made(item, work.owner)[0], *NOT_YET)
    for item in _missing(work, "table"):
        _make_table(work, item)
    for item in _missing(work, "column"):
        _add_column(work, item)
    for table, columns in work.remade.items():
        values.fill(work, table, columns)
    _alter_columns(work)
    values.withdrawn(work)
    missing = _missing(work, "constraint")
    references.settle(work, [item for item in missing if _is_key(item)])
    work.live.execute("set constraints all immediate")
    for item in sorted(missing, key=lambda item: (_is_key(item), "CHECK" in item.definition)):
        _make(work, item)
    for item in _missing(work, "index"):
        _make(work, item)
    _make_code(work)
    for kind in ("trigger", "rule", "policy"):
        for item in _missing(work, kind):
            _make(work, item)
    _make_attributes(work)
    for item in _missing(work, "grant"):
        _make(work, item)
    for item in _missing(work, "default privileges"):
        work.run(item.key, definitions.default_privileges(item, work.owner, grant=True))


def _missing(work: Work, *kinds: str) -> list[Item]:
    present = work.present()
    return [item for key, item in work.wanted.items() if item.kind in kinds and key not in present]


def _is_key(item: Item) -> bool:
    return item.definition.startswith("FOREIGN KEY")


def _make(work: Work, item: Item) -> None:
    for statement in definitions.made(item, work.owner):
        work.run(item.key, statement)
    work.tell("made again", item)


def _make_table(work: Work, item: Item) -> None:
    columns = columns_of(work.wanted, item.name)
    order = [name for name in values.order(work, item.name) if name in columns]
    parts = ", ".join(_declared(name, columns[name]) for name in order)
    work.run(item.key, f"create table {item.name} ({parts})")
    work.made_tables.add(item.name)
    if item.name == DERIVED:
        work.tell("made again, to be filled from what it follows from", item)
    else:
        work.tell(f"made again with {values.fill_table(work, item.name)} rows of the snapshot", item)


def _declared(name: str, column: Column) -> str:
    parts = [name, column.type]
    if column.not_null:
        parts.append("not null")
    if column.identity:
        parts.append(f"generated {column.identity} as identity")
    if column.generated:
        parts.append(f"generated always as {column.generated} stored")
    elif column.default is not None:
        parts.append(f"default {column.default}")
    return " ".join(parts)


def _add_column(work: Work, item: Item) -> None:
    """As NULL or, in rows that the snapshot does not know, as its default."""
    table, name = definitions.relation(item), definitions.own_name(item)
    if table in work.made_tables or item.parent not in work.present():
        return
    column = definitions.column(item.definition)
    values.refuse_without_key(work, table, name)
    if column.generated:
        definition = f"generated always as {column.generated} stored"
    else:
        definition = f"default {column.default}" if column.default is not None else ""
        work.remade.setdefault(table, []).append(name)
    work.run(item.key, f"alter table {table} add column {name} {column.type} {definition}")


def _alter_columns(work: Work) -> None:
    present = work.present()
    for table in tables(work.wanted):
        have = columns_of(present, table)
        for name, want in columns_of(work.wanted, table).items():
            if name in have and have[name] != want:
                _alter(work, table, name, want, have[name])
                work.lines.append(f"column {table}.{name}: as it was")


def _alter(work: Work, table: str, name: str, want: Column, have: Column) -> None:
    what, alter = f"column {table}.{name}", f"alter table {table} alter column {name}"
    if want.generated != have.generated:
        raise TargetError(
            f"{what} is computed otherwise than it should be: drop it (its values follow from others), then try again; "
            "the whole repair was rolled back"
        )
    if want.type != have.type:
        _retype(work, table, name, want, have)
    elif not have.generated and want.default != have.default and want.default is None:
        work.run(what, f"{alter} drop default")
    if (
        want.default is not None
        and not want.generated
        and (want.default, want.type) != (have.default, have.type)
    ):
        work.run(what, f"{alter} set default {want.default}")
    if have.identity and not want.identity:
        work.run(what, f"{alter} drop identity")
    if want.not_null != have.not_null:
        if want.not_null:
            values.refuse_empty(work, table, name)
        work.run(what, f"{alter} {'set' if want.not_null else 'drop'} not null")
    if want.identity and have.identity != want.identity:
        act = (
            f"set generated {want.identity}"
            if have.identity
            else f"add generated {want.identity} as identity"
        )
        work.run(what, f"{alter} {act}")
        if not have.identity:
            values.move_sequence(work, table, name)


def _retype(work: Work, table: str, name: str, want: Column, have: Column) -> None:
    what = f"column {table}.{name}"
    plain = want.type.partition(" collate ")[0], have.type.partition(" collate ")[0]
    # What was written as text may be written otherwise afterwards ("1.0"); it is the same value, or no value at all.
    if not plain[1].startswith(_TEXTS) or plain[0].startswith(_TEXTS):
        lossy = f"({name}::{plain[0]})::{plain[1]}::text is distinct from {name}::text"
        values.refuse_rows(
            work, table, lossy, f"{what} of type {plain[1]}: values that do not fit {plain[0]}"
        )
    if have.default is not None:
        work.run(what, f"alter table {table} alter column {name} drop default")
    work.run(what, f"alter table {table} alter column {name} type {want.type} using {name}::{plain[0]}")


def _make_code(work: Work) -> None:
    """Functions and views, which may stand on each other."""
    wanted, present, written = work.wanted, work.present(), _views_as_written()

    def function(item: Item) -> None:
        statement = definitions.made(item, work.owner)[0]
        # Another result or other names of parameters cannot be replaced; what stood on it is made again.
        if not work.attempt(statement, errors.InvalidFunctionDefinition):
            work.live.execute(f"drop {item.kind} {item.name} cascade".encode())
            work.live.execute(statement.encode())

    def view(item: Item) -> None:
        query = wanted[f"query {item.name}"].definition
        from_catalogue = definitions.view(item.name, item.definition, query)
        if item.name in written and _same_version(work):
            work.live.execute(written[item.name].encode())
            if one(work.live, "select pg_get_viewdef(%s::regclass)", (item.name,)) == query:
                return
            # "select *" of a table whose columns came back at another place.
            work.live.execute(f"drop view {item.name}".encode())
        work.live.execute(from_catalogue.encode())

    todo = []
    for key, item in wanted.items():
        if item.kind in {"function", "procedure"} and present.get(key) != item:
            todo.append((key, lambda item=item: function(item)))
            work.tell("made again", item)
        elif item.kind == "view" and key not in present:
            todo.append((key, lambda item=item: view(item)))
            work.tell("made again", item)
    work.until_done(todo)


def _make_attributes(work: Work) -> None:
    """Of tables, sequences and schemas that are there but other."""
    for key, found in work.present().items():
        item = work.wanted.get(key)
        if item is None or item == found:
            continue
        statements: list[str] = []
        if item.kind == "table":
            statements = definitions.table_attributes(
                item.name, item.definition, found.definition, work.owner
            )
        elif item.kind == "sequence":
            statements = [definitions.sequence(item)]
        elif item.kind == "schema":
            statements = [f"alter schema {item.name} owner to {definitions.quoted(work.owner)}"]
        for statement in statements:
            work.run(key, statement)
        if statements:
            work.tell("as it was", item)


def _same_version(work: Work) -> bool:
    return work.expected.major == work.live.connection.info.server_version // 10000


def _views_as_written() -> dict[str, str]:
    """The migrations' own statements: what Postgres prints of a comparison of two rows it reads back with other brackets."""
    statements = (s.text for migration in schema.migrations() for s in migration.statements)
    found = ((_VIEW.search(text), text) for text in statements)
    return {match[1]: text for match, text in found if match is not None}
