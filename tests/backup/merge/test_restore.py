"""Lost rows come back, exact is exact, and the way back is one too."""

from __future__ import annotations

import json

import psycopg
import pytest

from ledger_assets.access.run import check_access
from ledger_assets.backup.merge import EXACT, LOST, Mode, preview, undo
from ledger_assets.errors import TargetError
from tests.backup.merge.pair import Pair, objects


def test_equal_databases_have_nothing_to_restore(pair: Pair) -> None:
    assert preview(pair.scratch, pair.live, EXACT).changes == ()


def test_after_truncate_the_lost_rows_come_back_and_newer_ones_stay(pair: Pair) -> None:
    before = pair.contents()
    pair.world.do("truncate public.stories cascade")
    emptied = [n for n, rows in before.items() if rows and not pair.contents()[n]]
    assert len(emptied) > 8
    person = pair.world.storyteller("Newer")
    story = pair.world.story(person, title="Newer than the snapshot")
    newer = pair.contents()
    looked = objects(pair.live)
    done = pair.apply(LOST)
    after = pair.contents()
    for name, rows in before.items():
        assert set(rows) <= set(after[name]), name
        assert set(after[name]) == set(rows) | set(newer[name]), name
    assert pair.world.one("select count(*) from public.stories where id = %s", story) == 1
    assert objects(pair.live) == looked
    assert pair.world.one("select count(*) from private.visibility_drift") == 0
    assert done.preview.deleted == done.preview.updated == 0
    undo(pair.live, done.undo_id, who="a tester")
    assert pair.contents() == newer


def test_exact_changes_back_what_differs_and_removes_what_is_newer(pair: Pair) -> None:
    before = pair.contents(pair.scratch)
    pair.damage("update public.stories set copy = 'vandalised', updated_at = now()")
    pair.damage("update public.profiles set bio = 'vandalised'")
    pair.damage("delete from public.quote_interviews")
    pair.damage("delete from airtable.records where record_id like '%%3'")
    pair.damage("insert into public.themes (id, name) values (gen_random_uuid(), 'newer')")
    damaged = pair.contents()
    lines: list[bytes] = []
    done = pair.apply(EXACT, aside=lines.extend)
    assert pair.contents() == before
    told = [json.loads(line) for line in lines]
    assert {(t["table"], t["action"]) for t in told} == {
        ("public.stories", "replaced"),
        ("public.profiles", "replaced"),
        ("public.themes", "removed"),
    }
    assert all(t["row"]["copy"] == "vandalised" for t in told if t["table"] == "public.stories")
    undo(pair.live, done.undo_id, who="a tester")
    assert pair.contents() == damaged


def test_a_table_alone_is_restored_and_nothing_else(pair: Pair) -> None:
    pair.damage("update public.quotes set quote = 'vandalised'")
    pair.damage("update public.themes set name = 'changed too'")
    before = pair.contents()
    pair.apply(Mode.of_table("quotes"))
    after, snapshot = pair.contents(), pair.contents(pair.scratch)
    assert after["public.quotes"] == snapshot["public.quotes"]
    assert after | {"public.quotes": []} == before | {"public.quotes": []}


def test_a_table_whose_newer_rows_are_referred_to_is_refused_with_the_names(pair: Pair) -> None:
    theme = pair.world.row("themes", name="newer")
    interview = pair.world.one("select id from public.interviews limit 1")
    link = pair.world.row("interview_themes", interview_id=interview, theme_id=theme, position=2)
    before = pair.contents()
    with pytest.raises(TargetError, match=f"{link}.*public.interview_themes.*public.themes"):
        pair.apply(Mode.of_table("themes"))
    assert pair.contents() == before


def test_a_table_whose_rows_refer_to_lost_ones_is_refused(pair: Pair) -> None:
    pair.damage("delete from public.interview_themes")
    pair.damage("delete from public.themes")
    with pytest.raises(TargetError, match=r"public\.interview_themes refer to rows of public\.themes"):
        pair.apply(Mode.of_table("interview_themes"))


def test_unique_values_that_changed_hands_are_handed_back(pair: Pair) -> None:
    pair.world.row("organisations", name="Second", kind="company")
    with pair.scratch.transaction():
        pair.scratch.execute("set local migration.writer = 'on'; set local migration.mode = 'restore'")
        pair.scratch.execute(
            "insert into public.organisations (id, name, kind) values "
            "('00000000-0000-0000-0000-000000000001', 'A', 'company'), "
            "('00000000-0000-0000-0000-000000000002', 'B', 'company')"
        )
    pair.damage(
        "insert into public.organisations (id, name, kind) values "
        "('00000000-0000-0000-0000-000000000001', 'B', 'company'), "
        "('00000000-0000-0000-0000-000000000002', 'C', 'company'), "
        "('00000000-0000-0000-0000-000000000003', 'A', 'company')"
    )
    project = pair.world.row("projects", name="P", organisation_id="00000000-0000-0000-0000-000000000001")
    damaged = pair.contents()
    done = pair.apply(EXACT)
    assert pair.contents()["public.organisations"] == pair.contents(pair.scratch)["public.organisations"]
    assert pair.world.one("select count(*) from public.projects where id = %s", project) == 0
    undo(pair.live, done.undo_id, who="a tester")
    assert pair.contents() == damaged


