"""The schema of the target database: ``supabase/migrations`` in order, recorded as the Supabase CLI records.

What belongs here: finding, applying and comparing migrations. What does not: their content.

Invariants: a migration and its record are one transaction; a recorded migration is never run again, and one
whose text has changed since is refused; migrations and snapshots exclude each other by SCHEMA_LOCK.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from ledger_assets.errors import TargetError
from ledger_assets.files import project_file
from ledger_assets.load.script import Statement, split_statements

SCHEMA_LOCK = 0x6C65646765725F73
"""Advisory lock ('ledger_s') of a transaction that changes the schema. A snapshot takes it too: an ALTER that
queues between a snapshot's lock and pg_dump's deadlocks, and Postgres cannot see it."""

SHIM = Path(__file__).parent / "sql" / "shim.sql"
STAND_IN = Path(__file__).parent / "sql" / "stand_in.sql"

_BOOKKEEPING = (
    "create schema if not exists supabase_migrations",
    "create table if not exists supabase_migrations.schema_migrations (version text not null primary key)",
    "alter table supabase_migrations.schema_migrations add column if not exists statements text[]",
    "alter table supabase_migrations.schema_migrations add column if not exists name text",
)
"""Word for word what the Supabase CLI does, so that either may come first."""


@dataclass(frozen=True)
class Migration:
    """One file: ``<version>_<name>.sql``."""

    version: str
    name: str
    text: str

    @property
    def filename(self) -> str:
        """The file's name."""
        return f"{self.version}_{self.name}.sql"

    @property
    def statements(self) -> list[Statement]:
        """The file's statements in order."""
        return split_statements(self.text)


def migrations(folder: Path | None = None) -> list[Migration]:
    """The migrations in order. Raises LedgerError when the folder is missing or a name is wrong."""
    found = []
    for path in sorted((folder or project_file("supabase/migrations")).glob("*.sql")):
        parts = re.fullmatch(r"(\d+)_(.+)\.sql", path.name)
        if parts is None:
            raise TargetError(f"migration {path.name} is not named <digits>_<name>.sql")
        found.append(Migration(parts[1], parts[2], path.read_text("utf-8")))
    return found


def fingerprint(folder: Path | None = None) -> str:
    """SHA-256 over all migrations: which schema this version of the code stands on."""
    digest = hashlib.sha256()
    for migration in migrations(folder):
        digest.update(f"{migration.filename}\x00{migration.text}\x00".encode())
    return digest.hexdigest()


def pending(connection: psycopg.Connection, folder: Path | None = None) -> list[str]:
    """File names of the migrations not yet applied. Raises TargetError when an applied one has changed."""
    with connection.transaction():
        recorded = _recorded(connection)
    return [found.filename for found in migrations(folder) if not _is_recorded(found, recorded)]


def recorded_versions(connection: psycopg.Connection) -> list[str]:
    """Versions of the migrations that the database says were applied, in order."""
    with connection.transaction():
        return sorted(_recorded(connection))


def version(connection: psycopg.Connection) -> str | None:
    """The newest migration that the database has."""
    return max(recorded_versions(connection), default=None)


def apply(connection: psycopg.Connection, folder: Path | None = None) -> list[str]:
    """Apply what is pending, each file in a transaction of its own; returns the file names applied.

    Two at once are safe: the second waits, then finds the work done. Raises TargetError naming file and line.
    """
    applied = []
    _make_bookkeeping(connection)
    for migration in migrations(folder):
        with connection.transaction():
            _lock(connection)
            if not _is_recorded(migration, _recorded(connection)):
                _run(connection, migration)
                applied.append(migration.filename)
    return applied


def apply_shim(connection: psycopg.Connection) -> None:
    """Give a plain Postgres what Supabase has. Needs a superuser; refuses where the platform owns it."""
    with connection.transaction():
        _execute(connection, SHIM.name, split_statements(SHIM.read_text("utf-8")))


def apply_stand_in(connection: psycopg.Connection) -> None:
    """Give a scratch database what the migrations refer to; needs no superuser."""
    with connection.transaction():
        _execute(connection, STAND_IN.name, split_statements(STAND_IN.read_text("utf-8")))


def shim_fingerprint() -> str:
    """SHA-256 of the shim's text."""
    return hashlib.sha256(SHIM.read_bytes()).hexdigest()


def _make_bookkeeping(connection: psycopg.Connection) -> None:
    with connection.transaction():
        _lock(connection)
        if _table_exists(connection):
            return
        try:
            for statement in _BOOKKEEPING:
                connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            raise TargetError(
                f"role {connection.info.user} may not create schemas in {connection.info.dbname}: "
                "use the database's owner (on Supabase: postgres)"
            ) from None


def _lock(connection: psycopg.Connection) -> None:
    connection.execute("set local statement_timeout = 0")
    connection.execute("set local lock_timeout = '60s'")
    try:
        connection.execute("select pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
    except psycopg.errors.LockNotAvailable:
        raise TargetError(
            f"{connection.info.dbname} is held by a schema change or a snapshot for more than a minute: "
            "wait for its end and try again"
        ) from None


def _table_exists(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "select count(*) = 3 from pg_attribute "
        "where attrelid = to_regclass('supabase_migrations.schema_migrations') "
        "and attname in ('version', 'statements', 'name') "
        "and not attisdropped"
    ).fetchone()
    return row is not None and bool(row[0])


def _recorded(connection: psycopg.Connection) -> dict[str, str | None]:
    """Version -> its text, None where the text was not recorded."""
    if not _table_exists(connection):
        return {}
    rows = connection.execute(
        "select version, statements from supabase_migrations.schema_migrations"
    ).fetchall()
    return {version: "".join(statements) if statements else None for version, statements in rows}


def _is_recorded(migration: Migration, recorded: dict[str, str | None]) -> bool:
    if migration.version not in recorded:
        return False
    before = recorded[migration.version]
    if before is not None and _essence(before) != _essence("".join(s.text for s in migration.statements)):
        raise TargetError(
            f"migration {migration.filename} was applied with another text: put the file back as it was and "
            "write the change as a new migration"
        )
    return True


def _essence(text: str) -> str:
    """Without spaces and semicolons: the Supabase CLI cuts statements a little differently than we do."""
    return re.sub(r"[\s;]+", "", text)


def _run(connection: psycopg.Connection, migration: Migration) -> None:
    statements = migration.statements
    connection.execute("set local lock_timeout = '10s'")
    _execute(connection, migration.filename, statements)
    connection.execute(
        "insert into supabase_migrations.schema_migrations (version, statements, name) values (%s, %s, %s)",
        (migration.version, [statement.text for statement in statements], migration.name),
    )


def _execute(connection: psycopg.Connection, filename: str, statements: Sequence[Statement]) -> None:
    for statement in statements:
        try:
            connection.execute(statement.text.encode())
        except psycopg.Error as error:
            position = error.diag.statement_position
            line = statement.line_at(int(position) - 1) if position else statement.first_line
            raise TargetError(
                f"{filename} line {line}: {error.diag.message_primary or type(error).__name__}"
            ) from None
