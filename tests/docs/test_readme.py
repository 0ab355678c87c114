"""The README's commands: each is carried out by the tests of the runbook or of the recovery page, or by ``.ci/run``."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.runbook.page import commands_of

ROOT = Path(__file__).resolve().parents[2]
BY_A_PERSON = {
    "make ui": "opens `ledger-assets ui`, which the runbook's test starts",
    "make bench": "ten minutes; its figures are in the README with their date",
    "python -m benchmarks": "the same",
    "bash .ci/run": "it runs the tests, this one among them",
}
"""What no test carries out, and why; each is looked at by ``make -n``, where it is a target."""


def carried_out() -> set[str]:
    """The lines that are carried out, as the pages write them."""
    pages = (ROOT / "docs" / "runbook.md", ROOT / "docs" / "recovery.md")
    return {one.line for page in pages for one in commands_of(page)}


def of_ci() -> set[str]:
    """The targets that ``.ci/run`` makes."""
    return set(re.findall(r"make --no-print-directory ([a-z-]+)", (ROOT / ".ci" / "run").read_text()))


def is_carried_out(line: str) -> bool:
    """Whether a line, or each of its targets, is; ``...`` at its end stands for more words."""
    words = line.split()
    if words[0] == "make":
        return set(words[1:]) <= of_ci()
    start = line.removesuffix("...").strip()
    return line in carried_out() or (start != line and any(one.startswith(start) for one in carried_out()))


def test_every_command_of_the_readme_is_carried_out_somewhere() -> None:
    lines = [one.line for one in commands_of(ROOT / "README.md")]
    assert len(lines) > 25
    assert [line for line in lines if line not in BY_A_PERSON and not is_carried_out(line)] == []
    assert [line for line in BY_A_PERSON if line not in lines] == []


def test_every_target_that_it_names_can_be_made() -> None:
    lines = [one.line for one in commands_of(ROOT / "README.md")]
    targets = sorted({word for line in lines if line.startswith("make ") for word in line.split()[1:]})
    made = subprocess.run(
        ["make", "--dry-run", *targets], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
