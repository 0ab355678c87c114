"""A time that is kept or told is in UTC, whatever zone it was given in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from ledger_assets import events, freeze
from ledger_assets.backup import messages
from ledger_assets.environment import Environment
from ledger_assets.errors import TargetError
from ledger_assets.moment import kept, utc

LOCAL = datetime(2026, 12, 6, 2, 30, 15, 987, tzinfo=ZoneInfo("Australia/Brisbane"))


def test_one_moment_is_written_one_way() -> None:
    assert {utc(LOCAL), utc(LOCAL.astimezone(UTC))} == {"2026-12-05 16:30 UTC"}
    assert {kept(LOCAL), kept(LOCAL.astimezone(UTC))} == {"2026-12-05T16:30:15+00:00"}
    assert kept(7.5) == "7.5"
    with pytest.raises(ValueError, match="without a zone"):
        utc(datetime(2026, 12, 6))  # noqa: DTZ001 - that is the fault


def test_an_event_keeps_the_owner_s_local_time_as_utc(conn: psycopg.Connection) -> None:
    until = datetime.now(ZoneInfo("Australia/Brisbane")).replace(microsecond=0) + timedelta(hours=1)
    freeze.on(conn, reason="a test", who="the owner", until=until)
    details = [one.detail["until"] for one in events.read(conn, actions=["freeze"])]
    assert set(details) == {until.astimezone(UTC).isoformat()}
    with pytest.raises(TargetError, match=r"2026-12-05 16:30 UTC is past|lies in the future"):
        freeze.on(conn, reason="a test", who="the owner", until=until - timedelta(days=2))


def test_a_message_says_its_time_in_utc() -> None:
    told = messages.run_failed(
        Environment.STAGING, "migrate_staging", "1" * 36, step=None, error=None, at=LOCAL
    )
    assert "+10:00" not in " ".join(told.lines)
