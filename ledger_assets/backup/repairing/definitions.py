"""Statements from the catalogue's own definitions: how one object is made, and how it is taken away.

What belongs here: text to text. What does not: when which statement runs (``make``, ``take``).

Invariants: a definition was written by Postgres with an empty search_path, so every name in it stands with its schema;
no statement here drops a table, a column, or anything else that holds data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from psycopg import sql

from ledger_assets.schema.catalogue import Item

ROLE_OF_ALL = "PUBLIC"
OWNER = "(owner)"
_COLUMN = re.compile(
    r"(?P<type>.+?)(?: collate (?P<collation>\S+))?(?P<not_null> not null)?(?: generated (?P<identity>always|by default)"
    r" as identity)?(?: generated \(s\) as (?P<generated>\(.*\))| default (?P<default>.*))?",
    re.DOTALL,
)
_SEQUENCE = re.compile(
    r"; (?P<type>\w+) from (?P<start>\S+) by (?P<by>\S+) within (?P<low>\S+) and "
    r"(?P<high>\S+), cache (?P<cache>\d+)(?P<cycle>, cycle)?"
)
_STATES = {
    "DISABLED ": "disable",
    "ENABLED ALWAYS ": "enable always",
    "ENABLED FOR REPLICAS ONLY ": "enable replica",
}


@dataclass(frozen=True)
class Column:
    """A column's definition, taken apart."""

    type: str
    """With its collation."""
    not_null: bool
    identity: str | None
    generated: str | None
    default: str | None


def column(definition: str) -> Column:
    """Take it apart."""
    found = _COLUMN.fullmatch(definition)
    assert found is not None
    collation = f" collate {found['collation']}" if found["collation"] else ""
    return Column(
        found["type"] + collation,
        found["not_null"] is not None,
        found["identity"],
        found["generated"],
        found["default"],
    )


def relation(item: Item) -> str:
    """The table or view that it belongs to, as SQL writes it."""
    if item.parent is None:
        return item.name.rsplit(" on ", 1)[1]
    return item.parent.removeprefix("materialized ").removeprefix("foreign ").split(" ", 1)[1]


def own_name(item: Item) -> str:
    """Its name without what it belongs to."""
    if item.kind == "column":
        return item.name.removeprefix(f"{relation(item)}.")
    return item.name.removesuffix(f" on {relation(item)}")


def made(item: Item, owner: str) -> list[str]:
    """The statements that make a constraint, an index, a policy, a trigger, a rule, a function, a schema or a grant."""
    table = relation(item) if item.kind in {"constraint", "policy", "trigger"} else ""
    match item.kind:
        case "schema":
            return [f"create schema {item.name}"]
        case "constraint":
            return [f"alter table {table} add constraint {own_name(item)} {item.definition}"]
        case "policy":
            return [f"create policy {own_name(item)} on {table} as {item.definition}"]
        case "trigger":
            return _trigger(item, table, owner)
        case "function" | "procedure":
            return [item.definition.partition("\n")[2]]
        case "grant":
            return _granted(item)
    return [item.definition]


def taken(item: Item) -> list[str]:
    """The statements that take away one of these."""
    match item.kind:
        case "constraint":
            # With the foreign keys that stand on it: they are made again, and a constraint holds no data.
            return [f"alter table {relation(item)} drop constraint if exists {own_name(item)} cascade"]
        case "index":
            return [f"drop index if exists {relation(item).partition('.')[0]}.{own_name(item)}"]
        case "policy" | "trigger" | "rule":
            return [f"drop {item.kind} if exists {own_name(item)} on {relation(item)}"]
        case "function" | "procedure":
            return [f"drop {item.kind} if exists {item.name}"]
    return [_revoked(item)]


def view(name: str, attributes: str, query: str) -> str:
    """The statement that makes a view."""
    options = [part.removeprefix("with ") for part in attributes.split("; ") if part.startswith("with ")]
    return f"create view {name}{f' with ({options[0]})' if options else ''} as {query}"


