"""The SQL files of this folder as composable statements, and the errors of Postgres without the values they
quote.

Invariants: names go in as identifiers, values as parameters; no message of Postgres is passed on, because its
DETAIL, CONTEXT and often its first line quote cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any, LiteralString, cast

import psycopg
from psycopg import errors, sql

from ledger_assets.errors import TargetError

Cursor = psycopg.Cursor[tuple[Any, ...]]


@cache
def _text(name: str) -> LiteralString:
    return (files("ledger_assets.load") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def statement(name: str, **parts: sql.Composable) -> sql.Composed:
    """The statement in ``sql/<name>.sql`` with its ``{placeholders}`` filled."""
    return sql.SQL(_text(name)).format(**parts)


def names(columns: list[str] | tuple[str, ...], prefix: str = "") -> sql.Composed:
    """A list of column names, each after ``prefix`` (an alias)."""
    parts = [sql.Identifier(prefix, c) if prefix else sql.Identifier(c) for c in columns]
    return sql.SQL(", ").join(parts)


def one(cur: Cursor, query: sql.Composed | LiteralString, params: object = None) -> Any:
    """The single value that a query answers."""
    row = cur.execute(query, cast(Any, params)).fetchone()
    if row is None:
        raise TargetError(
            "the target database answered nothing where one row must be; run: ledger-assets doctor ENV"
        )
    return row[0]


class Deadlocked(TargetError):
    """Postgres chose this transaction to end, because another one and it waited for each other. The same again works."""


@contextmanager
def plain_errors(what: str, *, undone: str = "nothing was loaded") -> Iterator[None]:
    """Turn errors of Postgres into :class:`TargetError` that names ``what``, table, column and constraint
    only; ``undone`` says what did not happen.
    """
    try:
        yield
    except errors.DeadlockDetected:
        raise Deadlocked(
            f"{what}: another session and this one waited for each other's locks (deadlock); {undone}, run it again"
        ) from None
    except psycopg.Error as error:
        raise TargetError(_message(error, what, undone)) from None


def _message(error: psycopg.Error, what: str, undone: str) -> str:
    if isinstance(error, errors.LockNotAvailable):
        return f"{what}: somebody else holds a lock for more than 10 seconds; {undone}, run it again"
    if isinstance(error, errors.DiskFull):
        return f"{what}: the database's disk is full; {undone}, make room and run it again"
    lost = error.sqlstate is None and isinstance(error, psycopg.OperationalError)
    if lost or _ended(error.sqlstate):
        return f"{what}: Postgres ended the connection; nothing is half there (one transaction): run it again"
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    return f"{what}: {kind}{_where(error)} (SQLSTATE {error.sqlstate or 'none'}); {undone}"


def _ended(sqlstate: str | None) -> bool:
    """Shutdown, crash, and lost connections."""
    return sqlstate is not None and (sqlstate[:2] == "08" or sqlstate in {"57P01", "57P02", "57P03"})


def _where(error: psycopg.Error) -> str:
    diag = error.diag
    # CONTEXT is the only place that names the column of a refused COPY; what follows the colon is the cell.
    copied = re.match(r"COPY (\S+), line \d+, column ([^:]+):", diag.context or "")
    table = diag.table_name or (copied[1] if copied else None)
    column = diag.column_name or (copied[2] if copied else None)
    parts = {"table": table, "column": column, "constraint": diag.constraint_name}
    return "".join(f", {label} {name}" for label, name in parts.items() if name)
