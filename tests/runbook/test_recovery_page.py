"""The recovery page, carried out like the runbook."""

from __future__ import annotations

from pathlib import Path

from .carrying import carry_out
from .page import commands_of
from .recovery import ARRANGED
from .world import ROOT, world

DOCS = ROOT / "docs"


def test_every_command_of_the_recovery_page_does_what_it_says(tmp_path: Path) -> None:
    page = DOCS / "recovery.md"
    assert len(commands_of(page)) > 20
    elsewhere = {one.line for one in commands_of(DOCS / "runbook.md")}
    with world(tmp_path) as here:
        wrong = carry_out(
            here,
            page,
            ARRANGED,
            environments={
                "Once": "production",
                "People who had themselves erased": "production",
                "When a line says": "production",
            },
            elsewhere=elsewhere,
        )
    assert not wrong, "\n\n".join(wrong)
