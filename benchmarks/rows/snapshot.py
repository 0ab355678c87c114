"""A snapshot of a 1 GB database and its verified restore, against what a shell does: ``pg_dump | gzip | age`` and back.

Ours does more in the same time, and it is counted: it fingerprints every row in the dump's snapshot, reads back what it
has stored, and its restore compares every row, key and object, with a key that a password protects. The peer compares
nothing, with a bare key. Both make the server that they restore into, with the same settings.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import psycopg
from psycopg import conninfo, sql

from benchmarks.run import Run
from benchmarks.table import Row
from benchmarks.world import OURS, REPOSITORY, MeasurementFailed, World, settings
from ledger_assets.demo.initdb import wheel_binaries
from ledger_assets.demo.postgres import Cluster
from ledger_assets.load import schema
from ledger_assets.load.connect import connect

LEAST_RATIO = 0.8
MOST_GROWTH = 1.25
"""Of memory, from a tenth of the database to the whole."""
SAMPLE_SECONDS = 0.05
FILLED = Path(__file__).parent.parent / "snapshot_world.sql"
DUMP = '"$PEER_PROGRAMS/pg_dump" "$PEER_DATABASE_URL" | gzip | age -r "$PEER_RECIPIENT" > "$PEER_FILE"'
RESTORE = (
    'age -d -i "$PEER_KEY" "$PEER_FILE" | gunzip | '
    '"$PEER_PROGRAMS/psql" --quiet --no-psqlrc --set ON_ERROR_STOP=1 --output /dev/null "$PEER_EMPTY_URL"'
)
NEEDED = ("age", "gzip", "bash")


@dataclass(frozen=True)
class Measured:
    """Seconds from start to end; megabytes at the highest, the processes of a pipeline together, without servers."""

    seconds: float
    megabytes: float
    said: str


@dataclass(frozen=True)
class Ours:
    """Our two halves on one database."""

    take: Measured
    verify: Measured
    gigabytes: float
    rows: int


def measure(run: Run) -> list[Row]:
    """Ours and the peer's, one after the other, on one database; ours on a tenth of it too, for its memory."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise MeasurementFailed(
            f"snapshot: {', '.join(missing)} is not installed (Debian: apt install {missing[0]})"
        )
    stories = run.sizes.snapshot_stories
    with _database(run.world, max(stories // 10, 10)) as database:
        small = _ours(run.world, database)
    with _database(run.world, stories) as database, _peer(run.world, database) as peer:
        dump = watched(_shell(DUMP), peer.environ)
        ours = _ours(run.world, database)
        restore = watched(_shell(RESTORE), peer.environ)
        restore = replace(restore, seconds=restore.seconds + peer.server_seconds)
    size = f"{ours.gigabytes:.2f} GB, {ours.rows:,} rows"
    return [
        _compared(
            f"snapshot of {size}: `pg_dump \\| gzip \\| age` / ours, with fingerprints", dump, ours.take
        ),
        _compared(
            "verified restore: initdb, `age -d \\| gunzip \\| psql`, not compared / ours, initdb and comparison included",
            restore,
            ours.verify,
        ),
        _memory("snapshot", small.take, ours.take, dump),
        _memory("verified restore", small.verify, ours.verify, restore),
    ]


def _compared(what: str, peer: Measured, ours: Measured) -> Row:
    ratio = peer.seconds / ours.seconds
    return Row(
        what,
        f"{ratio:.2f} ({peer.seconds:.1f} s / {ours.seconds:.1f} s)",
        f"at least {LEAST_RATIO:g}",
        ratio >= LEAST_RATIO,
    )


def _memory(what: str, small: Measured, large: Measured, peer: Measured) -> Row:
    return Row(
        f"&nbsp; {what}: peak memory, all its programs, and at a tenth of the size",
        f"{large.megabytes:.0f} MB, {small.megabytes:.0f} MB (peer {peer.megabytes:.0f} MB)",
        f"at most {MOST_GROWTH:g} times",
        large.megabytes <= MOST_GROWTH * small.megabytes,
    )


def _ours(world: World, database: str) -> Ours:
    home = world.home()
    try:
        environ = {
            **settings("http://127.0.0.1:9", database, home),
            "BACKUP_ENCRYPTION_PASSWORD": "synthetic words for the benchmark only",
        }
        for command in ("setup", "take", "verify"):
            watch = watched([sys.executable, "-m", "benchmarks.snapshots", command], environ)
            if command == "take":
                taken = watch
        rows = json.loads(taken.said.splitlines()[-1])["rows"]
        with connect(database, application_name="bench") as connection:
            size = connection.execute("select pg_database_size(current_database())").fetchone()
        assert size is not None
        return Ours(taken, watch, size[0] / 1e9, rows)
    finally:
        shutil.rmtree(home)


@contextmanager
def _database(world: World, stories: int) -> Iterator[str]:
    with world.database() as url:
        with connect(url, application_name="bench") as connection:
            schema.apply(connection)
        name = str(conninfo.conninfo_to_dict(url)["dbname"])
        with psycopg.connect(world.cluster.admin_url(name)) as admin:
            text = sql.SQL(FILLED.read_text("utf-8"))
            admin.execute(text.format(stories=sql.Literal(stories)))
            admin.commit()
            admin.autocommit = True
            admin.execute("vacuum (analyze)")
            admin.execute("checkpoint")
        yield url


@dataclass(frozen=True)
class _Peer:
    """What its shell lines read, and how long it took to make a server with an empty database."""

    environ: dict[str, str]
    server_seconds: float


@contextmanager
def _peer(world: World, database: str) -> Iterator[_Peer]:
    """A key, and a server of the kind that ours makes for itself."""
    import pyrage

    folder = world.home()
    folder.chmod(0o755)
    cluster = Cluster(folder, durable=False)
    started = time.monotonic()
    cluster.start()
    try:
        cluster.ensure_database("roles")  # a plain dump makes none
        server_seconds = time.monotonic() - started
        cluster.ensure_database("peer", shim=False)
        key, identity = folder / "key.txt", pyrage.x25519.Identity.generate()
        key.write_text(f"{identity}\n", encoding="ascii")
        name = str(conninfo.conninfo_to_dict(database)["dbname"])
        environ = {
            "PEER_PROGRAMS": str(wheel_binaries()),
            "PEER_DATABASE_URL": world.cluster.admin_url(name),
            "PEER_EMPTY_URL": cluster.admin_url("peer"),
            "PEER_RECIPIENT": str(identity.to_public()),
            "PEER_KEY": str(key),
            "PEER_FILE": str(folder / "dump.sql.gz.age"),
        }
        yield _Peer(environ, server_seconds)
    finally:
        cluster.stop()
        shutil.rmtree(folder)


def _shell(line: str) -> list[str]:
    return ["bash", "-o", "pipefail", "-c", line]


def watched(command: Sequence[str], environ: Mapping[str, str]) -> Measured:
    """Run it to its end. Raises :class:`MeasurementFailed` with the end of what it wrote when it failed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    started, most = time.monotonic(), 0.0
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env={**inherited, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while True:
        try:
            out, errors = process.communicate(timeout=SAMPLE_SECONDS)
            break
        except subprocess.TimeoutExpired:
            most = max(most, _megabytes(process.pid))
    seconds = time.monotonic() - started
    if process.returncode != 0:
        raise MeasurementFailed(
            f"snapshot: {' '.join(command[1:4])} ended with {process.returncode}:\n{errors[-2000:]}"
        )
    return Measured(seconds, most, out)


def _megabytes(pid: int) -> float:
    """What the process and all that it has started (but Postgres servers) have had at most, each for itself."""
    try:
        first = psutil.Process(pid)
        # One that has the same arguments is a fork that has not become its program yet: its memory is its parent's.
        own = first.cmdline()
        family = [first, *(one for one in first.children(recursive=True) if one.cmdline() != own)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(_high_water(one) for one in family)


def _high_water(process: psutil.Process) -> float:
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:  # it has just ended
        return 0.0
    if status.startswith("Name:\tpostgres\n"):
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0
