"""What is due, who gets it, and what is refused before anybody gets anything."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from ledger_assets import events
from ledger_assets.announce import announcing, status_page
from ledger_assets.announce.settings import announce_folder
from ledger_assets.announce.templates import Step
from ledger_assets.backup import outbox_files
from ledger_assets.errors import SettingsError
from tests.announce.world import PEOPLE, START, World, body

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def announce(ours: World, step: Step, now: datetime) -> announcing.Announced:
    return announcing.announce(ours.production, step, now=now, environ=ours.environ)


def due(ours: World, now: datetime) -> Step | None:
    return announcing.due(ours.production, now=now, environ=ours.environ)[0]


def tick(ours: World, now: datetime) -> str | None:
    """What the schedule and its job do."""
    step = due(ours, now)
    if step is not None:
        announce(ours, step, now)
    return step


def test_each_person_gets_a_message_of_their_own_with_exact_times_and_the_webhook_one(ours: World) -> None:
    found = announce(ours, Step.WEEK_BEFORE, START - 7 * DAY)
    assert found.complete
    assert ours.got == list(PEOPLE)
    assert ours.told == ["The Empathy Ledger moves house on Sunday 6 December 2026"]
    for address, text in ours.box.got:
        assert "It begins: Sunday 6 December 2026, 2:00 am Brisbane time (UTC+10)" in body(text)
        assert "It should be over: Sunday 6 December 2026, 7:00 am Brisbane time (UTC+10)" in body(text)
        assert "+61 7 5550 0105" in body(text)
        assert "5550 0101" not in body(text), "the database administrator's own number is not for everybody"
        others = set(PEOPLE) - {address}
        assert not any(other in text for other in others)


def test_the_whole_window_by_the_clock_and_the_state_each_exactly_once(ours: World) -> None:
    """Every ten minutes from eight days before to nine days after."""
    sent: list[tuple[timedelta, str]] = []
    now = START - 8 * DAY
    while now < START + 9 * DAY:
        if now == START + 10 * MINUTE:
            state, _ = status_page.current(ours.production, environ=ours.environ)
            status_page.publish(ours.production, state.begun(now), now=now, environ=ours.environ)
        if now == START + 200 * MINUTE:
            state, _ = status_page.current(ours.production, environ=ours.environ)
            status_page.publish(ours.production, state.closed("done", now), now=now, environ=ours.environ)
        if (step := tick(ours, now)) is not None:
            sent.append((now - START, step))
        now += 10 * MINUTE
    assert sent == [
        (-7 * DAY, "week_before"),
        (-1 * DAY, "day_before"),
        (10 * MINUTE, "begun"),
        (70 * MINUTE, "hourly"),
        (130 * MINUTE, "hourly"),
        (190 * MINUTE, "hourly"),
        (200 * MINUTE, "done"),
    ]
    assert ours.got == list(PEOPLE) * 7
    assert len(ours.told) == 7


def test_a_migration_that_nobody_began_is_not_announced_as_begun(ours: World) -> None:
    assert due(ours, START + HOUR) is None
    assert "nobody has said" in announcing.due(ours.production, now=START + HOUR, environ=ours.environ)[1]


def test_a_reminder_that_was_missed_gives_way_to_the_later_one(ours: World) -> None:
    assert due(ours, START - 2 * DAY) is Step.WEEK_BEFORE
    assert due(ours, START - 10 * HOUR) is Step.DAY_BEFORE
    assert due(ours, START - 8 * DAY) is None


def test_a_new_date_is_told_to_everybody_anew(ours: World) -> None:
    announce(ours, Step.WEEK_BEFORE, START - 6 * DAY)
    ours.more = {"MIGRATION_AT": "2026-12-07T02:00+10:00"}
    assert tick(ours, START - 5 * DAY) == "week_before"
    assert ours.got == list(PEOPLE) * 2


def test_a_dead_mail_server_loses_nothing_and_is_tried_once_an_hour(ours: World) -> None:
    real = ours.environ["BACKUP_SMTP_URL"]
    ours.more = {"BACKUP_SMTP_URL": "smtp://127.0.0.1:1?from=stories@example.org"}
    found = announce(ours, Step.DAY_BEFORE, START - DAY)
    assert found.in_vain
    assert found.mailed is not None
    assert (found.mailed.sent, found.mailed.waiting) == (0, 3)
    ours.more = {"BACKUP_SMTP_URL": real}
    assert tick(ours, START - DAY + 10 * MINUTE) is None
    assert tick(ours, START - DAY + HOUR) == "day_before"
    assert tick(ours, START - DAY + 2 * HOUR) is None
    assert ours.got == list(PEOPLE)
    assert len(ours.told) == 1


def test_a_dead_webhook_is_tried_again_and_repeats_no_mail(ours: World) -> None:
    ours.hook.answers = [500]
    assert not announce(ours, Step.DAY_BEFORE, START - DAY).complete
    assert tick(ours, START - DAY + HOUR) == "day_before"
    assert ours.got == list(PEOPLE)
    assert len(ours.told) == 1


def test_begun_and_done_by_hand_open_and_close_the_window_and_its_page(ours: World) -> None:
    announce(ours, Step.BEGUN, START)
    opened, _ = status_page.current(ours.production, environ=ours.environ)
    assert (opened.phase, opened.reading, opened.writing) == ("open", True, False)
    assert "We are moving house" in (ours.public / "index.html").read_text()
    assert due(ours, START + 61 * MINUTE) is Step.HOURLY
    announce(ours, Step.DONE, START + 3 * HOUR)
    closed, _ = status_page.current(ours.production, environ=ours.environ)
    assert (closed.phase, closed.writing) == ("done", True)
    assert "We have moved" in (ours.public / "index.html").read_text()
    assert "Tell us" in body(ours.box.got[-1][1])
    with pytest.raises(SettingsError, match="no migration is under way"):
        announce(ours, Step.HOURLY, START + 4 * HOUR)


def test_rolled_back_is_told_as_such(ours: World) -> None:
    announce(ours, Step.BEGUN, START)
    announce(ours, Step.ROLLED_BACK, START + HOUR)
    assert ours.subjects[-1] == "The Empathy Ledger stays where it was for now"
    assert due(ours, START + 2 * HOUR) is None


def test_the_hourly_word_says_how_far_it_is(ours: World) -> None:
    state, _ = status_page.current(ours.production, environ=ours.environ)
    state = state.begun(START).step("freeze", "done", START).step("sync", "running", START)
    status_page.publish(ours.production, state, now=START, environ=ours.environ)
    announce(ours, Step.HOURLY, START + HOUR)
    told = body(ours.box.got[0][1])
    assert "1 of 10 steps are done. Now: The last changes are brought over." in told
    assert "You can read as always; writing is paused." in told


def test_a_step_that_the_community_does_not_want_is_not_announced(ours: World) -> None:
    (ours.folder / "words").mkdir()
    (ours.folder / "words" / "begun.txt").write_text("")
    ours.more = {"ANNOUNCE_TEMPLATES": str(ours.folder / "words")}
    found = announce(ours, Step.BEGUN, START)
    assert (found.mailed, found.webhook, found.complete) == (None, None, True)
    assert due(ours, START + MINUTE) is None
    assert (ours.got, ours.told) == ([], [])


def test_nothing_leaves_from_staging(ours: World) -> None:
    with pytest.raises(SettingsError, match="never sent from staging"):
        announcing.announce(ours.staging, Step.BEGUN, now=START, environ=ours.environ)
    plan = announcing.prepare(ours.staging, Step.BEGUN, now=START, environ=ours.environ)
    assert len(plan.recipients) == 3
    assert (ours.got, ours.told, ours.public.exists()) == ([], [], False)


@pytest.mark.parametrize(
    ("step", "apart", "words"),
    [
        (Step.WEEK_BEFORE, 0 * HOUR, "week_before: MIGRATION_AT has passed"),
        (Step.DAY_BEFORE, 0 * HOUR, "day_before: MIGRATION_AT has passed"),
        (Step.DAY_BEFORE, -37 * HOUR, "day_before: it is more than a day until MIGRATION_AT"),
        (Step.BEGUN, -2 * HOUR, "begun: the window of MIGRATION_AT begins Sunday 6 December 2026, 2:00 am"),
        (Step.DONE, -1 * DAY, "done: the window"),
        (Step.HOURLY, 1 * HOUR, "hourly: no migration is under way: announce begun first"),
        (Step.ROLLED_BACK, -1 * DAY, "rolled_back: the window"),
    ],
)
def test_what_would_be_untrue_now_is_refused(ours: World, step: Step, apart: timedelta, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        announce(ours, step, START + apart)
    assert words in str(caught.value)
    assert (ours.got, ours.told) == ([], [])


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "no window": ({"MIGRATION_AT": ""}, "MIGRATION_AT is not set"),
    "no file": ({"ANNOUNCE_RECIPIENTS": ""}, "ANNOUNCE_RECIPIENTS is not set"),
    "no server": ({"BACKUP_SMTP_URL": ""}, "BACKUP_SMTP_URL is not set"),
    "no sender": ({"BACKUP_SMTP_URL": "smtp://user:T0KEN@127.0.0.1:1"}, "BACKUP_SMTP_URL names no sender"),
    "no templates": ({"ANNOUNCE_TEMPLATES": "/missing"}, "ANNOUNCE_TEMPLATES: the folder"),
    "no contacts": ({"LEDGER_CONTACTS": "/missing"}, "LEDGER_CONTACTS: the file"),
    "a webhook in clear": (
        {"BACKUP_WEBHOOK_URL": "http://example.org/T0KEN"},
        "BACKUP_WEBHOOK_URL must be https",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting_is_one_line_and_nobody_is_told_anything(ours: World, case: str) -> None:
    ours.more, words = WRONG[case]
    with pytest.raises(SettingsError) as caught:
        announce(ours, Step.BEGUN, START)
    assert words in str(caught.value)
    assert "T0KEN" not in str(caught.value)
    assert (ours.got, ours.told, ours.public.exists()) == ([], [], False)


def test_one_wrong_line_among_the_recipients_and_nobody_gets_anything(ours: World) -> None:
    ours.people(*PEOPLE, "kim at example.org")
    with pytest.raises(SettingsError, match="line 4; nothing was sent"):
        announce(ours, Step.BEGUN, START)
    assert (ours.got, ours.told) == ([], [])


def test_the_record_holds_the_step_and_counts_and_nobody(ours: World, conn: psycopg.Connection) -> None:
    ours.box.refuses = {PEOPLE[1]}
    found = announce(ours, Step.BEGUN, START)
    announcing.record(conn, found, run_id="run-1")
    (event,) = events.read(conn, actions=["announce"])
    assert (event.outcome, event.run_id) == ("failed", "run-1")
    assert event.detail == {
        "step": "begun",
        "window": "20261205T1600Z",
        "people": {"recipients": 3, "sent": 2, "before": 0, "refused": 0, "waiting": 1},
        "webhook": {"recipients": 1, "sent": 1, "before": 0, "refused": 0, "waiting": 0},
    }


def test_while_another_process_sends_it_nothing_is_sent_and_nothing_is_called_a_failure(ours: World) -> None:
    window = status_page.current(ours.production, environ=ours.environ)[1]
    folder = announce_folder(ours.production) / window.key
    outbox_files.private(folder)
    with outbox_files.locked(folder / "begun.lock"):
        found = announce(ours, Step.BEGUN, START)
    assert (found.in_vain, found.complete, found.outcome) == (False, False, "refused")
    assert ours.got == []
    assert announce(ours, Step.BEGUN, START).outcome == "done"


def test_no_log_line_and_no_kept_file_shows_an_address(ours: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ours.box.refuses = {PEOPLE[1]}
    announce(ours, Step.BEGUN, START)
    kept: list[Any] = [path.read_bytes() for path in (ours.folder / "home").rglob("*") if path.is_file()]
    everything = caplog.text.encode() + b"".join(kept)
    for person in (*PEOPLE, "neil@example"):
        assert person.encode() not in everything
