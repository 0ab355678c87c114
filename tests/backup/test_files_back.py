"""Files that the object store has lost come back from a snapshot: those that the database names, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger_assets.backup import media
from ledger_assets.backup.manifest import MEDIA
from ledger_assets.backup.media import PutBack
from ledger_assets.backup.place import Place
from ledger_assets.backup.sealing import unseal_bytes
from ledger_assets.storage import ObjectStore
from tests.backup.faults.places import FILE, FILE_KEY, everything, taken


@pytest.mark.parametrize("how", ["lost", "cut"])
def test_a_file_that_is_gone_is_there_again(
    place: Place, tiny_url: str, files: ObjectStore, tmp_path: Path, how: str
) -> None:
    manifest = taken(place, files, tiny_url)
    if how == "cut":
        files.put(FILE_KEY, FILE[:3])
    else:
        files.delete(FILE_KEY)
    assert media.put_back(place, files, manifest, {FILE_KEY}, tmp_path) == PutBack(1)
    assert files.get(FILE_KEY) == FILE
    assert media.put_back(place, files, manifest, {FILE_KEY}, tmp_path) == PutBack(0)


def test_a_file_that_no_row_names_stays_away(
    place: Place, tiny_url: str, files: ObjectStore, tmp_path: Path
) -> None:
    manifest = taken(place, files, tiny_url)
    files.delete(FILE_KEY)
    assert media.put_back(place, files, manifest, set(), tmp_path) == PutBack(0)
    assert everything(files) == {}


def test_a_file_that_is_damaged_in_the_vault_is_told_and_nothing_of_it_is_written(
    place: Place, tiny_url: str, files: ObjectStore, tmp_path: Path
) -> None:
    manifest = taken(place, files, tiny_url)
    files.delete(FILE_KEY)
    (listed,) = media.from_json(unseal_bytes(place.vault, manifest.objects[MEDIA], place.identity))
    place.vault.put(listed.sealed.key, place.vault.get(listed.sealed.key)[:-1])
    found = media.put_back(place, files, manifest, {FILE_KEY}, tmp_path)
    assert (found.files, len(found.failed)) == (0, 1)
    assert listed.sealed.key in found.failed[0]
    assert everything(files) == {}
