"""A night that ends before its load: nothing is to be taken back, and nothing that people wrote since is."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from ledger_assets import connections, cutovers
from ledger_assets.cutover import steps
from ledger_assets.environment import Environment
from ledger_assets.errors import SourceError, TargetError
from ledger_assets.sensors import build_sensors

from .conftest import Night
from .outside import page
from .played import a_night, play


def test_the_page_ends_and_the_way_back_leaves_what_people_wrote_after_the_freeze_ran_out(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATUS_PAGE_URL", (tmp_path / "page").as_uri())
    ours = a_night(night.settings)
    play(ours, until="freeze")
    assert (page(tmp_path / "page")["phase"], page(tmp_path / "page")["writing"]) == ("open", False)

    def fails() -> str:
        raise SourceError("Airtable does not answer")

    with pytest.raises(TargetError, match=r"does not answer\. Nothing was loaded; writing opens by itself"):
        steps.sync(ours, fails)
    assert (page(tmp_path / "page")["phase"], page(tmp_path / "page")["writing"]) == ("rolled_back", True)
    assert night.stands() == ("frozen", "lease", "airtable")

    night.do("update migration.maintenance set lease_until = clock_timestamp() - interval '1 second'")
    night.do("update migration.cutovers set checkpoint = 'one-of-before'")  # it may have come so far
    night.do("insert into public.themes (id, name) values (gen_random_uuid(), 'Written after the freeze')")
    assert night.stands() == ("lapsed", "ran_out", "airtable")
    assert cutovers.to_go_back(night.settings, "one-of-before") is None  # a plain restore then
    found = cutovers.to_go_back(night.settings, None)
    assert found is not None
    done = cutovers.go_back(
        night.settings, connections.object_store(night.settings), found.id, who="a tester", run_id="run-back",
        why="asked for", emergency=False, lives=lambda _: False,
    )  # fmt: skip
    assert (done.restored, done.told.trouble) == (None, ())
    assert night.stands() == ("returned", "none", "airtable")
    assert any("Written after the freeze" in row for row in night.content()["themes"])


def test_killed_and_restarted_by_nobody_the_page_follows_the_database_when_the_freeze_has_opened(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATUS_PAGE_URL", (tmp_path / "page").as_uri())
    (keeper,) = (one for one in build_sensors(Environment.PRODUCTION) if one.name == "status_page_production")

    def tick() -> str | None:
        with dg.DagsterInstance.ephemeral() as instance:
            return keeper.evaluate_tick(dg.build_sensor_context(instance=instance)).skip_message

    assert tick() == "no window is open"
    night.kill(
        "night", "ledger_assets.extract.run:scan_table:after", STATUS_PAGE_URL=(tmp_path / "page").as_uri()
    )
    assert night.stands() == ("frozen", "lease", "airtable")
    assert tick() == "written"
    shown = page(tmp_path / "page")
    assert (shown["phase"], shown["writing"], shown["steps"][1]["state"]) == ("open", False, "running")

    night.do("update migration.maintenance set lease_until = clock_timestamp() - interval '1 second'")
    assert tick() == "written"
    shown = page(tmp_path / "page")
    assert (shown["phase"], shown["writing"], shown["steps"][1]["state"]) == ("open", True, "failed")
    assert shown["headline"] == "The move is held up"
