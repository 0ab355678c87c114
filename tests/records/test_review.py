"""The after-action report: the timeline against the timetable, what failed and what undid it, what is left open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from ledger_assets import events
from ledger_assets.errors import SettingsError
from ledger_assets.records.compared import Change
from ledger_assets.review.document import markdown, open_questions
from ledger_assets.review.failures import failures
from ledger_assets.review.model import Line, Review
from ledger_assets.review.recorded import lines as recorded
from ledger_assets.review.timetable import TIMETABLE, read_beginning, steps
from tests.health.hands import loaded
from tests.schema.world import World

NIGHT = datetime(2026, 12, 5, 16, 0, tzinfo=UTC)
"""02:00 of 6 December in Brisbane."""


def line(minutes: float, what: str, outcome: str = "done", facts: str = "") -> Line:
    return Line(NIGHT + timedelta(minutes=minutes), what, outcome, "ada", "run-1", facts, "events")


GOOD = [
    line(1, "freeze"), line(40, "sync"), line(110, "load"), line(150, "proof"), line(181, "switch"),
    line(300, "cutover_watch"), line(302, "thaw"), line(310, "scorecard", facts="met 10"),
]  # fmt: skip


def review(lines: list[Line], **more: object) -> Review:
    made = Review(
        "production", "db/postgres", NIGHT, NIGHT + timedelta(hours=6), "Australia/Brisbane", steps(lines, NIGHT),
        tuple(lines), failures(lines), "2026-12-05T15:00", "2026-12-05T22:00", (Change("public.stories", 3, 5),),
        {}, "2 taken",
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]  # fields of a Review


def test_a_night_as_planned_leaves_only_the_roadmaps_questions() -> None:
    found = review(GOOD)
    assert open_questions(found) == []
    text = markdown(found)
    assert text.count("- [ ] ") == 5
    assert (
        "| maintenance on (nobody can write) | 2026-12-06 02:00:00 | 2026-12-06 02:01:00 | 1 min late |"
        in text
    )
    assert "| switch of the app | 2026-12-06 05:00:00 | 2026-12-06 05:01:00 | 1 min late |" in text
    assert "| public.stories | 3 | 5 | +2 |" in text
    assert "Nothing failed and nothing was refused." in text


def test_the_timetable_is_the_roadmaps_and_moves_with_the_beginning() -> None:
    due = {one.name: one.planned for one in steps([], NIGHT)}
    hours = [(moment - NIGHT) / timedelta(hours=1) for moment in due.values() if moment is not None]
    assert hours == sorted(hours)
    assert (hours[0], hours[-1], len(hours)) == (0, 5, len(TIMETABLE))
    assert all(one.planned is None and one.late is None for one in steps(GOOD, None))


def test_a_step_was_done_when_its_last_attempt_was() -> None:
    lines = [line(20, "load"), line(30, "restore"), line(115, "load")]
    done = {one.name: one.done for one in steps(lines, NIGHT)}
    assert done["migration (load committed)"] == NIGHT + timedelta(minutes=115)
    assert done["switch of the app"] is None


def test_a_failure_is_settled_by_the_way_back_or_by_being_done_again() -> None:
    lines = [
        line(1, "sync", "failed"), line(5, "sync"), line(9, "load", "failed"), line(11, "restore"), line(12, "load"),
        line(20, "switch", "refused"), line(30, "announce", "failed"),
    ]  # fmt: skip
    found = [
        (one.line.what, one.how, None if one.after is None else one.after.what) for one in failures(lines)
    ]
    assert found == [
        ("sync", "done again", "sync"),
        ("load", "undone", "restore"),
        ("switch", "nothing to undo: it was refused before anything was touched", None),
        ("announce", "nothing yet", None),
    ]


def test_an_attempt_that_was_given_up_is_settled_by_the_next_one() -> None:
    lines = [line(1, "cutover", "failed"), line(2, "freeze"), line(20, "thaw"), line(20, "cutover")]
    assert [(one.how, one.after) for one in failures(lines)] == [("done again", lines[-1])]


def test_a_night_that_was_taken_back_by_hand_is_told_though_nothing_failed() -> None:
    lines = [line(1, "cutover"), line(9, "cutover_back"), line(20, "cutover")]
    assert [(one.line.at, one.how) for one in failures(lines)] == [(lines[0].at, "taken back by hand")]
    assert failures(lines[2:]) == ()


def test_what_is_late_missing_failed_or_undecided_is_a_question_for_the_meeting() -> None:
    lines = [one for one in GOOD if one.what not in ("proof", "scorecard")]
    lines += [
        line(200, "announce", "failed"),
        line(320, "scorecard", "failed", "met 9"),
        line(330, "health", "failed"),
    ]
    lines = [line(300, "switch") if one.what == "switch" else one for one in lines]
    found = open_questions(review(lines, findings={"conflict": 2}))
    assert [question.split(":")[0].split(" (")[0] for question in found] == [
        "announce failed at 2026-12-06 05",
        "switch of the app was 120 min late",
        "verification",
        "2 findings are open",
        "The last scorecard",
        "Health was bad at the last look that is recorded",
    ]


def test_a_cell_of_the_table_cannot_break_it() -> None:
    text = markdown(review([line(1, "freeze", facts="a | b\nc")]))
    assert "a \\| b c" in text


def test_the_records_of_a_database_are_read_in_their_order(world: World, conn: psycopg.Connection) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    events.record(
        conn, "freeze", "done", who="ada", run_id="run-7", detail={"tables": 40, "ids": list(range(9))}
    )
    loaded(world)
    world.do(
        "insert into migration.undo (snapshot_id, mode, who, shape, rows, undone_at, undone_by) "
        "values ('backup-1-full', 'lost', 'ada', 's', 12, now(), 'ada')"
    )
    found = recorded(conn, since, datetime.now(UTC) + timedelta(minutes=1))
    told = [(one.what, one.outcome) for one in found]
    assert told[:2] == [("freeze", "done"), ("load", "done")]
    assert sorted(told[2:]) == [("proof", "done"), ("restore", "done"), ("undo_restore", "done")]
    assert found[0].facts == "ids 0, 1, 2, 3, 4 and 4 more, tables 40"
    assert recorded(conn, since - timedelta(days=2), since) == []


def test_a_switch_back_is_an_undoing_and_no_step(world: World, conn: psycopg.Connection) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    events.record(conn, "switch", "done", detail={"from": "airtable", "to": "supabase"})
    events.record(conn, "cutover_watch", "failed")
    events.record(conn, "switch", "done", detail={"from": "supabase", "to": "airtable"})
    found = recorded(conn, since, datetime.now(UTC) + timedelta(minutes=1))
    done = {one.name: one.done for one in steps(found, NIGHT)}
    assert done["switch of the app"] == found[0].at
    assert [(one.how, one.after and one.after.what) for one in failures(found)] == [("undone", "switch_back")]


def test_the_beginning_has_a_zone_or_is_in_the_communitys() -> None:
    assert read_beginning({}, "Australia/Brisbane") is None
    assert read_beginning({"MIGRATION_AT": "2026-12-06T02:00"}, "Australia/Brisbane") == NIGHT
    assert read_beginning({"MIGRATION_AT": "2026-12-05T16:00Z"}, "Australia/Brisbane") == NIGHT
    with pytest.raises(SettingsError, match="MIGRATION_AT"):
        read_beginning({"MIGRATION_AT": "Sunday"}, "UTC")
