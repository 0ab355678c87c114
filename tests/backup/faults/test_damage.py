"""What was changed in the store is found by name, whoever did it; an earlier snapshot is used, nothing is removed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger_assets.backup import catalogue
from ledger_assets.backup import manifest as manifests
from ledger_assets.backup import take as take_module
from ledger_assets.backup.catalogue import State, say
from ledger_assets.backup.dump import Beside, Dumped, dump
from ledger_assets.backup.identity import Identity
from ledger_assets.backup.manifest import Manifest, manifest_key, sign
from ledger_assets.backup.place import Place
from ledger_assets.backup.prune import prune
from ledger_assets.backup.restored import data_files
from ledger_assets.backup.sealing import seal_bytes
from ledger_assets.backup.settings import BucketSettings
from ledger_assets.backup.tools import Tools
from ledger_assets.backup.verify import verify
from ledger_assets.errors import StoreError
from ledger_assets.storage import ObjectStore
from tests.backup import s3
from tests.backup.faults.places import FILE_SHA256, find, place_at, taken, verified


@contextmanager
def flipped(server: s3.Server, bucket: BucketSettings, key: str) -> Iterator[None]:
    """One bit of the object is another on the server's disk, as when a disk rots."""
    assert server.folder is not None
    path = server.folder / bucket.url.removeprefix("s3://") / key
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    try:
        yield
    finally:
        path.write_bytes(whole)


def its_day() -> datetime:
    """A day on which the file is read whole."""
    today = datetime.now(UTC)
    days = [today + timedelta(days=n) for n in range(7)]
    return next(day for day in days if int(FILE_SHA256[:8], 16) % 7 == day.toordinal() % 7)


def test_one_flipped_bit_in_any_object_is_found_by_name(
    rclone_server: s3.Server, tmp_path: Path, tiny_url: str, files: ObjectStore, scratch_url: str
) -> None:
    bucket = rclone_server.bucket()
    place = place_at(tmp_path / "home", bucket, scratch_url=scratch_url)
    manifest = taken(place, files, tiny_url)
    snapshot = find(place, manifest)
    keys = [info.key for info in place.vault.list(manifest.folder) if not info.key.endswith(manifests.NAME)]
    assert len(keys) == len(manifest.objects) > 10
    for key in keys:
        with flipped(rclone_server, bucket, key):
            found = verify(place, snapshot)
            assert not found.passed
            assert key in found.problems[0], (key, found.problems)
    assert find(place, manifest).corrupt
    assert verified(place, manifest).passed
    assert find(place, manifest).word == "verified"


def test_a_flipped_bit_in_a_file_is_found_on_its_day(
    rclone_server: s3.Server, tmp_path: Path, tiny_url: str, files: ObjectStore, scratch_url: str
) -> None:
    bucket = rclone_server.bucket()
    place = place_at(tmp_path / "home", bucket, scratch_url=scratch_url)
    snapshot = find(place, taken(place, files, tiny_url))
    (file,) = place.vault.list("media")
    with flipped(rclone_server, bucket, file.key):
        found = verify(place, snapshot, clock=its_day)  # each file is read whole once in seven days
        assert file.key in found.problems[0]
        assert verify(place, snapshot, clock=lambda: its_day() + timedelta(days=1)).passed
    place.vault.delete(file.key)
    assert file.key in verify(place, snapshot).problems[0]


def test_a_manifest_with_a_flipped_bit_is_refused_by_name(
    rclone_server: s3.Server, tmp_path: Path, tiny_url: str, files: ObjectStore
) -> None:
    bucket = rclone_server.bucket()
    place = place_at(tmp_path / "home", bucket)
    manifest = taken(place, files, tiny_url)
    with flipped(rclone_server, bucket, manifest_key(manifest.id)):
        known = catalogue.read(place)
        assert known.snapshots == ()
        assert manifest.id in known.refused[0]


