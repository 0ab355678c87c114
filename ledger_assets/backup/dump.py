"""One dump of a database and what exactly is in it, both of one moment.

What belongs here: which schemas, the locks, the snapshot, running pg_dump. What does not: where the files go (``take``),
their verification (``restored``).

Invariants: migrations and other snapshots of the same database are kept out (SCHEMA_LOCK); tables are locked before the
snapshot is taken, because a snapshot sees 0 rows of a table that was truncated or rewritten after it (measured); what
cannot be read is refused by name, never dumped as an empty table; on any error nothing is left in the folder.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from os import killpg
from pathlib import Path
from typing import IO, Literal

import psycopg
from psycopg import sql

from ledger_assets.backup.contents import (
    Contents,
    SequenceContents,
    TableShape,
    fix_settings,
    read_contents,
    read_sequences,
    tables_of,
)
from ledger_assets.backup.queries import text
from ledger_assets.backup.tools import Tools, environment_of, told
from ledger_assets.demo.processes import private_folder
from ledger_assets.errors import SettingsError, TargetError
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import SCHEMA_LOCK
from ledger_assets.load.sqlfiles import plain_errors
from ledger_assets.schema.catalogue import SCHEMAS

Kind = Literal["full", "checkpoint", "emergency", "baseline"]
Beside = Callable[[psycopg.Connection], object]
HISTORY = "supabase_migrations"
PLATFORM = (
    r"^(auth|storage|realtime|_realtime|_analytics|_supavisor|supabase_functions|extensions|graphql|graphql_public|cron|net"
    r"|pgmq|pgsodium|pgsodium_masks|pgtle|vault|etl|pgbouncer|dbdev|repack|tiger|tiger_data|topology|timescaledb.*|_timescaledb.*)$"
)
"""Schemas that Supabase or an extension of it fills; vault and pgsodium hold keys and must never leave."""
LOCK_SECONDS = 10
JOBS = (2, 1)
"""Second try with one: its single worker asks for no lock again after the first."""


@dataclass(frozen=True)
class Dumped:
    """A dump: ``files`` lie in the folder, ``toc.dat`` among them."""

    contents: Contents
    tool: str
    server: str
    schemas: tuple[str, ...]
    seconds: float
    bytes: int
    files: tuple[str, ...]


class _Disturbed(Exception):
    """Somebody else's lock or schema change came between: worth a second try."""


def schemas_of(connection: psycopg.Connection, kind: Kind) -> tuple[str, ...]:
    """Ours that are there; for a baseline every schema that is not the platform's. Raises TargetError for none."""
    with connection.transaction():
        rows = connection.execute(text("foreign_schemas"), {"platform": PLATFORM}).fetchall()
    there = tuple(name for (name,) in rows)
    schemas = there if kind == "baseline" else tuple(n for n in there if n in {*SCHEMAS, HISTORY})
    if not schemas or (kind != "baseline" and set(schemas) <= {"public", HISTORY}):
        raise TargetError(
            f"{connection.info.dbname} holds no schema of ours: apply it (ledger-assets schema apply ENV), or take a "
            "baseline of what is there"
        )
    return schemas


def dump(
    url: str,
    folder: Path,
    *,
    kind: Kind,
    tools: Tools,
    wait_seconds: float = 60,
    beside: Beside = lambda _: None,
) -> Dumped:
    """Dump into ``folder`` (empty or absent), and read the contents in the same snapshot meanwhile. ``beside`` may ask more
    of that very snapshot; on a second try it is called again.

    Raises TargetError naming the table, role, lock or program that prevents it; the folder is gone then.
    """
    started = time.monotonic()
    if folder.exists() and any(folder.iterdir()):
        raise SettingsError(f"the folder {folder} is not empty: a dump needs one of its own")
    with (
        plain_errors("the snapshot", undone="nothing was kept"),
        connect(url, application_name="ledger:snapshot") as connection,
    ):
        _keep_others_out(connection, wait_seconds)
        schemas = schemas_of(connection, kind)
        _refuse_unreadable(connection, schemas)
        contents = _tried(connection, folder, schemas, tools, beside)
        files = tuple(sorted(path.name for path in folder.iterdir()))
        return Dumped(
            contents=contents,
            tool=tools.version,
            server=str(connection.info.parameter_status("server_version")),
            schemas=schemas,
            seconds=time.monotonic() - started,
            bytes=sum((folder / name).stat().st_size for name in files),
            files=files,
        )


def _keep_others_out(connection: psycopg.Connection, seconds: float) -> None:
    """Take SCHEMA_LOCK for this session. Before the transaction, not in it: waiting there would leave a snapshot that is
    older than the migration which was waited for."""
    connection.execute(
        sql.SQL("set local lock_timeout = {}").format(sql.Literal(max(1, int(seconds * 1000))))
    )
    try:
        connection.execute("select pg_advisory_lock(%s)", (SCHEMA_LOCK,))
    except psycopg.errors.LockNotAvailable:
        raise TargetError(
            f"{connection.info.dbname} is held by a schema change or another snapshot for more than {seconds:g} "
            "seconds: wait for its end and try again"
        ) from None
    connection.commit()


def _refuse_unreadable(connection: psycopg.Connection, schemas: Sequence[str]) -> None:
    found = connection.execute(text("unreadable"), {"schemas": list(schemas)}).fetchall()
    connection.rollback()
    if found:
        kind, name, right = found[0]
        more = f" ({len(found)} such objects)" if len(found) > 1 else ""
        raise TargetError(
            f"role {connection.info.user} may not read {kind} {name}{more}: use the database's owner (on Supabase: "
            f"postgres), or grant {right} on {kind} {name} to it"
        )