def test_what_stands_in_a_lost_row_s_place_is_named(pair: Pair) -> None:
    pair.damage("truncate public.organisations cascade")
    other = pair.world.row("organisations", name="The Archive", kind="company")
    with pytest.raises(TargetError, match=f"{other}.*stand where rows of the snapshot belong"):
        pair.apply(LOST)


def test_sequences_never_give_an_id_of_the_snapshot_again(pair: Pair) -> None:
    pair.damage("truncate public.story_views restart identity")
    pair.apply(LOST)
    story = pair.world.one("select id from public.stories limit 1")
    pair.world.do("insert into public.story_views (story_id) values (%s)", story)
    assert pair.world.one("select count(*) from public.story_views") == 3


def test_the_audit_says_that_a_restore_happened(pair: Pair) -> None:
    pair.damage("delete from public.quote_interviews")
    done = pair.apply(LOST)
    ((table, action, rows, run),) = pair.world.all(
        "select table_name, action, rows, run from audit.log where run like 'restore%%'"
    )
    assert (table, action, rows) == ("quote_interviews", "insert", 4)
    assert run == f"restore {done.undo_id} of backup-1-full"


def test_a_lost_audit_comes_back_beside_newer_lines(pair: Pair) -> None:
    before = set(pair.contents(without=())["audit.log"])
    pair.world.do("truncate audit.log, audit.images restart identity")
    pair.apply(LOST)
    assert before <= set(pair.contents(without=())["audit.log"])
    assert pair.contents()["audit.images"] == pair.contents(pair.scratch)["audit.images"]


def test_a_judge_s_no_rolls_everything_back(pair: Pair) -> None:
    pair.damage("delete from public.quote_interviews")
    before = pair.contents(without=())
    seen: list[bool] = []

    def judge(conn: object) -> list[str]:
        seen.append(pair.live.execute("select private.is_loader()").fetchone() == (False,))
        return ["anon may read stories"]

    with pytest.raises(TargetError, match="anon may read stories"):
        pair.apply(LOST, judge=judge)
    assert seen == [True]
    assert pair.contents(without=()) == before


def test_the_access_matrix_may_be_the_judge(pair: Pair) -> None:
    pair.world.do("truncate public.stories cascade")
    asked: list[int] = []

    def judge(conn: psycopg.Connection) -> list[str]:
        report = check_access(conn)
        asked.append(report.cells)
        return report.lines

    pair.apply(LOST, judge=judge)
    assert asked[0] > 100


def test_a_keeper_that_fails_half_way_rolls_everything_back(pair: Pair) -> None:
    pair.damage("update public.stories set copy = 'vandalised'")
    before = pair.contents(without=())

    def aside(lines: object) -> None:
        next(iter(lines))  # type: ignore[call-overload]  # they are an iterator
        raise TargetError("the bucket is gone")

    with pytest.raises(TargetError, match="the bucket is gone"):
        pair.apply(EXACT, aside=aside)
    assert pair.contents(without=()) == before


def test_a_frozen_archive_can_be_restored(pair: Pair) -> None:
    pair.damage("delete from public.quote_interviews")
    pair.world.freeze()
    pair.apply(LOST)
    assert (
        pair.contents()["public.quote_interviews"] == pair.contents(pair.scratch)["public.quote_interviews"]
    )
    assert pair.world.one("select frozen from migration.maintenance") is True


def test_neither_the_freeze_nor_the_switch_is_brought_back(pair: Pair) -> None:
    """A token that came back would be used twice; database and switch go back together by the cut-over alone."""
    pair.damage(
        "update migration.maintenance set frozen = true, reason = 'moving', since = now(), token = 7, cutover = 'cut-1', "
        "lease_until = now() + interval '1 hour', held = true"
    )
    pair.damage("update migration.live set source = 'supabase', generation = 3")
    pair.damage("delete from public.quote_interviews")
    pair.apply(EXACT)
    assert pair.world.all("select token, held, cutover from migration.maintenance") == [(7, True, "cut-1")]
    assert pair.world.all("select source, generation from migration.live") == [("supabase", 3)]


def test_lost_events_come_back_and_newer_ones_stay(pair: Pair) -> None:
    told = "insert into migration.events (action, outcome, who) values (%s, 'done', 'a tester')"
    with pair.scratch.transaction():
        pair.scratch.execute(told, ("load",))
    pair.damage(told, "switch")
    pair.damage("update migration.events set event_id = default")
    damaged = pair.contents()["migration.events"]
    undo_id = pair.apply(LOST).undo_id
    assert [row.split(",")[-5] for row in pair.contents()["migration.events"]] == ["load", "switch"]
    undo(pair.live, undo_id, who="a tester")
    assert pair.contents()["migration.events"] == damaged


def test_the_record_of_accounts_is_left_alone(pair: Pair) -> None:
    made = "insert into migration.accounts (storyteller_id, user_id, state) select i, i, 'linked' from gen_random_uuid() i"
    pair.damage(made)
    with pair.scratch.transaction():
        pair.scratch.execute(made.encode())
    before = pair.world.all("select * from migration.accounts")
    pair.damage("update public.storytellers set bio = 'changed'")
    pair.apply(EXACT)
    assert pair.world.all("select * from migration.accounts") == before
