"""Processes that outlive the command that started them, and the file locks that say who still needs them.

What belongs here: locks, detached starts, the way root starts what refuses root. What does not: what
a process does.

Invariants: a lock is of an open file, so the kernel frees it however its holder dies; a started process has
its own session, so that Ctrl-C in the terminal reaches the command only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import secrets
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger_assets.errors import LedgerError

UNPRIVILEGED_USER = "nobody"
"""Runs Postgres for root. Every Unix has it; the data folder is its own, the folders above stay root's."""

_started: list[subprocess.Popen[bytes]] = []
"""Kept so that Python reaps our children when they end; they may outlive the object that started them."""


class PartError(LedgerError):
    """An embedded part (Postgres, the local Airtable server) cannot be started or used."""


def private_folder(folder: Path) -> Path:
    """Create ``folder``, readable by its owner alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as error:
        raise PartError(
            f"the folder {folder} cannot be used: {error.strerror}; set LEDGER_HOME to another one"
        ) from None
    return folder


def kept_secret(path: Path) -> str:
    """The secret in ``path`` (mode 0600), made at random on first use. Complete or absent, never half."""
    if not path.exists():
        beside = _write_beside(path, secrets.token_urlsafe(32))
        with contextlib.suppress(FileExistsError):  # another process was first: its secret counts
            path.hardlink_to(beside)
        beside.unlink()
    return path.read_text("ascii").strip()


def write_private(path: Path, text: str) -> None:
    """Write ``text`` so that only its owner can ever read it, whole or not at all."""
    _write_beside(path, text).replace(path)


def _write_beside(path: Path, text: str) -> Path:
    beside = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return beside


def open_lock(path: Path) -> int:
    """An open descriptor of the lock file; not inherited by children unless passed on."""
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def try_lock(descriptor: int) -> bool:
    """Take the lock for us alone if nobody holds it. A shared lock of ours is given up when that fails."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file for us alone; waits for its holder."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def start_detached(
    command: Sequence[str],
    *,
    log: Path,
    environ: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own, its output appended to ``log`` (0600)."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd="/",
            env=environ,
            start_new_session=True,
            pass_fds=tuple(pass_fds),
        )
    except OSError as error:
        raise PartError(f"{command[0]} cannot be started: {error.strerror}") from None
    finally:
        os.close(descriptor)
    _started[:] = [process, *(before for before in _started if before.poll() is None)]
    return process


def bare_environment() -> dict[str, str]:
    """Environment for the parts: without our settings, which hold secrets that are none of their business."""
    return {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}


def give_away(path: Path) -> None:
    """As root: make ``path`` the unprivileged user's. Else it is ours already."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED_USER)
        os.chown(path, user.pw_uid, user.pw_gid)


def unprivileged() -> list[str]:
    """Command prefix that gives up root, which Postgres refuses; empty for everybody else.

    The binaries and the data usually lie below folders that only root may enter (a 0700 home or temporary
    folder), and opening those to others is not ours to do. So one capability stays with the process: to pass
    through folders and read. ``access()`` drops capabilities for any user but root unless NO_SETUID_FIXUP is
    set: without that bit Postgres "could not locate my own executable path" (measured, 15 and 18). Docker's
    default set lacks CAP_DAC_READ_SEARCH and has CAP_DAC_OVERRIDE, hence the second choice.
    """
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise PartError(
            "the embedded Postgres refuses to run as root, and setpriv (package util-linux) is not here to "
            "start it as another user: run as an ordinary user, or set DATABASE_URL and STAGING_DATABASE_URL"
        )
    user = pwd.getpwnam(UNPRIVILEGED_USER)
    prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    held = _held_capabilities()
    kept = next(
        (name for name, bit in (("dac_read_search", 2), ("dac_override", 1)) if held >> bit & 1), None
    )
    if kept is None:
        return [*prefix, "--"]
    only = f"-all,+{kept}"
    return [
        *prefix,
        "--securebits=+no_setuid_fixup",
        f"--inh-caps={only}",
        f"--ambient-caps={only}",
        f"--bounding-set={only}",
        "--",
    ]


def _held_capabilities() -> int:
    """Bit mask of the capabilities that this process holds and may pass on."""
    fields = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line
    )
    return int(fields["CapPrm"], 16) & int(fields["CapBnd"], 16)
