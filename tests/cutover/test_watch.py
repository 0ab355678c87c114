"""The watch between switch and thaw: it holds, it is killed, it turns red and everything goes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ledger_assets import connections, cutovers, switch
from ledger_assets.errors import CheckFailed, SettingsError, TargetError
from tests.switch.receiver import SECRET, Receiver, receiver

from .conftest import NAME, Made, Night, copied
from .outside import Passing, active, linked, make_accounts, page, sign_up
from .played import a_night, play

DONE = ("done", "none", "supabase")
WORDS = "Written meanwhile"


def go_back(night: Night, run_id: str) -> list[str]:
    """The way back, once more; what is left of it."""
    found = cutovers.to_go_back(night.settings, None)
    assert found is not None
    done = cutovers.go_back(
        night.settings, connections.object_store(night.settings), found.id, who="a tester", run_id=run_id,
        why="asked for", emergency=False, lives=lambda _: False,
    )  # fmt: skip
    return list(done.told.trouble)


def test_killed_during_the_watch_the_same_again_watches_to_its_end_and_opens_writing(
    after_switch: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = after_switch
    monkeypatch.setenv("STATUS_PAGE_URL", (tmp_path / "page").as_uri())
    night.kill("night", "ledger_assets.health.watch:WallClock.wait", WATCH_MINUTES="120")
    assert night.stands() == ("switched", "lease", "supabase")
    seen = []
    play(a_night(night.settings), watch_minutes=3, clock=Passing(lambda: seen.append(night.stands())))
    assert seen == [("switched", "lease", "supabase")] * 3
    assert night.stands() == DONE
    assert night.query(
        "select facts ->> 'minutes', outcome from migration.cutover_steps where step = 'watch'"
    ) == [("3.0", "done")]
    now = page(tmp_path / "page")
    assert (now["phase"], now["writing"], now["headline"]) == ("done", True, "We have moved")
    assert {one["state"] for one in now["steps"]} == {"done"}


@dataclass
class Went:
    """A night whose watch turned red. ``page``: as it was in the middle of the watch."""

    night: Night
    before: dict[str, list[str]]
    folder: Path
    hook: Receiver
    own: str
    made: int
    said: str = ""
    page: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def went(switched: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Went]:
    """The hook answers 503 once, takes the switch, and does not know its address when the way back is told."""
    folder = tmp_path_factory.mktemp("went")
    with (
        pytest.MonkeyPatch.context() as patch,
        receiver() as hook,
        copied(switched.home, folder / "home") as night,
    ):
        patch.setenv("DEPLOY_HOOK_URLS", hook.url)
        patch.setenv("DEPLOY_HOOK_SECRET", SECRET)
        patch.setenv("STATUS_PAGE_URL", (folder / "page").as_uri())
        hook.answers = [503, 200, 410]
        found = Went(
            night, switched.before, folder / "page", hook, sign_up(night), make_accounts(night, "run-made")
        )

        def turn_red() -> None:
            found.page = page(found.folder)
            patch.setenv("LEDGER_DATABASE_GB", "0.000001")

        with pytest.raises(CheckFailed) as failed:
            play(a_night(night.settings), watch_minutes=120, clock=Passing(turn_red))
        found.said = str(failed.value)
        patch.delenv("LEDGER_DATABASE_GB")
        yield found


def test_a_watch_that_turns_red_goes_back_whole_and_says_so(went: Went) -> None:
    assert "watch: after the switch the database was not well: database_size" in went.said
    assert "The cut-over went back: checkpoint" in went.said
    assert "the app reads from Airtable, writing is open again" in went.said
    assert went.night.stands() == ("returned", "none", "airtable")
    assert went.night.content() == went.before
    assert went.night.query("select outcome from migration.cutover_steps where step = 'watch'") == [
        ("failed",)
    ]


def test_its_page_showed_each_step_and_table_and_ends_with_the_return(went: Went) -> None:
    during = {one["name"]: one for one in went.page["steps"]}
    assert (went.page["phase"], went.page["reading"], went.page["writing"]) == ("open", True, False)
    assert {name: one["state"] for name, one in during.items()} == {
        **dict.fromkeys(
            ("freeze", "sync", "checkpoint", "load", "proof", "access", "health", "switch"), "done"
        ),
        "watch": "running",
        "unfreeze": "planned",
    }
    assert during["watch"]["words"] == "We watch over it"
    tables = {one["name"]: (one["done"], one["total"]) for one in went.page["tables"]}
    assert {"stories", "storytellers"} <= set(tables)
    assert all(done == total for done, total in tables.values())
    now = page(went.folder)
    assert (now["phase"], now["writing"], now["headline"]) == (
        "rolled_back", True, "We stay where we were for now",
    )  # fmt: skip


def test_accounts_that_were_made_meanwhile_are_disabled_and_nobody_else_s(went: Went) -> None:
    assert went.made == 2
    assert active(went.night) == [went.own]
    assert linked(went.night) == 0
    assert went.night.query("select distinct state from migration.accounts") == [("disabled",)]


def test_a_hook_that_fails_is_tried_again_and_one_that_is_not_told_of_the_return_is_named_until_it_is(
    went: Went,
) -> None:
    night, hook = went.night, went.hook
    assert [(one["source"], one["verified"]) for one in hook.got] == [
        ("supabase", True), ("supabase", True), ("airtable", True),
    ]  # fmt: skip
    assert (
        "deploy hook 127.0.0.1 was not told (answered 410): ledger-assets switch production --to airtable "
        f"--confirm {NAME}"
    ) in went.said
    tries = night.query(
        "select outcome, detail ->> 'to', detail ->> 'trouble' from migration.events where action = 'switch_hook' "
        "order by event_id"
    )
    assert tries == [
        ("failed", "supabase", "answered 503"), ("done", "supabase", ""), ("failed", "airtable", "answered 410"),
    ]  # fmt: skip
    told = (
        "select outcome, jsonb_array_length(detail -> 'left') from migration.events "
        "where action = 'cutover_back_told' order by 1"
    )
    assert night.query(told) == [("failed", 1)]
    assert go_back(night, "run-again") == []
    assert hook.got[-1]["source"] == "airtable"
    assert night.query(told) == [("done", 0), ("failed", 1)]
    assert cutovers.to_go_back(night.settings, None) is None
    with pytest.raises(SettingsError, match="taken back already"):
        cutovers.go_back(
            night.settings, connections.object_store(night.settings),
            night.query("select cutover_id from migration.cutovers")[0][0],
            who="a tester", run_id="run-once-more", why="asked for", emergency=False, lives=lambda _: False,
        )  # fmt: skip


def test_a_red_watch_whose_freeze_was_lost_takes_nobody_s_words_back_and_says_that_writing_is_open(
    after_switch: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a machine that slept: people may have written, so that only a person can say which way."""
    night = after_switch

    def lost() -> None:
        night.do("update migration.maintenance set frozen = false, lease_until = null, cutover = null")
        night.query(
            "insert into public.themes (id, name) values (gen_random_uuid(), %s) on conflict do nothing returning id",
            WORDS,
        )
        monkeypatch.setenv("LEDGER_DATABASE_GB", "0.000001")

    with pytest.raises(
        TargetError, match=r"writing is open, the app reads from supabase; run: .* --back --confirm"
    ):
        play(a_night(night.settings), watch_minutes=3, clock=Passing(lost))
    assert night.stands() == ("switched", "none", "supabase")
    with connections.database(night.settings, purpose="test") as connection:
        switch.switch(connection, "airtable", token=None, who="a tester", run_id=None)
    assert night.stands() == ("forced", "none", "airtable")
    with pytest.raises(TargetError, match="its freeze was ended by force, and people may have written since"):
        play(a_night(night.settings))
    assert any(WORDS in row for row in night.content()["themes"])
