"""The status page: what it says, where it may lie, and that it stops nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_assets import events
from ledger_assets.announce import state as states
from ledger_assets.announce import status_page
from ledger_assets.announce.settings import page_place
from ledger_assets.announce.state import STEPS, State, StepState, TableProgress
from ledger_assets.announce.window import read_window
from ledger_assets.errors import SettingsError
from tests.announce.world import START, World
from tests.backup import s3

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def server() -> Iterator[s3.Server]:
    with s3.moto() as made:
        yield made


def publish(ours: World, state: State, now: datetime = START, **more: object) -> status_page.Published:
    return status_page.publish(ours.production, state, now=now, environ=ours.environ, **more)  # type: ignore[arg-type]


def begun(ours: World) -> State:
    planned = states.planned(read_window(ours.environ)).begun(START)
    return planned.step("freeze", "done", START + MINUTE).step("sync", "running", START + MINUTE)


def text_of(path: Path) -> str:
    """What a person reads, white space made one."""

    class Reader(HTMLParser):
        words = ""
        hidden = False

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.hidden = tag in {"style", "title"}

        def handle_data(self, data: str) -> None:
            self.words += "" if self.hidden else f" {data}"

    reader = Reader()
    reader.feed(path.read_text())
    return " ".join(reader.words.split())


def test_the_page_says_what_is_happening_in_plain_words(ours: World) -> None:
    tables = [TableProgress("storytellers", 212, 212), TableProgress("story_themes", 7, 31)]
    assert publish(ours, begun(ours).with_tables(tables), START + 30 * MINUTE).done
    said = text_of(ours.public / "index.html")
    for words in (
        "We are moving house",
        "Reading works Writing and changing is paused",
        "Planned from Sunday 6 December 2026, 2:00 am Brisbane time (UTC+10)",
        "1 of 10 steps are done. Now: The last changes are brought over.",
        "Writing is paused; reading goes on done at 2:01 am",
        "The platform begins to use its new home about 5:00 am",
        "Storytellers 212 of 212",
        "Story themes 7 of 31",
        "Kim Example , Community Manager +61 7 5550 0104",
        "Written Sunday 6 December 2026, 2:30 am Brisbane time (UTC+10).",
    ):
        assert words in said, said
    assert "0101" not in said


def test_the_json_beside_it_says_the_same(ours: World) -> None:
    publish(ours, begun(ours).with_tables([TableProgress("stories", 3)]))
    found = json.loads((ours.public / "status.json").read_text())
    assert (found["phase"], found["reading"], found["writing"]) == ("open", True, False)
    assert [one["name"] for one in found["steps"]] == list(STEPS)
    assert found["steps"][1] == {
        "name": "sync",
        "words": "The last changes are brought over",
        "state": "running",
        "planned_at": "2026-12-06T02:05:00+10:00",
        "begun_at": "2026-12-05T16:01:00+00:00",
        "ended_at": None,
    }
    assert found["tables"] == [{"name": "stories", "done": 3, "total": None}]
    assert {one["role"] for one in found["contacts"]} == {
        "Product Manager",
        "Community Manager",
        "Support Lead",
    }


def test_the_page_needs_nothing_else(ours: World) -> None:
    publish(ours, begun(ours))
    page = (ours.public / "index.html").read_text()
    assert '<html lang="en">' in page
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#|tel:|mailto:|data:,")', page)
    assert not re.search(r"url\(|@import", page)


def test_a_web_server_of_another_account_can_read_it(ours: World) -> None:
    publish(ours, begun(ours))
    assert {path.name: path.stat().st_mode & 0o777 for path in ours.public.iterdir()} == {
        "index.html": 0o644,
        "status.json": 0o644,
    }
    assert ours.public.stat().st_mode & 0o777 == 0o755


def headline(ours: World, state: State, now: datetime) -> str:
    publish(ours, state, now)
    return text_of(ours.public / "index.html")


def test_each_state_of_the_window_has_its_words(ours: World) -> None:
    state = begun(ours)
    assert "We move house on Sunday 6 December 2026" in headline(ours, State(), START - 60 * MINUTE)
    assert "It takes longer than planned." in headline(ours, state, START + 301 * MINUTE)
    assert "The move is held up" in headline(ours, state.step("sync", "failed", START), START)
    held_up = headline(ours, replace(state.step("sync", "failed", START), writing=True), START)
    assert "Writing is paused; reading goes on over The last changes are brought over did not work" in held_up
    assert "A copy of everything is kept, and tried waits" in held_up, "no time that nobody will keep"
    assert "We have moved" in headline(ours, state.closed("done", START), START)
    assert "We stay where we were for now" in headline(ours, state.closed("rolled_back", START), START)
    assert "Reading and writing are paused." in headline(ours, replace(state, reading=False), START)


def test_a_page_that_nobody_writes_any_more_says_of_when_it_is_and_that_it_may_have_changed(
    ours: World,
) -> None:
    publish(ours, begun(ours), START + 14 * MINUTE)
    said = text_of(ours.public / "index.html")
    assert "At 2:14 am Reading works Writing and changing is paused" in said
    assert "If that time is long past, it may have changed since" in said
    publish(ours, begun(ours).closed("done", START), START)
    assert "Right now Reading works Writing and changing works" in text_of(ours.public / "index.html")


def test_a_name_is_never_read_as_html(ours: World) -> None:
    publish(ours, begun(ours).with_tables([TableProgress("<script>alert(1)</script>", 1, 1)]))
    assert "<script" not in (ours.public / "index.html").read_text().lower()


def test_it_is_published_to_a_bucket_with_its_type_and_without_our_encryption(
    ours: World, server: s3.Server
) -> None:
    bucket = s3.bucket_name(server.bucket())
    ours.more = at(server, f"s3://{bucket}/status") | {"BACKUP_KMS_KEY": "alias/ours"}
    assert publish(ours, begun(ours)) == status_page.Published(True)
    client = server.client()
    page = client.get_object(Bucket=bucket, Key="status/index.html")
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert page["CacheControl"] == "max-age=60"
    assert page.get("SSEKMSKeyId") is None
    assert b"We are moving house" in page["Body"].read()
    assert client.get_object(Bucket=bucket, Key="status/status.json")["ContentType"].startswith(
        "application/json"
    )


def at(server: s3.Server, url: str) -> dict[str, str]:
    return {
        "STATUS_PAGE_URL": url,
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_REGION": s3.REGION,
        "AWS_ACCESS_KEY_ID": s3.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": s3.SECRET_KEY,
    }


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"STATUS_PAGE_URL": "s3://ours/status", "BACKUP_BUCKET": "ours"},
            "this is the bucket of BACKUP_BUCKET",
        ),
        (
            {"STATUS_PAGE_URL": "s3://ours/x", "BACKUP_BUCKET": "s3://ours/y"},
            "this is the bucket of BACKUP_BUCKET",
        ),
        (
            {
                "STATUS_PAGE_URL": "s3://ours/x",
                "OBJECT_STORE_URL": "s3://ours/y",
                "BACKUP_ENCRYPTION_PASSWORD": "x" * 12,
            },
            "this is the bucket of OBJECT_STORE_URL",
        ),
        ({"STATUS_PAGE_URL": "file://{home}/public"}, "LEDGER_HOME lie in one another"),
        ({"STATUS_PAGE_URL": "file://{folder}"}, "LEDGER_HOME lie in one another"),
        (
            {"STATUS_PAGE_URL": "file://{folder}/b/page", "BACKUP_BUCKET": "file://{folder}/b"},
            "BACKUP_BUCKET lie",
        ),
        (
            {"STATUS_PAGE_URL": "file://{folder}/o", "OBJECT_STORE_URL": "file://{folder}/o"},
            "OBJECT_STORE_URL lie",
        ),
        ({"STATUS_PAGE_URL": "https://example.org"}, "write it as s3://bucket/folder"),
        ({"STATUS_PAGE_URL": "status"}, "write it as s3://bucket/folder"),
    ],
)
def test_where_peoples_words_lie_no_page_is_published(ours: World, more: dict[str, str], words: str) -> None:
    places = {"{home}": str(ours.folder / "home"), "{folder}": str(ours.folder)}
    for name, value in more.items():
        for placeholder, path in places.items():
            value = value.replace(placeholder, path)
        ours.more[name] = value
    ours.more |= {"AWS_REGION": s3.REGION}
    with pytest.raises(SettingsError) as caught:
        page_place(ours.production, ours.environ)
    assert words in str(caught.value)
    found = publish(ours, begun(ours))
    assert not found.done
    assert words in (found.trouble or "")


def test_a_page_that_cannot_be_written_is_told_once_and_recorded_and_tried_again(
    ours: World, conn: psycopg.Connection
) -> None:
    ours.public.write_text("a file where the folder should be")
    for minutes in (0, 1, 2):
        found = publish(ours, begun(ours), START + minutes * MINUTE, connection=conn, run_id="run-1")
        assert not found.done
    assert ours.told == ["Ledger production: the status page could NOT be published"]
    assert [(one.outcome, one.run_id) for one in events.read(conn, actions=["status_page"])] == [
        ("failed", "run-1")
    ] * 3
    ours.public.unlink()
    assert publish(ours, begun(ours)).done
    ours.public.joinpath("index.html").unlink()
    ours.public.joinpath("index.html").mkdir()
    assert not publish(ours, begun(ours)).done
    assert len(ours.told) == 2, "it worked in between: so it is news again"


def test_a_dead_bucket_is_no_error_of_the_migration(ours: World) -> None:
    ours.more = {
        "STATUS_PAGE_URL": "s3://nowhere/status",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_REGION": s3.REGION,
        "AWS_ACCESS_KEY_ID": s3.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": s3.SECRET_KEY,
    }
    found = publish(ours, begun(ours))
    assert not found.done
    assert "STATUS_PAGE_URL: status.json cannot be written" in (found.trouble or "")
    assert s3.SECRET_KEY not in (found.trouble or "")


@pytest.mark.parametrize(
    "more",
    [
        {"MIGRATION_AT": "nonsense"},
        {"LEDGER_TIMEZONE": "Mars"},
        {"LEDGER_HOME": "/proc/nowhere"},
        {"BACKUP_SMTP_URL": "nonsense"},
    ],
)
def test_nothing_that_is_wrong_with_the_settings_raises(ours: World, more: dict[str, str]) -> None:
    state = begun(ours)
    ours.more = more
    publish(ours, state)


def test_a_connection_that_is_gone_raises_nothing(ours: World, conn: psycopg.Connection) -> None:
    ours.more = {"STATUS_PAGE_URL": "nonsense"}
    conn.close()
    assert not publish(ours, begun(ours), connection=conn).done


def test_a_wrong_contacts_file_leaves_the_contacts_out_and_the_page_is_there(ours: World) -> None:
    ours.more = {"LEDGER_CONTACTS": "/missing"}
    assert publish(ours, begun(ours)).done
    said = text_of(ours.public / "index.html")
    assert "We are moving house" in said
    assert "Questions?" not in said


def test_staging_publishes_nothing_and_without_an_address_the_state_is_kept_all_the_same(ours: World) -> None:
    found = status_page.publish(ours.staging, begun(ours), now=START, environ=ours.environ)
    assert found == status_page.Published(False)
    assert not ours.public.exists()
    ours.more = {"STATUS_PAGE_URL": ""}
    assert publish(ours, begun(ours)) == status_page.Published(False)
    assert status_page.current(ours.production, environ=ours.environ)[0].phase == "open"


def test_without_a_time_set_the_window_begins_with_the_migration(ours: World) -> None:
    ours.more = {"MIGRATION_AT": ""}
    with pytest.raises(SettingsError, match="MIGRATION_AT is not set"):
        status_page.current(ours.production, environ=ours.environ)
    state = State().begun(START)
    assert publish(ours, state, START + MINUTE).done
    assert status_page.current(ours.production, environ=ours.environ)[0] == state
    assert "Planned from Sunday 6 December 2026, 2:00 am" in text_of(ours.public / "index.html")


MOMENTS = st.none() | st.datetimes().map(lambda moment: moment.replace(tzinfo=START.tzinfo))
STATES = st.builds(
    State,
    phase=st.sampled_from(["planned", "open", "done", "rolled_back"]),
    steps=st.tuples(
        st.builds(
            StepState,
            name=st.sampled_from(list(STEPS)),
            state=st.sampled_from(["planned", "running", "done", "failed"]),
            planned_at=MOMENTS,
            begun_at=MOMENTS,
            ended_at=MOMENTS,
        )
    ),
    tables=st.lists(
        st.builds(TableProgress, st.text(max_size=5), st.integers(0, 9), st.none() | st.integers(0, 9))
    ).map(tuple),
    reading=st.booleans(),
    writing=st.booleans(),
    begun_at=MOMENTS,
    ended_at=MOMENTS,
)


@given(STATES)
def test_any_state_comes_back_as_it_was_kept(tmp_path_factory: pytest.TempPathFactory, state: State) -> None:
    folder, window = tmp_path_factory.getbasetemp() / "kept", read_window({"MIGRATION_AT": START.isoformat()})
    states.save(folder, window, state)
    assert states.load(folder, window) == state


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b'{"window": "20261205T1600Z", "state": {"phase": "x"}}']
)
def test_a_damaged_state_is_a_planned_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / states.FILE).write_bytes(content)
    window = read_window({"MIGRATION_AT": START.isoformat()})
    assert states.load(tmp_path, window) == states.planned(window)


def test_a_state_of_another_window_does_not_count(ours: World) -> None:
    publish(ours, begun(ours))
    ours.more = {"MIGRATION_AT": "2026-12-13T02:00+10:00"}
    state, window = status_page.current(ours.production, environ=ours.environ)
    assert state == states.planned(window)


def test_an_unknown_step_is_a_fault_of_ours(ours: World) -> None:
    with pytest.raises(KeyError):
        State().step("unfreez", "done", START)
