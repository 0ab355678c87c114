"""One night, killed again and again, each time a step further, inside the steps and between them; then the same command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger_assets.environment import Environment
from tests.switch.receiver import SECRET, receiver

from .conftest import Night, copied

FROZEN = ("frozen", "lease", "airtable")  # opens by itself: nothing was loaded
LOADED = ("loaded", "held", "airtable")
SWITCHED = ("switched", "lease", "supabase")
DONE = ("done", "none", "supabase")
POINTS = {
    "ledger_assets.cutover.begin:keep_figures": FROZEN,  # frozen, nothing else
    "ledger_assets.extract.run:scan_table:after": FROZEN,  # in the middle of the export
    "ledger_assets.backup.verify:restore_folder": FROZEN,  # the checkpoint written, not proven
    "ledger_assets.freeze:hold:after": FROZEN,  # the load, before its commit
    "ledger_assets.lane:load_latest:after": LOADED,  # committed, not recorded by its step
    "ledger_assets.proof.publish:publish_proof": LOADED,
    "ledger_assets.lane:access:after": LOADED,
    "ledger_assets.health.collect:collect": LOADED,
    "ledger_assets.switch:switch": LOADED,
    "ledger_assets.switch:call_hooks": SWITCHED,  # flipped, nobody told
    "ledger_assets.switch:call_hooks:after": SWITCHED,  # told, not recorded by its step
    "ledger_assets.freeze:thaw_within:after": SWITCHED,  # the last step, before its commit
    "ledger_assets.cutover.steps:keep_figures": DONE,
}
"""In the order of the night, and what is left where the process was killed there."""


@dataclass
class Chain:
    """``stood``: after each kill; ``rows``: of stories then; ``unrecorded``: freezes without an event."""

    night: Night
    stood: list[tuple[str | None, str, str]]
    rows: list[int]
    unrecorded: list[int]
    told: list[str]


@pytest.fixture(scope="module")
def chain(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with receiver() as hook, copied(prepared, tmp_path_factory.mktemp("killed") / "home") as night:
        night.environ |= {"DEPLOY_HOOK_URLS": hook.url, "DEPLOY_HOOK_SECRET": SECRET}
        hook.answers = [410]
        found = Chain(night, [], [], [], [])
        for point in POINTS:
            night.kill("night", point)
            found.stood.append(night.stands())
            found.rows.append(night.query("select count(*) from public.stories")[0][0])
            found.unrecorded.append(night.unrecorded_freezes())
        found.told = [one["source"] for one in hook.got]
        yield found


def test_wherever_it_was_killed_it_is_before_or_goes_on_and_never_a_third_state(chain: Chain) -> None:
    assert dict(zip(POINTS, chain.stood, strict=True)) == POINTS
    assert [rows > 0 for rows in chain.rows] == [stood != FROZEN for stood in POINTS.values()]
    assert chain.unrecorded == [0] * len(POINTS)


def test_nothing_was_done_twice(chain: Chain) -> None:
    night = chain.night
    states = [row[0] for row in night.query("select state from migration.cutovers order by began_at")]
    assert states == ["abandoned"] * 4 + ["done"]
    assert night.query("select count(*) from migration.loads where committed_at is not null") == [(1,)]
    assert chain.told == ["supabase"] * 2  # again, since the first was refused: it undid nothing
    assert night.content() == night.content(Environment.STAGING)


def test_what_killed_processes_left_in_scratch_is_gone(chain: Chain) -> None:
    assert list((chain.night.settings.home / "scratch").iterdir()) == []


def test_the_same_command_after_its_end_says_that_it_is_done_and_begins_no_other(chain: Chain) -> None:
    finished = chain.night.cut_over()
    assert finished.returncode == 0, finished.stderr
    assert "done: the app reads from here and people write" in finished.stdout
    deaf = chain.night.cut_over(DEPLOY_HOOK_URLS="http://127.0.0.1:9/hook", DEPLOY_HOOK_SECRET=SECRET)
    assert deaf.returncode == 1
    assert "1 deploy hooks were not told (127.0.0.1)" in deaf.stderr
    assert chain.night.stands() == DONE
    assert chain.night.query("select count(*) from migration.cutovers") == [(5,)]
