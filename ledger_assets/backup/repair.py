"""A schema that somebody damaged is made whole again: every object from the release's own definition, in one transaction.

What belongs here: the order of a repair, what it locks, and what must be true before it is committed. What does not: the
parts (``repairing``), rows that were changed (``merge``, afterwards).

Invariants: whole or not at all; nothing that holds data is ever dropped: extra columns and tables stay and are named;
columns and tables that are missing come back with the values of the snapshot; no other value changes, and its
fingerprint proves it; every role is tried against the access matrix before the commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from ledger_assets.access import report as access
from ledger_assets.access.run import check_access
from ledger_assets.backup import contents
from ledger_assets.backup.contents import TableContents, TableShape
from ledger_assets.backup.merge import sessions, write
from ledger_assets.backup.repairing import images, references
from ledger_assets.backup.repairing.definitions import unquoted
from ledger_assets.backup.repairing.make import make
from ledger_assets.backup.repairing.take import take_away
from ledger_assets.backup.repairing.work import Work, columns_of, tables
from ledger_assets.errors import TargetError
from ledger_assets.load.sqlfiles import one
from ledger_assets.schema import verify
from ledger_assets.schema.catalogue import SCHEMAS, Catalogue
from ledger_assets.schema.compare import Difference

SHOWN = 20
IN_MATRIX = "a row in the matrix"
"""What the check of access calls an object that the matrix does not name."""
HOLDS_DATA = frozenset({"table", "column", "sequence", "materialized view", "foreign table", "type"})
NOT_OURS = frozenset({
    "role", "membership", "role setting", "publication", "extension", "event trigger", "statistics", "operator",
    "schema", verify.MIGRATION,
})  # fmt: skip
"""Of the server, of the platform, or a record of what happened: named, and no reason to refuse."""


@dataclass(frozen=True)
class Repaired:
    """A repair that was committed. ``left``: what differs still, because nothing that holds data is dropped."""

    lines: tuple[str, ...]
    left: tuple[Difference, ...]


def differences(live: psycopg.Connection) -> tuple[Difference, ...]:
    """How the live schema differs from the release's."""
    from ledger_assets.lane import scratch_database

    return verify.verify(live, scratch_database).differences


def repair(
    live: psycopg.Connection, copy: psycopg.Connection, *, who: str, lock_seconds: float = 60
) -> Repaired:
    """Make ``live``'s schema whole. ``copy``: the snapshot, restored, at this release's schema, without the erased.

    Raises TargetError naming what cannot be repaired; then nothing was changed.
    """
    from ledger_assets.lane import scratch_database

    made, against = verify.expectation(live, scratch_database)
    live.rollback()
    with sessions.one_transaction(live, "repair of the schema") as cur:
        with sessions.rolled_back(copy, "the snapshot's copy") as theirs:
            for each in (cur, theirs):
                each.execute("set local search_path = ''")
            work = Work(cur, theirs, made, _owner(cur))
            _refuse_pending(live, made, against)
            _lock(work, lock_seconds)
            work.live.execute("set local lock_timeout = '30s'")
            sessions.as_restore(cur, f"repair by {who}")
            kept = _kept(work)
            before = _fingerprints(work, kept)
            take_away(work)
            make(work)
            changed = [key for key, value in _fingerprints(work, kept).items() if value != before[key]]
            if changed:
                raise TargetError(
                    f"the repair would have changed values of {', '.join(changed)}; it was rolled back: a fault of "
                    "ledger_assets, please report it"
                )
            images.reorder(work)
            _tell_audit(work)
            if one(cur, "select count(*) from private.visibility_drift"):
                write.refresh(cur)
            # Whatever was damaged, and whatever was written while its triggers were gone.
            cur.execute("select private.refresh_search()")
        left = _left(work, verify.compared(live, made, against).differences)
        sessions.as_anybody(cur)
        refused = [str(d) for d in check_access(live).differences if not _of_what_is_left(d, left)]
        if refused:
            raise TargetError(f"the repair was rolled back, because afterwards {'; '.join(refused[:SHOWN])}")
    return Repaired(tuple(work.lines), left)


