"""A process that takes snapshots until it is killed, for tests of what is left then.

``python -m tests.backup.faults.victim`` reads a line of JSON: where; then a line for each snapshot: how it ends. It forks
for each, because starting Python anew takes a second, and answers with a line: the code, and what the child said.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ledger_assets.backup.identity import Identity
from ledger_assets.backup.place import Place
from ledger_assets.backup.settings import BackupSettings, BucketSettings
from ledger_assets.backup.vault import open_vault
from ledger_assets.environment import Environment, read_settings
from ledger_assets.errors import LedgerError
from ledger_assets.storage import open_store
from tests.backup.faults.places import Watched, taken


class Victim:
    """The other end: starts it and tells it what to do."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def begin(self, **how: object) -> None:
        """Take one. ``puts``: killed when it wants to write after so many; ``deletes`` the same; ``limit``: the largest
        file that the disk takes."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(how) + "\n")
        self._process.stdin.flush()

    def end(self) -> tuple[int, str]:
        """Exit code (negative: the signal) and what was said: the id, or the error's line."""
        assert self._process.stdout is not None
        code, said = json.loads(self._process.stdout.readline())
        return code, said

    def take(self, **how: object) -> tuple[int, str]:
        """Both."""
        self.begin(**how)
        return self.end()


@contextmanager
def victim(place: Place, url: str, files: str) -> Iterator[Victim]:
    """One that works at ``place``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.backup.faults.victim"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdin is not None
    where = {
        "home": str(place.backup.home),
        "bucket": asdict(place.backup.bucket),
        "secret": str(place.identity.age),
        "url": url,
        "files": files,
    }
    process.stdin.write(json.dumps(where) + "\n")
    process.stdin.flush()
    with process:
        try:
            yield Victim(process)
        finally:
            process.stdin.close()


def main() -> None:
    """The victim's own side."""
    where = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            code, said = _take(where, json.loads(line))
            os.write(writer, said.encode())
            os._exit(code)
        os.close(writer)
        with os.fdopen(reader) as told:
            said = told.read()
        print(json.dumps((os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said)), flush=True)


def _take(where: dict[str, Any], how: dict[str, int]) -> tuple[int, str]:
    if "limit" in how:
        resource.setrlimit(resource.RLIMIT_FSIZE, (how["limit"], how["limit"]))
    home = Path(where["home"])
    backup = BackupSettings(Environment.STAGING, home, BucketSettings(**where["bucket"]), "not needed here")
    left = {"put": how.get("puts"), "delete": how.get("deletes")}

    def before(what: str, _key: str) -> None:
        count = left[what]
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[what] = None if count is None else count - 1

    place = Place(
        read_settings(Environment.STAGING, {"LEDGER_HOME": str(home)}),
        replace(backup),
        Watched(open_vault(backup), before),
        Identity(where["secret"]),
    )
    try:
        return 0, taken(place, open_store(where["files"]), where["url"]).id
    except LedgerError as error:
        return 2, str(error)
    except OSError as error:
        return 1, repr(error)


if __name__ == "__main__":
    main()
