"""Connections to the target database, and the questions asked of it before anything is written.

What belongs here: opening, session settings, preflight. What does not: what is done with the connection.

Invariants: no message holds the address's password or any part of a malformed address; a connection that is
handed out sees every row (a role under row-level security would count 0 rows and call it success).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

import psycopg
from psycopg import conninfo

from ledger_assets.errors import TargetError

OLDEST = 15
"""The oldest major version of Postgres that is tested."""
CONNECT_SECONDS = 15
URL = "the database URL (DATABASE_URL or STAGING_DATABASE_URL)"
"""What messages call the setting when nobody says which it is."""

_CORRECT = "correct {setting}"
_PROBLEMS = (
    ("password authentication failed|no password supplied", "refuses the password of {user}", _CORRECT),
    ('role ".*" does not exist', "has no role {user}", _CORRECT),
    ('database ".*" does not exist', "has no database {database}", "create it, or correct {setting}"),
    (
        "could not translate host name|failed to resolve host|not known",
        "cannot be found, no host has the name {host}",
        _CORRECT,
    ),
    (
        "server does not support SSL",
        "does not offer TLS",
        "turn it on there; only inside a private network add ?sslmode=disable to {setting}",
    ),
    (
        r"(?s)\A(?!.*SSL encryption).*(no encryption|SSL (connection )?is required|requires SSL)",
        "lets in encrypted connections only",
        "set sslmode=require in {setting}",
    ),
    (
        r"SSL error: (?!certificate)|SSL SYSCALL|response to SSL negotiation",
        "broke off the TLS handshake",
        (
            "check that host and port are Postgres's own and that nothing stands between; {setting} needs sslmode=require "
            "outside a private network"
        ),
    ),
    ("sslmode value .* invalid when SSL", "needs TLS and this client has none", "install psycopg[binary]"),
    (
        "certificate",
        "shows a certificate that is not accepted",
        (
            "set sslrootcert in {setting} to its authority's file (sslrootcert=system: this machine's authorities), or "
            "sslmode=require, which encrypts without asking who answers"
        ),
    ),
    (
        "no pg_hba.conf entry|pg_hba.conf rejects",
        "does not let {user} in from here",
        "allow this machine's address there",
    ),
    ("Connection refused", "refuses connections, nothing listens there", "start it, or correct {setting}"),
    ("timeout|timed out", "does not answer", "check the network and the address, or correct {setting}"),
    (
        "too many (connections|clients)|remaining connection slots",
        "has no connection left",
        "close some, try again",
    ),
    ("starting up|shutting down|recovery mode", "is starting or stopping", "try again in a minute"),
)
"""(libpq's words, what is wrong, remedy). Of the address only host, port, user and database are told."""

_SESSION = (
    # With it off, a query that row-level security would filter is an error instead of fewer rows.
    "set row_security = off",
    "set timezone = 'UTC'",
    "set datestyle = 'ISO, YMD'",
    "set extra_float_digits = 1",
    # Supabase's roles fall under a 2 minute limit: a load may take longer.
    "set statement_timeout = 0",
    "set idle_in_transaction_session_timeout = 0",
)


def connect(url: str, *, application_name: str, setting: str = URL) -> psycopg.Connection:
    """Open a connection and run the preflight. Raises TargetError, one line, without address or password; ``setting``
    is the variable that it tells to correct.

    The connection is idle and not in autocommit mode; its session settings are committed.
    """
    parameters = _parameters(url, setting)
    try:
        connection: psycopg.Connection = psycopg.connect(
            **{**parameters, "application_name": application_name, "connect_timeout": CONNECT_SECONDS}
        )
    except psycopg.OperationalError as error:
        raise TargetError(_reason(str(error), parameters, setting)) from None
    try:
        for setting in _SESSION:
            connection.execute(setting)
        preflight(connection)
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def preflight(connection: psycopg.Connection) -> list[str]:
    """Ask what a load needs. Raises TargetError for what would fail or lie later; returns warnings."""
    where = f"{connection.info.dbname} on {connection.info.host}"
    version = connection.info.server_version // 10000
    if version < OLDEST:
        raise TargetError(f"{where} is Postgres {version}: at least {OLDEST} is needed")
    row = connection.execute(
        "select rolsuper, rolbypassrls, rolname, pg_backend_pid() from pg_roles where rolname = current_user"
    ).fetchone()
    if row is None:
        raise TargetError(f"{where}: the connection's role is not in pg_roles")
    superuser, bypass, role, server_pid = row
    if not superuser and not bypass:
        raise TargetError(
            f"role {role} of {where} has no BYPASSRLS and would not see every row: use the database's owner "
            f"(on Supabase: postgres), or run as a superuser: alter role {role} bypassrls"
        )
    if server_pid != connection.info.backend_pid and _shares_servers(connection, server_pid):
        raise TargetError(
            f"{where} is behind a pooler in transaction mode, which cannot hold a migration: use the direct "
            "connection or the session pooler on port 5432"
        )
    if superuser:
        return [
            f"role {role} of {where} is a superuser: missing grants will not show; use the database's owner"
        ]
    return []


def _parameters(url: str, setting: str) -> dict[str, Any]:
    try:
        parameters = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # libpq's message quotes the part that it cannot read, which may be the password.
        raise TargetError(
            f"{setting} cannot be read: write it as postgresql://user:password@host:5432/database, with every "
            "special character of the password percent-encoded"
        ) from None
    if "sslmode" not in parameters and not _local(str(parameters.get("host") or "")):
        # libpq's default would fall back to a readable connection when somebody in between asks for it.
        parameters["sslmode"] = "require"
    return dict(parameters)


def _shares_servers(connection: psycopg.Connection, server_pid: int) -> bool:
    """True when another client is given the server process of our connection, idle between two transactions.

    Asked only where a pooler stands between (it invents the process number that it tells its clients).
    """
    connection.commit()
    parameters = {**connection.info.get_parameters(), "password": connection.info.password}
    with psycopg.connect(conninfo.make_conninfo(**parameters)) as other:
        row = other.execute("select pg_backend_pid()").fetchone()
        return row is not None and row[0] == server_pid


def _local(host: str) -> bool:
    if host in {"", "localhost"} or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(message: str, parameters: dict[str, Any], setting: str) -> str:
    """One line for a person. Where libpq speaks another language, it says the little that is sure."""
    host, port = parameters.get("host") or "localhost", parameters.get("port") or 5432
    names = {
        "user": parameters.get("user"),
        "database": parameters.get("dbname"),
        "host": host,
        "setting": setting,
    }
    for pattern, problem, remedy in _PROBLEMS:
        if re.search(pattern, message):
            return f"Postgres at {host}:{port} {problem.format(**names)}: {remedy.format(**names)}"
    return f"Postgres at {host}:{port} cannot be used: check that it runs and that {setting} is right"
