"""A dump brought back into an empty database, and proven equal to what was there.

What belongs here: running pg_restore and what must be there before; comparing. What does not: where the files come from
(``sealing``), the database (``scratch``), bringing data into a live database (``merge``).

Invariants: only an empty database is written to; pg_restore's own success says nothing (a table's file that was cut at a
row and zipped again restores with code 0): only the comparison of every table's content does; no value is told.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from ledger_assets.backup.contents import Contents
from ledger_assets.backup.outside import Reference
from ledger_assets.backup.queries import text
from ledger_assets.backup.tools import NO_TRANSACTION_TIMEOUT, Tools, environment_of, run
from ledger_assets.demo.processes import bare_environment
from ledger_assets.errors import StoreError, TargetError
from ledger_assets.load.connect import connect
from ledger_assets.load.sqlfiles import plain_errors

JOBS = 2
SCRATCH = "SCRATCH_DATABASE_URL"
_ENTRY = re.compile(r"\d+; \d+ \d+ (?P<what>.+)")
_LAST = ("FK CONSTRAINT ", "COMMENT ")
"""With more than one job pg_restore waits for a table's rows before it makes the table's foreign keys, but not for those of
its partitions: rows that come later are then checked as the other table's owner, who may have no right to its schema before
the grants are made (seen once). Comments, because some are of foreign keys."""
_WITHOUT_DATA = ("TABLE DATA ", "FK CONSTRAINT ", "TRIGGER ", "SEQUENCE SET ", "MATERIALIZED VIEW DATA ")


def restore_folder(
    url: str,
    folder: Path,
    contents: Contents,
    *,
    tools: Tools,
    tables: Collection[str] | None = None,
    setting: str = SCRATCH,
) -> None:
    """Restore all of ``folder`` into the empty database at ``url``, or with ``tables`` the schema (without foreign keys and
    triggers) and the rows of these, which needs no file but ``toc.dat`` and theirs.

    ``setting`` names the database in errors. Raises TargetError naming what the database has or lacks, StoreError for what
    cannot be read.
    """
    entries = _entries(folder, tools)
    with (
        plain_errors("the restore", undone="that database is of no use: drop it"),
        connect(url, application_name="ledger:restore", setting=setting) as connection,
    ):
        _refuse_unfit(connection, contents, tools, setting)
        superuser = _superuser(connection)
        _make_roles(connection, contents.outside.roles, setting)
        for schema in contents.schemas:
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
        for reference in contents.outside.references:
            _seed(connection, reference)
        connection.commit()
        restorer = _Restorer(folder, tools, connection, owners=superuser)
        schemas = [line for line in entries if _what(line).startswith("SCHEMA ")]
        restorer.restore(schemas, jobs=1)
        if "public" in contents.schemas:
            # What a new database gives, and what pg_dump writes the difference to: dropping the schema lost it.
            connection.execute("grant usage on schema public to public")
        # Between: an extension may live in one of the schemas, and the tables may need it.
        _make_extensions(connection, contents, setting)
        rest = [line for line in entries if line not in set(schemas)]
        if not superuser:
            rest = [line for line in rest if _settable(line, str(connection.info.user))]
        if tables is not None:
            rest = [*_without_data(rest), *_data_lines(rest, contents, tables).values()]
        last = [line for line in rest if _what(line).startswith(_LAST)]
        restorer.restore([line for line in rest if line not in set(last)], jobs=JOBS)
        if last:
            restorer.restore(last, jobs=JOBS)
        connection.autocommit = True
        # A tenth of the sample: 3 s less per GB, and enough to choose between a scan and an index.
        connection.execute("set default_statistics_target = 10")
        connection.execute("analyze")


def data_files(folder: Path, contents: Contents, *, tools: Tools) -> dict[str, str]:
    """The file of each table's rows, by its name in ``contents``; reads ``toc.dat`` only."""
    lines = _data_lines(_entries(folder, tools), contents, contents.tables)
    return {table: f"{line.split(';')[0]}.dat.gz" for table, line in lines.items()}


class _Restorer:
    """pg_restore into one database; what it shall restore goes in as a list."""

    def __init__(self, folder: Path, tools: Tools, connection: psycopg.Connection, *, owners: bool) -> None:
        self._folder = folder
        self._tools = tools
        self._environ = environment_of(connection)
        self._database = psycopg.conninfo.make_conninfo(dbname=connection.info.dbname)
        self._owners = owners

    def restore(self, lines: Sequence[str], *, jobs: int) -> None:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".list") as listed:
            listed.write("".join(f"{line}\n" for line in lines))
            listed.flush()
            run(
                [
                    self._tools.pg_restore,
                    f"--dbname={self._database}",
                    f"--use-list={listed.name}",
                    f"--jobs={jobs}",
                    "--format=directory",
                    "--exit-on-error",
                    "--no-password",
                    *([] if self._owners else ["--no-owner"]),
                    self._folder,
                ],
                environ=self._environ,
                what="pg_restore",
            )