def test_the_earlier_one_is_used_and_nothing_is_removed_while_the_newest_is_damaged(
    place: Place, tiny_url: str, files: ObjectStore
) -> None:
    days = [datetime.now(UTC) - timedelta(days=n) for n in (400, 399, 2, 1)]
    rules = replace(place.backup.retention, daily=1, weekly=0, monthly=0, yearly=0)
    place = replace(place, backup=replace(place.backup, retention=rules))
    made = [_of(place, files, tiny_url, day) for day in days]
    for manifest in made:
        say(place, manifest.id, State.VERIFIED, at=datetime.now(UTC))
    assert prune(place, files, loaded=(), apply=False)[0].expire  # else it would prove nothing
    victim = made[-1].objects["data/toc.dat.age"].key
    place.vault.put(victim, place.vault.get(victim)[:-1])
    assert victim in verified(place, made[-1]).problems[0]
    known = catalogue.read(place)
    newest = known.newest_verified()
    assert newest is not None
    assert newest.id == made[-2].id
    before = {info.key for info in place.vault.list("")}
    decision, _ = prune(place, files, loaded=(), apply=True)
    assert decision.refused is not None
    assert made[-1].id in decision.refused
    assert {info.key for info in place.vault.list("")} == before


def _of(place: Place, files: ObjectStore, url: str, at: datetime) -> Manifest:
    return take_module.take(place, files, url, kind="full", reason="test", clock=lambda: at)


@pytest.mark.parametrize("damaged", ["media.json.age", "contents.json.age"])
def test_a_damaged_snapshot_does_not_keep_the_next_one_from_being_taken(
    place: Place, tiny_url: str, files: ObjectStore, damaged: str
) -> None:
    first = taken(place, files, tiny_url)
    place.vault.put(first.objects[damaged].key, b"rotten")
    second = taken(place, files, tiny_url)
    assert verified(place, second).passed
    assert first.objects[damaged].key in verified(place, first).problems[0]


def test_a_loss_between_two_snapshots_changes_no_file_of_the_first(
    place: Place, cluster_url: Callable[[str], str], tiny_url: str, files: ObjectStore
) -> None:
    """The newest one lists no file (its tables were emptied): the next must not store the files anew, under the hashes
    that the first one keeps."""
    first = taken(place, files, tiny_url)
    taken(
        place, files, cluster_url("create schema airtable; create table airtable.words (id int primary key)")
    )
    third = taken(place, files, tiny_url)
    for manifest in (first, third):
        assert verify(place, find(place, manifest), clock=its_day).passed


