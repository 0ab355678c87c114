"""A remedy names the environment that the command was given, or the run belongs to."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from ledger_assets.assets.faults import one_line_failures
from ledger_assets.environment import Environment
from ledger_assets.errors import TargetError, named
from tests.cli.test_messages import command


def test_env_in_a_command_is_the_environment_and_elsewhere_it_stays() -> None:
    text = "it lacks our schema (set ENV_X): run: ledger-assets schema apply ENV; ledger-assets maintenance ENV off. ENV"
    assert named(text, "staging") == (
        "it lacks our schema (set ENV_X): run: ledger-assets schema apply staging; "
        "ledger-assets maintenance staging off. ENV"
    )
    assert named(text, None) == text


def test_a_failed_step_names_it() -> None:
    with pytest.raises(dg.Failure) as caught, one_line_failures(Environment.PRODUCTION):
        raise TargetError("it lacks our schema; run: ledger-assets schema apply ENV")
    assert caught.value.description == "it lacks our schema; run: ledger-assets schema apply production"


def test_a_command_names_it(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    finished = command(tmp_path, "inventory", "production", "--compare", "x.json")
    assert finished.returncode == 2
    assert "write one with: ledger-assets inventory production --json" in finished.stderr
