"""Processes that die, and what nobody may ever read. After the next run everything is as if undisturbed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from ledger_assets import reports
from ledger_assets.errors import LedgerError
from ledger_assets.runs import report_lost_runs

from .conftest import Lane, facts

KILL_AT = """
import os, signal, sys
from ledger_assets import progress
stage, count = sys.argv[1], int(sys.argv[2])
seen = 0

def kill(at, label, done, total):
    global seen
    seen += at == stage
    if seen == count:
        os.kill(os.getpid(), signal.SIGKILL)

progress._listeners.append(kill)
sys.argv = ["ledger-assets", "migrate", "staging"]
from ledger_assets.cli import main
main()
"""


def migrate_and_die(stage: str, count: int) -> int:
    """A migration in a process of its own that kills itself at the ``count``-th sign of life of ``stage``."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", KILL_AT, stage, str(count)], env=environ, check=False, capture_output=True
    ).returncode


@pytest.mark.parametrize(
    ("stage", "count"), [("export", 3), ("attachments", 20), ("ledger", 6), ("load", 2), ("load", 9)]
)
def test_a_killed_migration_leaves_nothing_half_and_the_next_one_is_as_if_undisturbed(
    lane: Lane, stage: str, count: int
) -> None:
    assert migrate_and_die(stage, count) == -9
    assert lane.query("select count(*) from public.stories")[0][0] == 0
    assert lane.query("select count(*) from airtable.records")[0][0] == 0
    lost = report_lost_runs(lane.instance)
    assert [lane.instance.get_run_by_id(i).status for i in lost] == [dg.DagsterRunStatus.FAILURE]  # type: ignore[union-attr]  # they are known

    run = lane.run("migrate")
    assert run.is_success, facts(run, lane)
    assert reports.read(lane.store, run.run_id, "proof")["passed"] is True
    started = lane.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    assert started == []


def test_a_run_that_lives_is_never_reported_as_lost(lane: Lane) -> None:
    from ledger_assets import progress

    seen: list[list[str]] = []

    def look(stage: str, label: str, done: int, total: int | None) -> None:
        seen.append(report_lost_runs(lane.instance))

    with progress.listen(look):
        run = lane.run("export")
    assert run.is_success
    assert seen
    assert not any(seen)


def test_no_cell_and_no_secret_reaches_an_event_a_log_or_metadata(lane: Lane, environ: Path) -> None:
    """Every text cell of the base is a sentinel; so are the token and the database's password."""
    assert lane.run("dry_run").is_success
    run = lane.run("migrate")
    assert run.is_success, facts(run, lane)
    lane.execute("alter table public.stories add constraint refuse_all check (title is null) not valid")
    changed = lane.query("select airtable_record_id from public.stories where title is not null limit 1")[0][
        0
    ]
    rename_story(lane, changed, "a sentinel title that nobody may read 7f3a")
    failed = lane.run("migrate")
    assert not failed.is_success
    written = json.dumps(
        [[str(event) for event in lane.instance.all_logs(r.run_id)] for r in lane.instance.get_runs()]
    )
    written += "".join(path.read_text(errors="replace") for path in (environ / "logs").glob("*"))
    written += "".join(
        lane.store.get(entry.key).decode(errors="replace") for entry in lane.store.list(reports.FOLDER)
    )
    for secret in secrets(lane):
        assert secret not in written


def rename_story(lane: Lane, record_id: str, title: str) -> None:
    """Change a story's title in Airtable, with Airtable's own client."""
    from pyairtable import Api

    api = Api(lane.airtable.api_key, endpoint_url=lane.airtable.url)
    api.table(lane.airtable.base_id, "Stories").update(record_id, {"Title": title})


def secrets(lane: Lane) -> list[str]:
    """What must not be read: the token, the passwords, and cells that are words."""
    cells = [
        row[0]
        for table, column in (
            ("stories", "title"),
            ("storytellers", "name"),
            ("storyteller_contacts", "email"),
            ("storyteller_contacts", "phone"),
            ("quotes", "quote"),
            ("media_assets", "file_name"),
        )
        for row in lane.query(f"select {column} from public.{table} where length({column}) > 5")
    ]
    passwords = [path.read_text().strip() for path in (lane.settings.home / "postgres").glob("*password*")]
    assert len(cells) > 100
    assert passwords
    return [*cells, *passwords, lane.airtable.api_key, "sentinel title"]


def test_an_unexpected_fault_tells_its_kind_and_place_and_not_its_text(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a sentinel of somebody's words")

    monkeypatch.setattr("ledger_assets.ledger.build.build_ledger", fail)
    run = lane.run("migrate")
    events = str([str(event) for event in lane.instance.all_logs(run.run_id)])
    assert not run.is_success
    assert "unexpected ValueError at" in events
    assert "sentinel" not in events


def test_our_own_errors_are_one_line(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LedgerError("the table is on fire: put it out")

    monkeypatch.setattr("ledger_assets.ledger.build.build_ledger", fail)
    assert facts(lane.run("migrate"), lane) == '[["the table is on fire: put it out", 2]]'
