"""The runbook, carried out: every command of it, in its order, against real servers; it prints what the page says."""

from __future__ import annotations

from pathlib import Path

from .carrying import carry_out
from .page import commands_of
from .runbook import ARRANGED
from .world import ROOT, world

PAGE = ROOT / "docs" / "runbook.md"


def test_every_command_of_the_runbook_does_what_it_says(tmp_path: Path) -> None:
    assert len(commands_of(PAGE)) > 90
    with world(tmp_path) as here:
        wrong = carry_out(here, PAGE, ARRANGED, environments={"Is everything well?": "production"})
    assert not wrong, "\n\n".join(wrong)
