"""Which ``pg_dump`` and ``pg_restore`` fit a server, and how they are run without telling anybody anything.

What belongs here: finding programs and their versions, their environment, what is told of their errors. What does not:
what they are asked to do (``dump``, ``restored``).

Invariants: the dump's program is never older than the server (it would refuse); no address and no password stands in an
argument; of what a program says only its telling line is passed on, with whatever may be a value left out.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo

from ledger_assets.addresses import LOOPBACK
from ledger_assets.demo.initdb import wheel_binaries
from ledger_assets.demo.processes import PartError, bare_environment
from ledger_assets.errors import TargetError

INSTALLED = Path("/usr/lib/postgresql")
"""Debian's place: one folder per major version."""
NO_TRANSACTION_TIMEOUT = 16
"""The newest server that does not know the setting ``transaction_timeout``, which pg_restore 17 and newer make."""

_PLAIN = {"disable", "allow", "prefer"}
_NAMED = r"(?:table|relation|column|constraint|schema|role|extension|function|type|index|sequence|database|parameter)"


@dataclass(frozen=True)
class Tools:
    """The two programs, of one version."""

    pg_dump: Path
    pg_restore: Path
    version: str

    @property
    def major(self) -> int:
        """15 of 15.18."""
        return int(self.version.split(".")[0])


def tools_for(server_version: int, folder: Path | None = None, *, tls: bool = False) -> Tools:
    """The smallest major version that is not older than the server's, or than the tool's that wrote an archive (its
    major times 10000): an archive of a newer program needs a newer one to be read. ``tls``: the server wants encryption,
    which the embedded wheel's programs cannot do. Raises TargetError naming what to install.
    """
    wanted = server_version // 10000
    found = [tools for place in _places(folder) if (tools := _tools(place)) is not None]
    fit = [tools for tools in found if tools.major >= wanted and not (tls and _wheels(tools))]
    if fit:
        return min(fit, key=lambda tools: (tools.major, _older(tools)))
    here = ", ".join(sorted({tools.version for tools in found})) or "none"
    without = (
        "; the embedded ones have no TLS and cannot reach it" if tls and any(map(_wheels, found)) else ""
    )
    where = "LEDGER_PG_PROGRAMS" if folder else "this machine"
    raise TargetError(
        f"Postgres {wanted} needs pg_dump and pg_restore {wanted} or newer; {where} has {here}{without}: install "
        f"postgresql-client-{wanted}, or set LEDGER_PG_PROGRAMS to a folder that holds them"
    )


def servers_for(major: int, folder: Path | None = None) -> Path:
    """The folder of a whole Postgres (server and initdb) of that major version, else the next newer one."""
    places = [*([folder] if folder else []), *_places(None)]
    found = [
        (tools.major, number, place)
        for number, place in enumerate(places)
        if (place / "initdb").exists()
        and (place / "postgres").exists()
        and (tools := _tools(place)) is not None
    ]
    fit = [one for one in found if one[0] >= major]
    if not fit:
        raise TargetError(
            f"no Postgres {major} or newer is here to restore into: install postgresql-{major}, or set "
            "SCRATCH_DATABASE_URL to a server of that version"
        )
    return min(fit)[2]


def needs_tls(url: str) -> bool:
    """Does the address ask for encryption? Without ``sslmode``, ``load.connect`` asks for it beyond this machine."""
    try:
        parameters = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return False  # load.connect says it better
    host = str(parameters.get("host") or "")
    default = "prefer" if not host or host in LOOPBACK or host.startswith("/") else "require"
    return str(parameters.get("sslmode", default)) not in _PLAIN


def environment_of(connection: psycopg.Connection) -> dict[str, str]:
    """What a program needs to reach the same database as ``connection``: in its environment, never in its arguments."""
    options = {
        option.envvar.decode(): option.val.decode()
        for option in connection.pgconn.info
        if option.envvar and option.val and option.val != option.compiled
    }
    return {**bare_environment(), **options}


def run(command: Sequence[str | Path], *, environ: Mapping[str, str], what: str) -> str:
    """Run to the end and return the output. Raises TargetError with ``what`` and the program's telling line."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=dict(environ),
        umask=0o077,
    )
    if done.returncode != 0:
        raise TargetError(f"{what}: {told(done.stderr, done.returncode)}")
    return done.stdout


def told(stderr: str, code: int) -> str:
    """The first line of a program's output that tells of an error. Whatever stands in quotes and is no name is left out."""
    lines = [line for line in stderr.splitlines() if re.search(r"error:|ERROR|FATAL|PANIC", line)]
    if not lines:
        return f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return re.sub(rf'({_NAMED} )?"[^"]*"?', lambda m: m[0] if m[1] else '"..."', lines[0])[:300]


def _places(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder
        return
    on_path = shutil.which("pg_dump")
    # Debian's is a script that picks a version by itself; what it picks from lies in INSTALLED.
    if on_path and Path(on_path).resolve().name != "pg_wrapper":
        yield Path(on_path).resolve().parent
    yield from sorted(INSTALLED.glob("*/bin"))
    try:
        yield wheel_binaries()
    except PartError:
        return


def _tools(folder: Path) -> Tools | None:
    dump, restore = folder / "pg_dump", folder / "pg_restore"
    if not dump.exists() or not restore.exists():
        return None
    try:
        said = subprocess.run(
            [str(dump), "--version"], capture_output=True, text=True, check=False, env=bare_environment()
        ).stdout
    except OSError:
        return None
    version = re.search(r"\) (\d+(?:\.\d+)*)", said)
    return Tools(dump, restore, version[1]) if version else None


def _wheels(tools: Tools) -> bool:
    try:
        return tools.pg_dump.parent == wheel_binaries()
    except PartError:
        return False


def _older(tools: Tools) -> Any:
    """Of two minor versions the newer one first."""
    return [-int(part) for part in tools.version.split(".")[1:]]
