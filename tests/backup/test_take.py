"""Taking a snapshot: what it is made of, what it refuses, that an orderly failure leaves nothing, and each file once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from pyrage import x25519

from ledger_assets.backup import catalogue, media
from ledger_assets.backup.identity import Identity, mac
from ledger_assets.backup.manifest import CONTENTS, MEDIA, manifest_key
from ledger_assets.backup.place import Place
from ledger_assets.backup.sealing import open_bytes, seal_bytes, unseal_bytes
from ledger_assets.backup.take import database_identity, take
from ledger_assets.backup.verify import verify
from ledger_assets.erasure.model import Erasure
from ledger_assets.erasure.register import PURPOSE, _said
from ledger_assets.errors import LedgerError, StoreError
from ledger_assets.storage import ObjectStore
from tests.backup.faults.places import FILE_KEY, FILE_SHA256, TINY, Watched, everything, find, taken, verified

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def test_the_manifest_names_every_object_and_what_it_is_of(
    place: Place, tiny_url: str, files: ObjectStore
) -> None:
    manifest = take(
        place, files, tiny_url, kind="checkpoint", reason="before a load", run_id="r", clock=lambda: AT
    )
    assert manifest.id == f"backup-{int(AT.timestamp())}-checkpoint"
    assert (manifest.kind, manifest.reason, manifest.run_id, manifest.at) == (
        "checkpoint",
        "before a load",
        "r",
        AT,
    )
    assert (manifest.tables, manifest.rows, manifest.media_files) == (2, 51, 1)
    with psycopg.connect(tiny_url) as conn:
        assert manifest.database == database_identity(conn)
    stored = {
        key: len(data) for key, data in everything(place.vault).items() if key.startswith(manifest.folder)
    }
    del stored[manifest_key(manifest.id)]
    assert stored == {one.key: one.size for one in manifest.objects.values()}
    assert find(place, manifest).manifest == manifest
    assert find(place, manifest).word == "unverified"


def test_two_of_one_second_get_ids_of_their_own(place: Place, tiny_url: str, files: ObjectStore) -> None:
    made = [take(place, files, tiny_url, kind="full", reason="test", clock=lambda: AT) for _ in range(3)]
    assert len({one.id for one in made}) == 3
    assert [one.at for one in made] == [AT] * 3
    assert all(verified(place, one).passed for one in made[:1])


def test_each_file_is_stored_once_and_listed_by_each(place: Place, tiny_url: str, files: ObjectStore) -> None:
    first, second = taken(place, files, tiny_url), taken(place, files, tiny_url)
    (stored,) = place.vault.list(media.FOLDER)
    lists = [
        media.from_json(unseal_bytes(place.vault, one.objects[MEDIA], place.identity))
        for one in (first, second)
    ]
    assert lists[0] == lists[1]
    assert [one.object_key for one in lists[0]] == [FILE_KEY]
    assert lists[0][0].sealed.key == stored.key
    assert FILE_SHA256 not in stored.key


def test_a_file_that_comes_while_the_snapshot_begins_is_in_it_with_its_row(
    place: Place, cluster_url: Callable[[str], str], files: ObjectStore
) -> None:
    url, other = cluster_url(TINY), hashlib.sha256(b"another recording").hexdigest()
    files.put(f"media/{other}", b"another recording")

    asked: list[None] = []

    def clock() -> datetime:
        asked.append(None)
        if len(asked) == 2:  # first for what killed runs have left, then for the snapshot
            with psycopg.connect(url) as conn:
                conn.execute("insert into airtable.attachments values (%s, %s)", (f"media/{other}", other))
        return AT

    manifest = take(place, files, url, kind="full", reason="test", clock=clock)
    listed = media.from_json(unseal_bytes(place.vault, manifest.objects[MEDIA], place.identity))
    assert {one.object_key for one in listed} == {FILE_KEY, f"media/{other}"}
    assert manifest.rows == 52


def test_a_snapshot_whose_manifest_is_gone_is_told_and_nothing_of_it_is_removed(
    place: Place, tiny_url: str, files: ObjectStore
) -> None:
    """Its tables are still readable by hand: that is no left-over of a run that was stopped."""
    manifest = taken(place, files, tiny_url)
    signed = place.vault.get(manifest_key(manifest.id))
    place.vault.delete(manifest_key(manifest.id))
    before = everything(place.vault)
    known = catalogue.read(place)
    assert (known.snapshots, known.unfinished) == ((), ())
    assert [line.split(":")[0] for line in known.refused] == [f"snapshot {manifest.id}"]
    with pytest.raises(StoreError, match="its manifest is gone"):
        known.find(manifest.id)
    tomorrow = datetime.now(UTC) + timedelta(hours=25)
    take(place, files, tiny_url, kind="full", reason="test", clock=lambda: tomorrow)
    assert before.items() <= everything(place.vault).items()
    place.vault.put(manifest_key(manifest.id), signed)
    assert verified(place, manifest).passed


@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_a_file_that_the_store_does_not_have_as_the_database_says_is_told_by_its_key(
    place: Place, tiny_url: str, files: ObjectStore, how: str
) -> None:
    if how == "damaged":
        files.put(FILE_KEY, b"other bytes")
    else:
        files.delete(FILE_KEY)
    before = everything(place.vault)
    with pytest.raises(StoreError, match=FILE_KEY):
        taken(place, files, tiny_url)
    assert everything(place.vault) == before


def test_a_failure_at_any_write_leaves_nothing_and_tells_itself(
    place: Place, tiny_url: str, files: ObjectStore
) -> None:
    before = everything(place.vault)
    count = 0
    while True:
        left = count

        def refuse(what: str, _key: str) -> None:
            nonlocal left
            if what == "put":
                left -= 1
                if left < 0:
                    raise StoreError("the store is full")

        said = ""
        try:
            taken(replace(place, vault=Watched(place.vault, refuse)), files, tiny_url)
        except StoreError as error:
            said = str(error)
        if said:
            assert said == "the store is full"
            kept = {k: v for k, v in everything(place.vault).items() if not k.startswith("media/")}
            assert kept == before  # the file may stay: the next snapshot lists it, or retention removes it
            count += 1
        else:
            break
    assert count > 12
    assert len(catalogue.read(place).snapshots) == 1
    assert catalogue.read(place).unfinished == ()


def test_a_store_that_lets_nothing_be_removed_hides_no_cause(
    place: Place, tiny_url: str, files: ObjectStore
) -> None:
    def refuse(what: str, key: str) -> None:
        if what == "delete":
            raise StoreError("nothing may be removed")
        if key.endswith(CONTENTS):
            raise StoreError("the store is full")

    with pytest.raises(StoreError, match="the store is full"):
        taken(replace(place, vault=Watched(place.vault, refuse)), files, tiny_url)
    assert catalogue.read(place).snapshots == ()


def test_every_object_opens_with_an_offline_key_too(place: Place, tiny_url: str, files: ObjectStore) -> None:
    offline = x25519.Identity.generate()
    place = replace(place, backup=replace(place.backup, recipients=(str(offline.to_public()),)))
    manifest = taken(place, files, tiny_url)
    keys = [one.key for one in manifest.objects.values() if one.sha256 != one.plain_sha256]
    keys += [info.key for info in place.vault.list(media.FOLDER)]
    assert len(keys) > 8
    for key in keys:
        assert open_bytes(place.vault, key, Identity(str(offline))) == open_bytes(
            place.vault, key, place.identity
        )


def test_a_file_of_somebody_who_was_erased_is_no_damage_and_any_other_is(
    place: Place, tiny_url: str, files: ObjectStore
) -> None:
    manifest = taken(place, files, tiny_url)
    (stored,) = place.vault.list(media.FOLDER)
    place.vault.delete(stored.key)
    assert stored.key in verified(place, manifest).problems[0]
    erasure = Erasure(
        request_id="00000000-0000-4000-8000-000000000001",
        scope="story",
        at=AT,
        storyteller_id=None,
        story_id="00000000-0000-4000-8000-000000000002",
        account_id=None,
        records=(),
        rows=(),
        files=(FILE_KEY,),
    )
    text = erasure.to_json()
    entry = {"erasure": text, "mac": mac(place.identity, PURPOSE, _said(erasure.key, text))}
    seal_bytes(place.vault, erasure.key, json.dumps(entry).encode(), place.recipients)
    assert verified(place, manifest).passed


def test_what_was_left_by_a_killed_run_is_removed_by_the_next_a_day_later(
    place: Place, tiny_url: str, files: ObjectStore
) -> None:
    left = "snapshots/backup-1700000000-full/data/toc.dat.age"
    place.vault.put(left, b"x")
    place.vault.put("snapshots/backup-1700000000-full/started", b"x")
    taken(place, files, tiny_url)
    assert place.vault.size(left) is not None
    tomorrow = datetime.now(UTC) + timedelta(hours=25)
    take(place, files, tiny_url, kind="full", reason="test", clock=lambda: tomorrow)
    assert place.vault.size(left) is None


def test_what_is_not_the_snapshots_fault_makes_it_not_corrupt(
    place: Place, tiny_url: str, files: ObjectStore
) -> None:
    manifest = taken(place, files, tiny_url)
    nowhere = replace(
        place, backup=replace(place.backup, scratch_url="postgresql://nobody@127.0.0.1:9/nothing")
    )
    with pytest.raises(LedgerError):
        verify(nowhere, find(place, manifest))
    assert find(place, manifest).states == ()


def test_a_database_without_anything_of_ours_is_told(
    place: Place, cluster_url: Callable[[str], str], files: ObjectStore, tmp_path: Path
) -> None:
    before = everything(place.vault)
    with pytest.raises(LedgerError) as caught:
        taken(place, files, cluster_url("drop schema public; create schema other"))
    assert "\n" not in str(caught.value)
    assert everything(place.vault) == before
    assert not list((tmp_path / "home" / "tmp").glob("files-*"))
