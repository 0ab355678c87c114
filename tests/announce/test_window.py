"""The window's times as people read them."""

from __future__ import annotations

import re

import pytest

from ledger_assets.announce.window import read_window
from ledger_assets.errors import SettingsError


def test_times_are_those_of_the_communitys_zone_with_its_offset() -> None:
    found = read_window({"MIGRATION_AT": "2026-12-06T02:00+11:00", "LEDGER_TIMEZONE": "Australia/Sydney"})
    assert found.when(found.start) == "Sunday 6 December 2026, 2:00 am Sydney time (UTC+11)"
    assert found.when(found.end) == "Sunday 6 December 2026, 7:00 am Sydney time (UTC+11)"
    brisbane = read_window({"MIGRATION_AT": "2026-12-06T02:00+11:00"})
    assert brisbane.when(brisbane.start) == "Sunday 6 December 2026, 1:00 am Brisbane time (UTC+10)"
    assert found.key == brisbane.key == "20261205T1500Z"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("UTC", "4:30 pm UTC"),
        ("Australia/Darwin", "2:00 am Darwin time (UTC+9:30)"),
        ("America/St_Johns", "1:00 pm St Johns time (UTC-3:30)"),
        ("Europe/London", "4:30 pm London time (UTC)"),
    ],
)
def test_every_zone_has_words(zone: str, words: str) -> None:
    found = read_window({"MIGRATION_AT": "2026-12-05T16:30Z", "LEDGER_TIMEZONE": zone})
    assert found.when(found.start).endswith(words)


def test_a_window_across_the_change_of_clocks_has_both_offsets() -> None:
    found = read_window({"MIGRATION_AT": "2026-04-05T01:00+11:00", "LEDGER_TIMEZONE": "Australia/Sydney"})
    assert found.when(found.start).endswith("1:00 am Sydney time (UTC+11)")
    assert found.when(found.end).endswith("5:00 am Sydney time (UTC+10)")


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "MIGRATION_AT is not set"),
        (
            {"MIGRATION_AT": "2026-12-06T02:00"},
            "is not a time with its zone; write it as 2026-12-06T02:00+11:00",
        ),
        ({"MIGRATION_AT": "2026-12-06"}, "is not a time with its zone"),
        ({"MIGRATION_AT": "tomorrow"}, "MIGRATION_AT: 'tomorrow' is not"),
        ({"MIGRATION_AT": "2026-12-06T02:00+11:00", "MIGRATION_HOURS": "0"}, "MIGRATION_HOURS: '0' is not"),
        (
            {"MIGRATION_AT": "2026-12-06T02:00+11:00", "MIGRATION_HOURS": "nan"},
            "MIGRATION_HOURS: 'nan' is not",
        ),
        ({"MIGRATION_AT": "2026-12-06T02:00+11:00", "LEDGER_TIMEZONE": "Mars"}, "LEDGER_TIMEZONE: 'Mars'"),
    ],
)
def test_a_wrong_setting_is_one_line(environ: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(words)):
        read_window(environ)
