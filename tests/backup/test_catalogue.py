"""The list of snapshots: what each state does, what is left out, what is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger_assets.backup import catalogue
from ledger_assets.backup.catalogue import State, say
from ledger_assets.backup.manifest import manifest_key
from ledger_assets.backup.place import Place
from ledger_assets.errors import StoreError
from tests.backup.faults.places import invented, local, write

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return local(tmp_path / "home")


def test_snapshots_are_listed_oldest_first_whatever_their_names(here: Place) -> None:
    late = write(here, invented(AT + HOUR, kind="checkpoint"))
    early = write(here, invented(AT))
    same = write(here, invented(AT, kind="emergency"))
    known = catalogue.read(here)
    assert [one.id for one in known.snapshots] == [same.id, early.id, late.id]
    assert known.find(early.id).manifest == early
    with pytest.raises(StoreError, match="there is no snapshot backup-1-full"):
        known.find("backup-1-full")


def test_it_is_born_unverified_and_the_newest_verification_decides(here: Place) -> None:
    manifest = write(here, invented(AT))

    def found() -> catalogue.Snapshot:
        return catalogue.read(here).find(manifest.id)

    assert (found().word, found().verified_at) == ("unverified", None)
    say(here, manifest.id, State.VERIFIED, at=AT + HOUR)
    assert (found().word, found().verified_at) == ("verified", AT + HOUR)
    say(here, manifest.id, State.CORRUPT, at=AT + 2 * HOUR)
    assert (found().word, found().verified_at, found().corrupt) == ("corrupt", None, True)
    assert catalogue.read(here).newest_verified() is None
    say(here, manifest.id, State.VERIFIED, at=AT + 3 * HOUR)
    assert (found().word, found().verified_at) == ("verified", AT + 3 * HOUR)


def test_a_hold_ends_when_it_is_released_or_over(here: Place) -> None:
    manifest = write(here, invented(AT))

    def held(at: datetime) -> bool:
        snapshot = catalogue.read(here).find(manifest.id)
        assert snapshot.kept(at).held == snapshot.held(at)
        return snapshot.held(at)

    assert not held(AT)
    say(here, manifest.id, State.HELD, at=AT, until=AT + HOUR)
    assert held(AT)
    assert not held(AT + HOUR)
    say(here, manifest.id, State.HELD, at=AT + HOUR)
    assert held(AT + 9999 * HOUR)
    say(here, manifest.id, State.RELEASED, at=AT + 2 * HOUR)
    assert not held(AT + 2 * HOUR)
    assert catalogue.read(here).find(manifest.id).kept(AT).released
    assert catalogue.read(here).find(manifest.id).kept(AT).hold_until is None


def test_states_of_one_moment_are_all_kept_and_nothing_is_written_over(here: Place) -> None:
    manifest = write(here, invented(AT))
    said = [say(here, manifest.id, State.VERIFIED, at=AT, note=str(n)) for n in range(3)]
    assert len({one.at for one in said}) == 3
    assert set(catalogue.read(here).find(manifest.id).states) == set(said)
    say(here, manifest.id, State.CORRUPT, at=AT + timedelta(milliseconds=1))
    assert catalogue.read(here).find(manifest.id).corrupt


def test_expired_and_unfinished_ones_are_no_snapshots(here: Place) -> None:
    expired, kept = write(here, invented(AT)), write(here, invented(AT + HOUR))
    say(here, expired.id, State.EXPIRED, at=AT)
    here.vault.put("snapshots/backup-1700000000-full/started", b"")
    known = catalogue.read(here)
    assert [one.id for one in known.snapshots] == [kept.id]
    assert known.expired == (expired.id,)
    assert known.unfinished == ("backup-1700000000-full",)
    assert known.refused == ()


def test_the_newest_verified_is_asked_for_by_kind(here: Place) -> None:
    full, checkpoint = write(here, invented(AT)), write(here, invented(AT + HOUR, kind="checkpoint"))
    last = write(here, invented(AT + 2 * HOUR))
    for manifest in (full, checkpoint):
        say(here, manifest.id, State.VERIFIED, at=AT)
    known = catalogue.read(here)
    newest, newest_full = known.newest_verified(), known.newest_verified("full")
    assert newest is not None
    assert newest_full is not None
    assert (newest.id, newest_full.id) == (checkpoint.id, full.id)
    assert known.newest_verified("baseline") is None
    assert not known.find(last.id).kept(AT).verified


def test_another_key_opens_no_manifest_and_says_why(here: Place) -> None:
    from ledger_assets.backup.identity import Identity

    manifest = write(here, invented(AT))
    other = replace(here, identity=Identity.generate())
    known = catalogue.read(other)
    assert known.snapshots == ()
    assert "not signed with this environment's key" in known.refused[0]
    assert manifest.id in known.refused[0]


def test_a_manifest_is_written_once(here: Place) -> None:
    from ledger_assets.storage import ObjectExists

    manifest = write(here, invented(AT))
    with pytest.raises(ObjectExists):
        here.vault.put(manifest_key(manifest.id), b"another", create=True)
    assert manifest.at == AT
    assert manifest.bytes == sum(one.size for one in manifest.objects.values())