def _tried(
    connection: psycopg.Connection, folder: Path, schemas: Sequence[str], tools: Tools, beside: Beside
) -> Contents:
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    reason = ""
    for jobs in JOBS:
        try:
            with connection.transaction(force_rollback=True):
                # In a transaction of its own: the first question of the next one takes its snapshot.
                shapes = tables_of(connection, schemas)
            with _removed_on_error(folder), connection.transaction(force_rollback=True):
                snapshot = _snapshot(connection, schemas, shapes)
                beside(connection)
                before = read_sequences(connection, schemas)
                command = _command(tools, folder, schemas, snapshot, jobs)
                with _running(command, environment_of(connection)) as program:
                    contents = read_contents(connection, schemas, between=program.look)
                    program.finish()
                _refuse_private_marks(folder, tools, connection)
                return _with_sequences(contents, before, read_sequences(connection, schemas))
        except _Disturbed as disturbed:
            reason = str(disturbed)
    raise TargetError(
        f"the snapshot: somebody changes tables or holds their locks ({reason}); nothing was kept, try again later"
    )


def _snapshot(connection: psycopg.Connection, schemas: Sequence[str], shapes: Sequence[TableShape]) -> str:
    """Lock the tables, then take the snapshot and export it."""
    fix_settings(connection)
    connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_SECONDS * 1000)))
    names = sql.SQL(", ").join(
        sql.SQL("only {}").format(sql.Identifier(shape.schema, shape.name)) for shape in shapes
    )
    try:
        if shapes:
            connection.execute(sql.SQL("lock table {} in access share mode").format(names))
    except (psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable, psycopg.errors.DeadlockDetected):
        raise _Disturbed(f"a table is locked for more than {LOCK_SECONDS} seconds, or gone") from None
    row = connection.execute("select pg_export_snapshot()").fetchone()
    assert row is not None
    if [shape.key for shape in tables_of(connection, schemas)] != [shape.key for shape in shapes]:
        raise _Disturbed("tables were made or removed meanwhile")
    return str(row[0])


def _command(tools: Tools, folder: Path, schemas: Sequence[str], snapshot: str, jobs: int) -> list[str]:
    quoted = ['"{}"'.format(name.replace('"', '""')) for name in schemas]
    return [
        str(tools.pg_dump),
        "--format=directory",
        f"--file={folder}",
        f"--jobs={jobs}",
        # 1 is 2.5 times as fast as 6 and 12 % larger; zstd is in neither Debian's 15 nor the embedded wheel.
        "--compress=1" if tools.major < 16 else "--compress=gzip:1",
        f"--snapshot={snapshot}",
        f"--lock-wait-timeout={LOCK_SECONDS}s",
        "--strict-names",
        "--no-publications",
        "--no-security-labels",
        "--no-tablespaces",
        "--no-password",
        *(f"--schema={name}" for name in quoted),
    ]


class _Program:
    """A running pg_dump. It writes its complaints into a file: a pipe that nobody reads would stop it."""

    def __init__(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        self._process = process
        self._said = said

    def look(self) -> None:
        """Raise when it has failed by now."""
        code = self._process.poll()
        if code:
            self._said.seek(0)
            reason = told(self._said.read().decode("utf-8", "replace"), code)
            # Its lock-wait-timeout is a statement_timeout; it has no other.
            if re.search("lock|statement timeout", reason):
                raise _Disturbed(reason)
            raise TargetError(f"pg_dump failed, nothing was kept: {reason}")

    def finish(self) -> None:
        """Wait for its end; only code 0 is a dump."""
        self._process.wait()
        self.look()


def _refuse_private_marks(folder: Path, tools: Tools, connection: psycopg.Connection) -> None:
    """Servers since the releases of November 2026 keep a mark of their own (pg_attver) among columns' options. A pg_dump
    of an earlier release writes it out, and no earlier server can read that (met with 18.6 on a 15.20)."""
    if b" SET (pg_attver=" in (folder / "toc.dat").read_bytes():
        server = connection.info.server_version
        raise TargetError(
            f"pg_dump {tools.version} is of an older release than the server ({server // 10000}.{server % 10000}), it "
            f"writes what cannot be restored: install the newest postgresql-client-{server // 10000} (nothing was kept)"
        )


@contextmanager
def _running(command: list[str], environ: dict[str, str]) -> Iterator[_Program]:
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=environ,
            umask=0o077,
            # Its workers with it, when it must be ended.
            start_new_session=True,
        )
        try:
            yield _Program(process, said)
        except BaseException:
            with suppress(ProcessLookupError):
                killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


@contextmanager
def _removed_on_error(folder: Path) -> Iterator[None]:
    private_folder(folder)
    try:
        yield
    except BaseException:
        # Renamed first: a worker that is just ending opens its next file by the old name.
        doomed = folder.with_name(f"{folder.name}.failed")
        folder.rename(doomed)
        shutil.rmtree(doomed)
        raise


def _with_sequences(
    contents: Contents, before: dict[str, tuple[int, bool]], after: dict[str, tuple[int, bool]]
) -> Contents:
    sequences = {name: SequenceContents(value, after.get(name, value)) for name, value in before.items()}
    return replace(contents, sequences=sequences)
