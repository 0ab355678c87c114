"""The embedded parts: who needs them, when they start, when they stop.

What belongs here: the lock of all users, the local Airtable server's process. What does not: what they do.

Invariants: a part runs while any process holds the users' lock (shared, of an open file: it ends with its
holder, however that dies) and is stopped by the last one that leaves in order; a part whose users were all
killed is found and used by the next one, and stopped at its end.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import signal
import socket
import sys
import time
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import psutil

from ledger_assets.demo.postgres import Cluster
from ledger_assets.demo.processes import (
    PartError,
    bare_environment,
    kept_secret,
    open_lock,
    private_folder,
    start_detached,
    try_lock,
)
from ledger_assets.environment import SYNTHETIC_ANY_BASE_ID, SYNTHETIC_BASE_ID

SHAPE = "empathy_ledger"
BASE_IDS = {SHAPE: SYNTHETIC_BASE_ID, "any_base": SYNTHETIC_ANY_BASE_ID}
START_SECONDS = 120.0
STOP_SECONDS = 10.0
KEY_VARIABLE = "LOCAL_AIRTABLE_KEY"
"""Tells the server's process its key: an environment is its owner's, a command line is everybody's."""


def base_path(home: Path, shape: str = SHAPE) -> Path:
    """Where the synthetic base of that shape is kept; a base of another size may be made there beforehand."""
    return home.absolute() / ("airtable" if shape == SHAPE else f"airtable_{shape}") / "base.sqlite"


class EmbeddedParts:
    """The embedded Postgres and the local Airtable server, while needed. A context manager; each use is its own object."""

    def __init__(self, home: Path) -> None:
        self._home = home.absolute()
        self._cluster = Cluster(self._home)
        self._lock: int | None = None

    def __enter__(self) -> EmbeddedParts:
        private_folder(self._home)
        if self._lock is None:
            self._lock = open_lock(self._home / "parts.lock")
            fcntl.flock(self._lock, fcntl.LOCK_SH)  # waits while the last user stops the parts
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def acquire(self) -> EmbeddedParts:
        """Need the parts until this process ends."""
        self.__enter__()
        atexit.register(self.release)
        return self

    def release(self) -> None:
        """Need the parts no longer; the last one stops them."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        try:
            if try_lock(lock):
                for folder in sorted(self._home.glob("airtable*/")):
                    _stop_server(folder)
                self._cluster.stop()
        finally:
            os.close(lock)

    def postgres(self) -> Cluster:
        """The cluster, running."""
        self._check_held()
        self._cluster.start()
        return self._cluster

    def airtable(self, shape: str = SHAPE) -> tuple[str, str]:
        """Address and key of the local Airtable server, running; its base is made on first use."""
        self._check_held()
        base = base_path(self._home, shape)
        folder = private_folder(base.parent)
        api_key = kept_secret(folder / "api_key")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            lock = open_lock(folder / "server.lock")
            try:
                if try_lock(lock):
                    _start_server(base, shape, lock, api_key)
            finally:
                os.close(lock)  # the server's process keeps its own
            if (port := _port(folder)) is not None and _answers(port):
                return f"http://127.0.0.1:{port}", api_key
            time.sleep(0.02)
        raise PartError(f"the local Airtable server does not start; its log is {folder / 'server.log'}")

    def _check_held(self) -> None:
        if self._lock is None:
            raise RuntimeError("EmbeddedParts must be entered (with, or acquire()) before a part is used")


def _start_server(base: Path, shape: str, lock: int, api_key: str) -> None:
    """Start the server with our lock: it is held until that process ends, so it tells whether it lives."""
    folder = base.parent
    if not base.exists():
        from ledger_assets.demo.base import create_base

        making = folder / "base.making"
        making.unlink(missing_ok=True)
        create_base(making, shape=shape, base_id=BASE_IDS[shape])
        making.rename(base)
    for stale in ("server.port", "server.pid"):
        (folder / stale).unlink(missing_ok=True)
    process = start_detached(
        [
            # The process number is on disk before the server is, even if we are killed right here.
            *("/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', str(folder / "server.pid")),
            *(sys.executable, "-m", "ledger_assets.demo.server"),
            *("--base", str(base), "--port-file", str(folder / "server.port")),
        ],
        log=folder / "server.log",
        environ={
            **bare_environment(),
            KEY_VARIABLE: api_key,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        pass_fds=[lock],
    )
    while _port(folder) is None:
        if process.poll() is not None:
            raise PartError(f"the local Airtable server ended at once; its log is {folder / 'server.log'}")
        time.sleep(0.02)


def _stop_server(folder: Path) -> None:
    """End the server that holds the folder's lock; a process number alone may be anybody's by now."""
    lock = open_lock(folder / "server.lock")
    try:
        if try_lock(lock):
            return
        process = psutil.Process(int((folder / "server.pid").read_text()))
        for how in (signal.SIGTERM, signal.SIGKILL):
            process.send_signal(how)
            deadline = time.monotonic() + STOP_SECONDS
            while time.monotonic() < deadline:
                if try_lock(lock):
                    return
                time.sleep(0.01)
    except (psutil.NoSuchProcess, FileNotFoundError, ValueError):
        return  # it ended just now
    finally:
        os.close(lock)


def _port(folder: Path) -> int | None:
    """The port from the file that the server writes; absent or half written: not yet."""
    try:
        text = (folder / "server.port").read_text().strip()
    except FileNotFoundError:
        return None
    return int(text) if text.isdigit() else urlsplit(text).port


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
