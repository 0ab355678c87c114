"""The runbook's night, carried out line by line."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from .conftest import NAME, Night

RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"


def test_every_line_of_the_runbook_s_night_does_what_it_says(night: Night) -> None:
    section = RUNBOOK.read_text().partition("## The night")[2].partition("\n## ")[0]
    block = section.partition("```bash\n")[2].partition("```")[0]
    lines = [line.partition("#")[0].strip() for line in block.splitlines()]
    commands = [shlex.split(line.replace("NAME", NAME))[1:] for line in lines if line]
    assert len(commands) > 10
    for command in commands:
        finished = night.command(*command)
        assert finished.returncode == 0, (command, finished.stdout[-500:], finished.stderr)
        assert not re.search(r"Traceback|unexpected ", finished.stdout + finished.stderr), command
    assert night.stands() == ("returned", "none", "airtable")
