"""Play every cell of the matrix in a database, as the role that it is about, and undo everything.

What belongs here: the one transaction and its sessions. What does not: what is tried (``trials``), what the answers mean
(``answers``), what the catalogue says (``reach``), the asset check (``checks``).

Invariants: everything happens in one transaction that is always rolled back; only the world's own rows are written,
read or locked; no load or restore is at work meanwhile; what could not be tried is told, never passed over. A
sequence's numbers are the one thing that a rollback does not give back.
"""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
from psycopg import sql

from ledger_assets.access.answers import Outcome, Seen, differences, hides, in_labels
from ledger_assets.access.ids import ACCOUNTS, ROLES, World, uid
from ledger_assets.access.matrix import Matrix, load
from ledger_assets.access.reach import (
    PLATFORM,
    Reachable,
    columns,
    expanded,
    expected_columns,
    incomplete,
    reachable,
    uncalled,
)
from ledger_assets.access.report import AccessReport
from ledger_assets.access.trials import Trial, calls, one_by_one, trials, world
from ledger_assets.errors import TargetError
from ledger_assets.load.claim import LOAD_LOCK

ACCESS_LOCK = 0x6C65646765725F61
"""Advisory lock ('ledger_a'): two checks of one database would write the same ids and wait for each other's rows."""
FUNCTIONS = [
    (Path(__file__).parent / "sql" / name).read_text("utf-8") for name in ("write_world.sql", "try_acts.sql")
]


def check_access(connection: psycopg.Connection, matrix: Matrix | None = None) -> AccessReport:
    """Compare the database with the matrix. The connection is idle, and idle again afterwards; nothing is left.

    Raises TargetError when the world cannot be written (another schema, rows held by another session) and MatrixError
    when the matrix speaks of what there is not.
    """
    matrix = matrix or load()
    with connection.transaction(force_rollback=True):
        prepare(connection)
        found, rows = reachable(connection), world()
        write(connection, rows)
        cells, different = columns(matrix, found)
        different += incomplete(matrix, found)
        not_run = []
        for column, role in ROLES.items():
            tables: set[str] = {*found.relations, PLATFORM}
            if _may_become(connection, role):
                seen = session(connection, matrix, found, rows, column)
            elif column == "auth_admin":
                user = connection.info.user
                not_run.append(
                    f"{column}: {user} may not act as {role} here (on Supabase nobody may): its privileges were "
                    f"compared, and accounts deleted as {user}"
                )
                different += uncalled(matrix, found, column)
                removal = trials(PLATFORM, "remove", column, rows[PLATFORM], (), "id")
                seen, tables = in_labels(_ask(connection, column, removal, None), rows), {PLATFORM}
            else:
                raise TargetError(
                    f"{connection.info.user} may not act as {role} in {connection.info.dbname}: "
                    "use the database's owner (on Supabase: postgres)"
                )
            number, found_here = differences(matrix, tables, rows, column, seen)
            cells, different = cells + number, different + found_here
    return AccessReport(cells, tuple(different), tuple(not_run))


def prepare(connection: psycopg.Connection) -> None:
    """Settings and functions of this transaction."""
    connection.execute("set transaction isolation level read committed")
    # A session of ours has it off, so that nothing hides from a load: here hiding is what is looked at.
    connection.execute("set local row_security = on")
    # A load locks whole tables at its end, one after the other, in which the world is written in another order: the two
    # deadlocked (2 of 25 runs with four migrations at once). Waited for without a limit, as loads wait for each other.
    connection.execute("set local statement_timeout = 0")
    connection.execute("set local lock_timeout = 0")
    connection.execute("select pg_advisory_xact_lock(%s)", (LOAD_LOCK,))
    connection.execute("set local statement_timeout = '2min'")
    connection.execute("set local lock_timeout = '2min'")
    connection.execute("select pg_advisory_xact_lock(%s)", (ACCESS_LOCK,))
    connection.execute("set local lock_timeout = '3s'")
    connection.execute("set local migration.writer = ''")
    for function in FUNCTIONS:
        connection.execute(function.encode())


def write(connection: psycopg.Connection, rows: World) -> None:
    """Write the world. Raises TargetError when the database does not take it."""
    parts = [
        {
            "table": table,
            "columns": list(next(iter(labels.values()))[0]),
            "rows": [row for those in labels.values() for row in those],
        }
        for table, labels in rows.items()
    ]
    where = connection.info.dbname
    try:
        # Of this transaction alone: during a freeze the acts would be refused for another reason.
        connection.execute("update migration.maintenance set frozen = false where frozen")
        connection.execute("select pg_temp.write_world(%s)", (json.dumps(parts, default=str),))
        connection.execute("set constraints all immediate")
        connection.execute("set constraints all deferred")
    except psycopg.errors.LockNotAvailable:
        raise TargetError(
            f"the check of access waited 3 s for rows of {where} that another session holds: try again"
        ) from None
    except psycopg.Error as error:
        raise TargetError(
            f"{where} does not take the rows that access is checked with (error {error.diag.sqlstate}, "
            f"{error.diag.table_name or 'schema'}): is its schema this version's? See ledger-assets schema verify"
        ) from None


def session(
    connection: psycopg.Connection, matrix: Matrix, found: Reachable, rows: World, column: str
) -> Seen:
    """Everything that this column's session is permitted."""
    attempts = calls(column)
    for table, act in matrix.tables:
        if table in found.relations or table == PLATFORM:
            every = found.relations.get(table, ("id",))
            readable = expanded(expected_columns(matrix, table, "read", ROLES[column]), every)
            attempts += trials(table, act, column, rows.get(table, {}), readable, every[0])
    outcomes = _ask(connection, column, attempts, ROLES[column])
    unclear = [trial for trial, outcome in outcomes if len(trial.ids) > 1 and hides(outcome)]
    singly = [single for trial in unclear for single in one_by_one(trial, column)]
    outcomes = [(trial, outcome) for trial, outcome in outcomes if trial not in unclear]
    return in_labels(outcomes + _ask(connection, column, singly, ROLES[column]), rows)


def _may_become(connection: psycopg.Connection, role: str) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
    except psycopg.errors.DatabaseError:
        return False
    return True


def _ask(
    connection: psycopg.Connection, column: str, attempts: list[Trial], role: str | None
) -> list[Outcome]:
    claims = {"role": ROLES[column]}
    if column in ACCOUNTS:
        claims["sub"] = str(uid(f"auth.users/{column}"))
    statements = json.dumps({number: trial.statement for number, trial in enumerate(attempts)})
    with connection.transaction(force_rollback=True):
        if role:
            connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        connection.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),))
        row = connection.execute("select pg_temp.try_acts(%s)", (statements,)).fetchone()
    assert row is not None
    return [(trial, row[0][str(number)]) for number, trial in enumerate(attempts)]