def _owner(cur: psycopg.Cursor[tuple[object, ...]]) -> str:
    """Whose the tables are, as the catalogue's reading takes it."""
    return str(
        one(
            cur,
            "select pg_get_userbyid(mode() within group (order by c.relowner)) from pg_class c "
            "join pg_namespace n on n.oid = c.relnamespace where n.nspname = any (%s) and c.relkind in ('r', 'p')",
            (list(SCHEMAS),),
        )
    )


def _refuse_pending(live: psycopg.Connection, made: Catalogue, against: str) -> None:
    found = verify.compared(live, made, against).differences
    pending = [d.object for d in found if d.kind == verify.MIGRATION and d.found == "not applied"]
    if pending:
        raise TargetError(
            f"{len(pending)} migrations are not recorded as applied ({', '.join(pending[:SHOWN])}): run ledger-assets "
            "schema apply first; nothing was changed"
        )


def _lock(work: Work, seconds: float) -> None:
    """Writers keep out of every table; readers too of those that are mended."""
    wanted, present = work.wanted, work.present()
    there = tables(present)
    other = {item.key for key, item in {**wanted, **present}.items() if wanted.get(key) != present.get(key)}
    touched = {
        name
        for name in there
        for item in (*wanted.values(), *present.values())
        if item.key in other and f"table {name}" in (item.key, item.parent)
    }
    for names, mode in ((sorted(touched), "access exclusive"), (there, "share row exclusive")):
        if names:
            sessions.lock(work.live, [sql.SQL(name) for name in names], seconds, mode=mode)


def _kept(work: Work) -> dict[str, tuple[str, ...]]:
    """The columns of each table whose values may not change: all but those that get another type or are settled."""
    wanted, present = work.wanted, work.present()
    settled: dict[str, set[str]] = {}
    for key, item in wanted.items():
        if item.kind == "constraint" and item.definition.startswith("FOREIGN KEY") and key not in present:
            reference = references.read(item)
            if f"table {reference.parent}" not in present:
                settled.setdefault(reference.child, set()).update(reference.columns)
    kept = {}
    for name in tables(present):
        want, have = columns_of(wanted, name), columns_of(present, name)
        retyped = {c for c in want.keys() & have.keys() if want[c].type != have[c].type}
        if name == "public.consents":
            retyped |= {"state"}
        columns = [c for c, column in have.items() if not column.generated and c not in retyped]
        kept[name] = tuple(sorted(set(columns) - settled.get(name, set())))
    return kept


def _fingerprints(work: Work, kept: Mapping[str, tuple[str, ...]]) -> dict[str, TableContents]:
    """Count and content of these columns."""
    contents.fix_settings(work.live.connection)
    shapes = [_shape(name, columns) for name, columns in kept.items() if columns]
    found = {shape.key: contents.fingerprint(work.live.connection, shape) for shape in shapes}
    work.live.execute("set local search_path = ''")
    return found


def _shape(name: str, columns: tuple[str, ...]) -> TableShape:
    schema, _, table = name.partition(".")
    return TableShape(unquoted(schema), unquoted(table), name, tuple(map(unquoted, columns)))


def _tell_audit(work: Work) -> None:
    for table, rows in sorted(work.brought.items()):
        work.live.execute(
            "insert into audit.log (table_name, action, rows) select %s, %s, %s where %s > 0",
            (
                unquoted(table.split(".", 1)[1]),
                "insert" if table in work.made_tables else "update",
                rows,
                rows,
            ),
        )


def _left(work: Work, found: Sequence[Difference]) -> tuple[Difference, ...]:
    def stays(d: Difference) -> bool:
        extra = d.expected is None and (d.kind in HOLDS_DATA or f"{d.kind} {d.object}" in work.left_alone)
        return extra or d.kind in NOT_OURS

    wrong = [d for d in found if not stays(d)]
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        told = "; ".join(d.line for d in wrong[:SHOWN])
        raise TargetError(f"the schema is not whole after the repair, which was rolled back: {told}{more}")
    return tuple(found)


def _of_what_is_left(found: access.Difference, left: Sequence[Difference]) -> bool:
    """The matrix does not know what somebody added: that nobody reaches it is no fault."""
    names = {d.object for d in left}
    if found.subject in names and found.act == IN_MATRIX:
        return True
    columns = {unquoted(name.rpartition(".")[2]) for name in names if name.startswith(f"{found.subject}.")}
    return found.seen <= found.expected and found.expected - found.seen <= columns
