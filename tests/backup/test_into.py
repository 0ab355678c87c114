"""A snapshot restored whole into an empty database elsewhere: whoever had themselves erased is not in it either."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from ledger_assets.backup import catalogue
from ledger_assets.backup.catalogue import State
from ledger_assets.backup.dump import Kind
from ledger_assets.backup.place import Place
from ledger_assets.backup.restore import erased_of, into
from ledger_assets.backup.take import take
from ledger_assets.erasure.model import Erasure
from ledger_assets.erasure.register import Forged
from ledger_assets.errors import TargetError
from ledger_assets.load.connect import connect
from ledger_assets.storage import open_store
from tests.backup.faults.places import find, list_erasure

GONE, STAYS = (str(uuid.uuid4()) for _ in range(2))


@pytest.mark.parametrize("kind", ["full", "baseline"])
def test_the_erased_do_not_come_back_in_a_database_of_its_own(
    place: Place, database_url: str, empty_database_url: str, tmp_path: Path, kind: Kind
) -> None:
    """A baseline that is taken after the first load holds people like any other snapshot."""
    with psycopg.connect(database_url) as conn:
        conn.execute("insert into public.themes (id, name) values (%s, 'a'), (%s, 'b')", (GONE, STAYS))
    store = open_store((tmp_path / "objects").as_uri())
    snapshot = find(place, take(place, store, database_url, kind=kind, reason="test"))
    erasure = Erasure(str(uuid.uuid4()), "story", datetime.now(UTC), rows=(("themes", GONE),))
    into(place, snapshot, empty_database_url, (erasure,))
    with psycopg.connect(empty_database_url) as conn:
        assert [str(row[0]) for row in conn.execute("select id from public.themes")] == [STAYS]


def test_a_database_that_holds_something_is_refused_and_the_refusal_names_the_option(
    place: Place, database_url: str, tiny_url: str, tmp_path: Path
) -> None:
    store = open_store((tmp_path / "objects").as_uri())
    snapshot = find(place, take(place, store, database_url, kind="full", reason="test"))
    with pytest.raises(TargetError, match="is not empty, it holds"):
        into(place, snapshot, tiny_url, ())
    with pytest.raises(TargetError, match="correct --into"):
        into(place, snapshot, "postgresql://postgres@127.0.0.1:1/nowhere", ())


def test_an_entry_of_the_list_of_erasures_that_somebody_removed_is_missed(
    place: Place, database_url: str, tmp_path: Path
) -> None:
    """Also when the snapshot that was taken with it has expired: each later one remembers it."""
    one = list_erasure(place, datetime.now(UTC), ("themes", GONE))
    store = open_store((tmp_path / "objects").as_uri())
    first = take(place, store, database_url, kind="full", reason="test")
    assert first.erasures == (one.key,)
    with connect(database_url, application_name="test") as live:
        assert erased_of(place, live) == (one,)
        place.vault.delete(one.key)
        second = take(place, store, database_url, kind="full", reason="test")
        catalogue.say(place, first.id, State.EXPIRED, at=datetime.now(UTC))
        assert [found.id for found in catalogue.read(place).snapshots] == [second.id]
        with pytest.raises(Forged, match=one.request_id):
            erased_of(place, live)