def table_attributes(name: str, expected: str, found: str, owner: str) -> list[str]:
    """What of a table itself is other: row-level security, whether it is logged, its owner and its options."""
    want, have = set(expected.split("; ")), set(found.split("; "))
    statements = []
    if f"owner {OWNER}" in want - have:
        statements.append(f"owner to {quoted(owner)}")
    for mark, there, absent in (
        ("row-level security on", "enable row level security", "disable row level security"),
        ("forced", "force row level security", "no force row level security"),
        ("unlogged", "set unlogged", "set logged"),
    ):
        if (mark in want) != (mark in have):
            statements.append(there if mark in want else absent)
    if any(part.startswith("replica identity") for part in want ^ have):
        statements.append("replica identity default")
    for part in (part for part in have - want if part.startswith("with ")):
        names = ", ".join(option.partition("=")[0] for option in part.removeprefix("with ").split(", "))
        statements.append(f"reset ({names})")
    return [f"alter table {name} {statement}" for statement in statements]


def sequence(item: Item) -> str:
    """A sequence with the steps and bounds that it should have."""
    found = _SEQUENCE.search(item.definition)
    assert found is not None
    return (
        f"alter sequence {item.name} as {found['type']} increment by {found['by']} minvalue {found['low']} maxvalue "
        f"{found['high']} start with {found['start']} cache {found['cache']} {'cycle' if found['cycle'] else 'no cycle'}"
    )


def default_privileges(item: Item, owner: str, *, grant: bool) -> str:
    """What new objects are granted: taken away, or given."""
    found = re.fullmatch(r"new (\w+)(?: in schema (\S+))? to (.+)", item.name)
    assert found is not None
    what, where, who = found.groups()
    schema = f" in schema {quoted(where)}" if where else ""
    act = f"grant {item.definition}" if grant else "revoke all"
    return (
        f"alter default privileges for role {quoted(owner)}{schema} {act} on {what} {'to' if grant else 'from'} "
        f"{_role(who)}"
    )


def quoted(name: str) -> str:
    """An identifier."""
    return sql.Identifier(name).as_string(None)


def unquoted(name: str) -> str:
    """An identifier's own letters."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _trigger(item: Item, table: str, owner: str) -> list[str]:
    state = next((state for state in _STATES if item.definition.startswith(state)), "")
    text = item.definition.removeprefix(state).replace(f"'{OWNER}'", sql.Literal(owner).as_string(None))
    switched = [f"alter table {table} {_STATES[state]} trigger {own_name(item)}"] if state else []
    return [text, *switched]


def _granted(item: Item) -> list[str]:
    of, who, privilege = _grant(item)
    parts = item.definition.split(", ")
    plain = [p for p in parts if not p.endswith(" with grant option")]
    passed_on = [p.removesuffix(" with grant option") for p in parts if p not in plain]
    return [
        f"grant {f'{privilege} ({chr(44).join(some)})' if privilege else ', '.join(some)} on {of} to {who}{option}"
        for some, option in ((plain, ""), (passed_on, " with grant option"))
        if some
    ]


def _revoked(item: Item) -> str:
    of, who, privilege = _grant(item)
    # Of the columns alone: the same from the table takes what is granted on it too.
    columns = ", ".join(p.removesuffix(" with grant option") for p in item.definition.split(", "))
    return f"revoke {f'{privilege} ({columns})' if privilege else 'all'} on {of} from {who} cascade"


def _grant(item: Item) -> tuple[str, str, str]:
    """What it is on, to whom, and which privilege of columns."""
    if item.parent is None:
        raise ValueError(item.name)
    of, privilege = item.parent, ""
    who = item.name.removeprefix("columns of ").removeprefix(f"{of} to ")
    if item.name.startswith("columns of "):
        who, _, privilege = who.rpartition(": ")
    kind, name = of.rsplit(" ", 1) if of.startswith(("materialized", "foreign")) else of.split(" ", 1)
    said = "table" if kind not in {"schema", "sequence", "function", "procedure", "type"} else kind
    return f"{said} {name}", _role(who), privilege


def _role(name: str) -> str:
    return "public" if name == ROLE_OF_ALL else quoted(name)
