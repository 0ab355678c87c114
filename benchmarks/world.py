"""What the measurements stand on: bases, a server process, an embedded Postgres, and fresh processes to measure.

Everything lives below one temporary folder and ends with the ``with`` block. The server and Postgres run as
processes of their own, the same ones for both sides of a comparison, so that their share of the two cores is equal.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg

from ledger_assets.demo.base import create_base
from ledger_assets.demo.postgres import Cluster
from ledger_assets.demo.server import LOCAL_API_KEY
from ledger_assets.environment import SYNTHETIC_BASE_ID

REPOSITORY = Path(__file__).parent.parent
UNLIMITED = 1_000_000.0
START_SECONDS = 60.0
OURS = (
    "AIRTABLE_",
    "LEDGER_",
    "DAGSTER_",
    "OBJECT_STORE_URL",
    "DATABASE_URL",
    "STAGING_DATABASE_URL",
    "PEER_",
    "BACKUP_",
    "SCRATCH_DATABASE_URL",
)
"""Variables that a measured process gets from here and never from the shell."""


class MeasurementFailed(Exception):
    """A measured process failed."""


class World:
    """One temporary world for a whole run of the benchmarks."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._made = 0

    def __enter__(self) -> World:
        self.folder = Path(tempfile.mkdtemp(prefix="ledger-bench-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o755)  # the cluster runs as another user when this one is root
        self.cluster = Cluster(self.folder / "cluster")
        self._stack.callback(self.cluster.stop)
        self.cluster.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def base(self, records: int, shape: str = "empathy_ledger") -> Path:
        """A base of about so many records; made once."""
        path = self.folder / "bases" / f"{shape}-{records}.sqlite"
        if not path.exists():
            create_base(path, scale=records, shape=shape)
        return path

    def home(self) -> Path:
        """A new folder for one measured process."""
        self._made += 1
        folder = self.folder / f"home{self._made}"
        folder.mkdir()
        return folder

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of a new database with what Supabase would give it, and without our schema."""
        self._made += 1
        name = f"bench{self._made}"
        self.cluster.ensure_database(name)
        try:
            yield self.cluster.url(name)
        finally:
            with psycopg.connect(self.cluster.admin_url("postgres"), autocommit=True) as admin:
                admin.execute(
                    psycopg.sql.SQL("drop database {} with (force)").format(psycopg.sql.Identifier(name))
                )
                admin.execute("checkpoint")  # else the next one measured pays for this one's pages

    @contextmanager
    def airtable(self, base: Path) -> Iterator[str]:
        """The address of a process that serves the base without a limit."""
        port_file = self.home() / "port"
        command = ["-m", "ledger_assets.demo.server", "--base", str(base), "--port-file", str(port_file)]
        server = subprocess.Popen(
            [sys.executable, *command, "--requests-per-second", str(UNLIMITED)], cwd=REPOSITORY
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not port_file.exists():
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the local Airtable server did not start")
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port_file.read_text().strip()}"
        finally:
            server.terminate()
            server.wait()


def settings(airtable_url: str, database_url: str, home: Path, *, rate: float = UNLIMITED) -> dict[str, str]:
    """The variables of one lane."""
    return {
        "LEDGER_HOME": str(home),
        "AIRTABLE_ENDPOINT_URL": airtable_url,
        "AIRTABLE_API_KEY": LOCAL_API_KEY,
        "AIRTABLE_BASE_ID": SYNTHETIC_BASE_ID,
        "AIRTABLE_REQUESTS_PER_SECOND": str(rate),
        "STAGING_DATABASE_URL": database_url,
    }


def measured(command: Sequence[str], environ: Mapping[str, str]) -> dict[str, Any]:
    """Run a fresh process that prints one JSON object last; that, with ``wall``: seconds from start to end.

    Raises :class:`MeasurementFailed` with the end of what it wrote when it failed.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=REPOSITORY, env={**inherited, **environ}, capture_output=True, text=True, check=False
    )
    wall = time.monotonic() - started
    if done.returncode != 0:
        raise MeasurementFailed(
            f"{' '.join(command[1:3])} ended with {done.returncode}:\n{done.stderr[-2000:]}"
        )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**result, "wall": wall}


def engine(steps: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Run these steps of the engine in a fresh process, see ``benchmarks.ours``."""
    return measured([sys.executable, "-m", "benchmarks.ours", steps], environ)