def _entries(folder: Path, tools: Tools) -> list[str]:
    try:
        listed = run(
            [tools.pg_restore, "--list", "--format=directory", folder],
            environ=bare_environment(),
            what="pg_restore",
        )
    except TargetError as error:
        if "unsupported version" in str(error):
            raise TargetError(
                f"pg_restore {tools.version} is older than the program that wrote this snapshot: its MANIFEST.json names "
                "the version; install that postgresql-client or a newer one, or set LEDGER_PG_PROGRAMS"
            ) from None
        raise StoreError(f"toc.dat of this snapshot cannot be read: {error}; use another snapshot") from None
    return [line for line in listed.splitlines() if _ENTRY.fullmatch(line)]


def _what(line: str) -> str:
    match = _ENTRY.fullmatch(line)
    return match["what"] if match else ""


def _data_lines(entries: Sequence[str], contents: Contents, tables: Collection[str]) -> dict[str, str]:
    """Each table's line in the list. Raises StoreError for a table that the dump does not hold."""
    found = {}
    for key in tables:
        table = contents.tables.get(key)
        start = f"TABLE DATA {table.schema} {table.name} " if table else "\n"
        lines = [line for line in entries if _what(line).startswith(start)]
        if len(lines) != 1:
            raise StoreError(f"table {key} is not in this snapshot")
        found[key] = lines[0]
    return found


def _without_data(entries: Sequence[str]) -> list[str]:
    return [line for line in entries if not _what(line).startswith(_WITHOUT_DATA)]


def _settable(line: str, user: str) -> bool:
    """Default privileges are set for a role by itself."""
    return not _what(line).startswith("DEFAULT ACL ") or line.endswith(f" {user}")


def _refuse_unfit(connection: psycopg.Connection, contents: Contents, tools: Tools, setting: str) -> None:
    occupied = connection.execute(text("occupied"), {"schemas": list(contents.schemas)}).fetchone()
    if occupied:
        raise TargetError(
            f"database {connection.info.dbname} is not empty, it holds {occupied[0]}: a snapshot is restored into an empty "
            "one only"
        )
    major = connection.info.server_version // 10000
    if major <= NO_TRANSACTION_TIMEOUT < tools.major:
        raise TargetError(
            f"pg_restore {tools.version} cannot restore into Postgres {major}, which lacks a setting it makes: "
            f"name a server of version {tools.major} in {setting}{_or_unset(setting)}"
        )


def _or_unset(setting: str) -> str:
    return ", or unset it to use an embedded one" if setting == SCRATCH else ""


def _superuser(connection: psycopg.Connection) -> bool:
    row = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    return row is not None and bool(row[0])


def _make_roles(connection: psycopg.Connection, roles: Sequence[str], setting: str) -> None:
    for role in roles:
        if not connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
            try:
                connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
            except psycopg.errors.InsufficientPrivilege:
                raise TargetError(
                    f"role {role}, which the snapshot names, is not on this server and role {connection.info.user} may "
                    f"not create it: name a server that has it in {setting}{_or_unset(setting)}"
                ) from None


def _seed(connection: psycopg.Connection, reference: Reference) -> None:
    """Put there what rows refer to outside the snapshot: the keys alone (auth.users: the ids of accounts)."""
    names = reference.columns
    there = connection.execute("select to_regclass(%s) is not null", (reference.target,)).fetchone()
    if there != (True,):
        columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, reference.types, strict=True))
        connection.execute(f"create schema if not exists {reference.schema}".encode())
        connection.execute(
            f"create table {reference.target} ({columns}, unique ({', '.join(names)}))".encode()
        )
    marks = ", ".join("%s" for _ in names)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"insert into {reference.target} ({', '.join(names)}) values ({marks}) on conflict do nothing".encode(),  # noqa: S608 - names quoted by Postgres
            reference.rows,
        )


def _make_extensions(connection: psycopg.Connection, contents: Contents, setting: str) -> None:
    for extension in contents.outside.extensions:
        if not extension.needed:
            continue
        known = connection.execute(
            "select 1 from pg_available_extensions where name = %s", (extension.name,)
        ).fetchone()
        if not known:
            raise TargetError(
                f"this snapshot needs the extension {extension.name}, which that server does not have: name one that has it "
                f"in {setting}"
            )
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(extension.schema)))
        connection.execute(
            sql.SQL("create extension if not exists {} with schema {}").format(
                sql.Identifier(extension.name), sql.Identifier(extension.schema)
            )
        )
    connection.commit()
