"""``ledger-assets`` as a person runs it: a process of its own, with no settings but those that are given."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ledger_assets.demo.server import LocalAirtable

COMMAND = (sys.executable, "-c", "from ledger_assets.cli import main; main()")


def settings_of(home: Path, airtable: LocalAirtable | None = None, **more: str) -> dict[str, str]:
    """The environment of a command: LEDGER_HOME, and the base unless it is the synthetic one."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home.parent),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "LEDGER_HOME": str(home),
    }
    if airtable is not None:
        environ |= {
            "AIRTABLE_ENDPOINT_URL": airtable.url,
            "AIRTABLE_API_KEY": airtable.api_key,
            "AIRTABLE_BASE_ID": airtable.base_id,
            "AIRTABLE_REQUESTS_PER_SECOND": "100000",
        }
    return environ | more


def start(environ: Mapping[str, str], *command: str) -> subprocess.Popen[str]:
    """Start a process with these settings alone."""
    return subprocess.Popen(
        command,
        env=environ,
        cwd=environ["HOME"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """How the process ended."""
    out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def run(environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``ledger-assets`` with ``arguments``."""
    return ended(start(environ, *COMMAND, *arguments))


def done(environ: Mapping[str, str], *arguments: str) -> str:
    """What ``ledger-assets`` with ``arguments`` prints; it must succeed."""
    finished = run(environ, *arguments)
    assert finished.returncode == 0, (arguments, finished.stdout[-2000:], finished.stderr[-2000:])
    return finished.stdout
