"""A process that is killed while it takes a snapshot leaves no snapshot, and nothing for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger_assets.backup import catalogue, media
from ledger_assets.backup.manifest import MEDIA
from ledger_assets.backup.place import Place
from ledger_assets.backup.sealing import unseal_bytes
from ledger_assets.backup.take import take
from ledger_assets.storage import ObjectStore
from tests.backup import s3
from tests.backup.faults.places import place_at, taken, verified
from tests.backup.faults.victim import victim


def test_killed_at_every_object_it_is_no_snapshot_and_the_next_one_is_fine(
    s3_server: s3.Server, tmp_path: Path, tiny_url: str, files: ObjectStore, scratch_url: str
) -> None:
    place = place_at(tmp_path / "home", s3_server.bucket(), scratch_url=scratch_url)
    with victim(place, tiny_url, files.url) as killed:
        puts, unfinished = 0, 0
        while True:
            code, said = killed.take(puts=puts)
            if code != -9:
                break
            known = catalogue.read(place)
            assert (known.snapshots, known.refused) == ((), ())
            assert len(set(known.unfinished)) == unfinished  # before the first object there is nothing
            unfinished += 1
            # moto takes a second for what rclone does in a third of one: some there, all here.
            puts += 1 if s3_server.folder else 4
    assert code == 0, said
    assert puts > 12
    known = catalogue.read(place)
    assert [one.id for one in known.snapshots] == [said]
    assert len(set(known.unfinished)) == unfinished - 1
    assert verified(place, known.snapshots[0].manifest).passed
    assert s3.dangling(s3_server, place.backup.bucket) == []

    taken(place, files, tiny_url)  # what is younger than a day may be of one that is being taken
    assert catalogue.read(place).unfinished == known.unfinished
    tomorrow = datetime.now(UTC) + timedelta(hours=25)
    last = take(place, files, tiny_url, kind="full", reason="test", clock=lambda: tomorrow)
    after = catalogue.read(place)
    assert after.unfinished == ()
    assert {info.key.split("/")[1] for info in place.vault.list("snapshots")} == {
        one.id for one in after.snapshots
    }
    assert len(after.snapshots) == 3
    assert len(list(place.vault.list(media.FOLDER))) == 1
    assert verified(place, last).passed
    # No scratch folder of a killed process is left on this machine either.
    assert not list((tmp_path / "home" / "tmp").glob("files-*"))


def test_killed_after_its_manifest_it_is_a_whole_snapshot(
    place: Place, tiny_url: str, files: ObjectStore
) -> None:
    with victim(place, tiny_url, files.url) as killed:
        assert killed.take(deletes=0)[0] == -9
    (snapshot,) = catalogue.read(place).snapshots
    assert verified(place, snapshot.manifest).passed


def test_a_file_that_a_killed_run_has_stored_is_stored_once_and_listed_as_it_lies(
    place: Place, tiny_url: str, files: ObjectStore
) -> None:
    manifest = taken(place, files, tiny_url)
    for info in list(place.vault.list("snapshots")):
        place.vault.delete(info.key)
    (stored,) = place.vault.list(media.FOLDER)
    before = place.vault.get(stored.key)
    manifest = taken(place, files, tiny_url)
    assert place.vault.get(stored.key) == before
    assert verified(place, manifest).passed
    # Broken, and listed by nobody: stored anew.
    for info in list(place.vault.list("snapshots")):
        place.vault.delete(info.key)
    place.vault.put(stored.key, before[:-1])
    manifest = taken(place, files, tiny_url)
    assert verified(place, manifest).passed
    listed = media.from_json(unseal_bytes(place.vault, manifest.objects[MEDIA], place.identity))
    assert [one.sealed.key for one in listed] == [stored.key]
