"""What restores set aside: sealed, without the erased, gone after its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger_assets.backup import aside
from ledger_assets.backup.place import Place, open_place
from ledger_assets.backup.sealing import open_bytes
from ledger_assets.environment import Environment, read_settings
from ledger_assets.erasure.model import Erasure

LINES = [
    b'{"table": "public.stories", "row": {"airtable_record_id": "recGone", "copy": "words of one"}}\n',
    b'{"table": "public.stories", "row": {"airtable_record_id": "recStays", "copy": "words of another"}}\n',
]
AT = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return open_place(read_settings(Environment.STAGING, {"LEDGER_HOME": str(tmp_path)}))


def erasure(record: str) -> Erasure:
    return Erasure("req", "story", AT, None, None, None, (("app", "tbl", record),), (), ())


def stored(place: Place) -> dict[str, bytes]:
    return {
        info.key: open_bytes(place.vault, info.key, place.identity) for info in place.vault.list(aside.FOLDER)
    }


def test_the_erased_go_and_the_others_stay(place: Place, tmp_path: Path) -> None:
    key = aside.aside_key("backup-1-full", AT)
    assert aside.keep(place, key, iter(LINES), tmp_path)
    assert aside.purge(place, [erasure("recGone")]) == 1
    assert list(stored(place).values()) == [LINES[1]]
    assert aside.purge(place, [erasure("recGone")]) == 0
    assert aside.purge(place, [erasure("recStays")]) == 1
    assert stored(place) == {}


def test_nobody_erased_rewrites_nothing(place: Place, tmp_path: Path) -> None:
    key = aside.aside_key("backup-1-full", AT)
    aside.keep(place, key, iter(LINES), tmp_path)
    assert aside.purge(place, []) == aside.purge(place, [erasure("recElsewhere")]) == 0
    assert stored(place) == {key: b"".join(LINES)}


def test_nothing_set_aside_is_no_file(place: Place, tmp_path: Path) -> None:
    assert not aside.keep(place, aside.aside_key("backup-1-full", AT), iter(()), tmp_path)
    assert stored(place) == {}


def test_it_goes_when_its_time_is_over(place: Place, tmp_path: Path) -> None:
    aside.keep(place, aside.aside_key("backup-1-full", AT), iter(LINES), tmp_path)
    now = datetime.now(UTC)
    assert aside.remove_old(place, now + aside.KEPT - timedelta(minutes=1)) == 0
    assert aside.remove_old(place, now + aside.KEPT + timedelta(minutes=1)) == 1
    assert stored(place) == {}