def test_a_table_cut_at_a_row_and_signed_all_the_same_is_found(
    place: Place, tiny_url: str, files: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a forger's work but a fault's: every hash and the signature are right, one row is missing."""

    def cut(url: str, folder: Path, *, kind: object, tools: Tools, beside: Beside) -> Dumped:
        dumped = dump(url, folder, kind="full", tools=tools, beside=beside)
        file = folder / data_files(folder, dumped.contents, tools=tools)["airtable.words"]
        rows = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
        file.write_bytes(gzip.compress(b"".join(rows[1:])))
        return dumped

    monkeypatch.setattr(take_module, "dump", cut)
    manifest = taken(place, files, tiny_url)
    found = verified(place, manifest)
    assert found.problems == ("table airtable.words: expected 50 rows; found 49",)
    assert find(place, manifest).word == "corrupt"


def _other_key(manifest: Manifest, place: Place) -> bytes:
    return sign(manifest, Identity.generate())


def _unsigned(manifest: Manifest, place: Place) -> bytes:
    document = json.loads(sign(manifest, place.identity))
    return json.dumps({"mac": "", "manifest": document["manifest"]}).encode()


def _changed(manifest: Manifest, place: Place) -> bytes:
    document = json.loads(sign(manifest, place.identity))
    document["manifest"]["rows"] += 1
    return json.dumps(document).encode()


def _another_id(manifest: Manifest, place: Place) -> bytes:
    return place.vault.get(manifest_key(manifest.id))


FORGED: dict[str, Callable[[Manifest, Place], bytes]] = {
    "signed with another key": _other_key,
    "not signed": _unsigned,
    "changed": _changed,
    "of another snapshot": _another_id,
    "nothing": lambda *_: b"",
    "no object": lambda *_: b"[1]",
    "a MAC that is no text": lambda *_: b'{"manifest": {}, "mac": "\\ud800"}',
    "too deep": lambda *_: b"[" * 200_000,
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_forged_snapshot_is_refused_and_told_and_counts_for_nothing(
    place: Place, tiny_url: str, files: ObjectStore, forge: Callable[[Manifest, Place], bytes]
) -> None:
    true = taken(place, files, tiny_url)
    verified(place, true)
    name = f"backup-{int(datetime.now(UTC).timestamp()) + 60}-full"
    # Whoever has the public key and may write can seal objects as we do.
    objects = {
        key: seal_bytes(place.vault, f"snapshots/{name}/{key}", b"forged", [place.identity.recipient])
        for key in true.objects
    }
    fake = true if forge is _another_id else replace(true, id=name, objects=objects)
    place.vault.put(manifest_key(name), forge(fake, place))
    known = catalogue.read(place)
    assert [one.id for one in known.snapshots] == [true.id]
    (line,) = known.refused
    assert name in line
    assert "not used" in line
    assert "\n" not in line
    newest = known.newest_verified()
    assert newest is not None
    assert newest.id == true.id
    with pytest.raises(StoreError, match=name):
        known.find(name)
    assert [one.id for one in catalogue.kept(known.snapshots, datetime.now(UTC))] == [true.id]
    later = datetime.now(UTC) + timedelta(days=2)
    prune(place, files, loaded=(), apply=True, now=later)
    assert place.vault.size(manifest_key(name)) is not None  # evidence: not ours to remove
    assert list(place.vault.list("media"))  # what it may list stays too


@pytest.mark.parametrize("how", ["not signed", "of another snapshot", "of another state", "no text"])
def test_a_forged_state_counts_for_nothing_and_is_told(
    place: Place, tiny_url: str, files: ObjectStore, how: str
) -> None:
    first, second = taken(place, files, tiny_url), taken(place, files, tiny_url)
    at = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
    said = say(place, first.id, State.VERIFIED, at=at)
    (true,) = place.vault.list("states")
    document = place.vault.get(true.key)
    key = true.key.replace(first.id, second.id)
    if how == "not signed":
        document = json.dumps({**json.loads(document), "id": second.id}).encode()
    elif how == "of another state":
        key = true.key.replace("verified", "expired")
    elif how == "no text":
        document = json.dumps({**json.loads(document), "id": second.id, "mac": "\ud800"}).encode()
    place.vault.put(key, document)
    known = catalogue.read(place)
    assert known.refused == (f"{key} is not signed with this environment's key: it counts for nothing",)
    assert known.find(second.id).states == ()
    assert known.find(first.id).states == (said,)
    assert known.expired == ()


def test_objects_exchanged_between_two_snapshots_are_found(
    place: Place, tiny_url: str, files: ObjectStore
) -> None:
    first, second = taken(place, files, tiny_url), taken(place, files, tiny_url)
    one, other = (manifest.objects["contents.json.age"].key for manifest in (first, second))
    place.vault.put(other, place.vault.get(one))
    assert other in verified(place, second).problems[0]


def test_a_signature_over_the_contents_of_a_newer_format_is_refused_with_the_way_out(
    place: Place, tiny_url: str, files: ObjectStore
) -> None:
    manifest = taken(place, files, tiny_url)
    place.vault.put(manifest_key(manifest.id), sign(replace(manifest, format=2), place.identity))
    with pytest.raises(StoreError, match=r"has format 2, this version knows 1: .*RECOVERY\.md"):
        catalogue.read(place).find(manifest.id)
