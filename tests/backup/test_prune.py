"""What retention removes, and what it never does: what a kept snapshot needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger_assets.backup import catalogue, media, prune
from ledger_assets.backup.catalogue import State, say
from ledger_assets.backup.manifest import Manifest
from ledger_assets.backup.media import MediaFile, media_key
from ledger_assets.backup.place import Place
from ledger_assets.backup.sealing import seal_bytes
from ledger_assets.extract.export import list_exports
from ledger_assets.storage import ObjectStore, open_store
from tests.backup.faults.places import Watched, invented, local, write

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
LATER = NOW + timedelta(hours=25)
"""Objects are written now; a day later they are no longer those of a snapshot that is being taken."""


@pytest.fixture
def here(tmp_path: Path) -> Place:
    """Two daily ones are kept."""
    place = local(tmp_path / "home")
    rules = replace(place.backup.retention, daily=2, weekly=0, monthly=0, yearly=0, most_share=1.0)
    return replace(place, backup=replace(place.backup, retention=rules))


@pytest.fixture
def exports(tmp_path: Path) -> ObjectStore:
    return open_store((tmp_path / "objects").as_uri())


def file_of(place: Place, name: str) -> MediaFile:
    """A file in the vault."""
    sha256 = name * (64 // len(name))
    key = media_key(place, sha256)
    return MediaFile(
        sha256, f"media/{sha256}", seal_bytes(place.vault, key, name.encode(), place.recipients, create=False)
    )


def days(place: Place, *ages: int, **others: object) -> list[Manifest]:
    """Verified snapshots so many days old."""
    made = [write(place, invented(NOW - age * DAY, **others)) for age in ages]  # type: ignore[arg-type]  # values of many types
    for manifest in made:
        say(place, manifest.id, State.VERIFIED, at=manifest.at)
    return made


def folders(place: Place) -> list[str]:
    """Ids of which any object is stored."""
    return sorted({info.key.split("/")[1] for info in place.vault.list("snapshots")})


def ids(place: Place) -> list[str]:
    return [one.id for one in catalogue.read(place).snapshots]


def files_in(place: Place) -> set[str]:
    return {info.key for info in place.vault.list(media.FOLDER)}


def run(
    place: Place, exports: ObjectStore, *, now: datetime = LATER, loaded: tuple[str, ...] = ()
) -> list[str]:
    decision, _ = prune.prune(place, exports, loaded=loaded, apply=True, now=now)
    return list(decision.expire)


def test_nothing_is_changed_unless_it_is_asked_for(here: Place, exports: ObjectStore) -> None:
    made = days(here, 9, 8, 1, 0)
    before = {info.key for info in here.vault.list("")}
    decision, _ = prune.prune(here, exports, loaded=(), apply=False, now=LATER)
    assert decision.expire == (made[0].id, made[1].id)
    assert {info.key for info in here.vault.list("")} == before


def test_what_may_go_is_gone_with_every_object(here: Place, exports: ObjectStore) -> None:
    made = days(here, 9, 8, 1, 0)
    assert run(here, exports) == [made[0].id, made[1].id]
    assert ids(here) == [made[2].id, made[3].id]
    assert folders(here) == ids(here)
    assert run(here, exports) == []


def test_a_removal_that_was_cut_short_is_no_snapshot_and_is_finished_by_the_next(
    here: Place, exports: ObjectStore
) -> None:
    made = days(here, 9, 8, 1, 0)

    def cut(what: str, key: str) -> None:
        if what == "delete" and key.endswith("MANIFEST.json"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(replace(here, vault=Watched(here.vault, cut)), exports)
    assert ids(here) == [made[2].id, made[3].id]
    assert set(catalogue.read(here).expired) == {made[0].id, made[1].id}
    run(here, exports)
    assert catalogue.read(here).expired == ()
    assert folders(here) == ids(here)


def test_a_held_one_stays(here: Place, exports: ObjectStore) -> None:
    made = days(here, 9, 8, 1, 0)
    say(here, made[0].id, State.HELD, at=NOW)
    assert run(here, exports) == [made[1].id]
    say(here, made[0].id, State.RELEASED, at=NOW + DAY)
    assert run(here, exports) == [made[0].id]


def test_files_go_with_the_last_snapshot_that_lists_them(here: Place, exports: ObjectStore) -> None:
    old, both, new = (file_of(here, name) for name in ("a", "b", "c"))
    nobodys = file_of(here, "d")
    for age, listed in ((9, [old, both]), (1, [both]), (0, [new])):
        manifest = write(here, invented(NOW - age * DAY), listed)
        say(here, manifest.id, State.VERIFIED, at=NOW)
    run(here, exports, now=NOW)
    assert files_in(here) == {file.sealed.key for file in (old, both, new, nobodys)}  # younger than a day
    run(here, exports)
    assert files_in(here) == {both.sealed.key, new.sealed.key}


@pytest.mark.parametrize(
    "why", ["one is being taken", "one is forged", "one's list is damaged", "retention refuses"]
)
def test_no_file_goes_while_it_is_not_known_what_is_listed(
    here: Place, exports: ObjectStore, why: str
) -> None:
    made = days(here, 9, 1, 0)
    file = file_of(here, "a")
    if why == "one is being taken":
        # Removed itself only a day after its last object; before that it may be about to list the file.
        here.vault.put("snapshots/backup-1700000000-full/started", b"")
        known = catalogue.read(here)
        assert prune.remove_unlisted_files(here, known, LATER) == 0
        return
    if why == "one is forged":
        here.vault.put("snapshots/backup-1700000000-full/MANIFEST.json", b"{}")
    elif why == "one's list is damaged":
        here.vault.put(made[1].objects["media.json.age"].key, b"rotten")
    else:
        say(here, made[2].id, State.CORRUPT, at=LATER)
    run(here, exports)
    assert file.sealed.key in files_in(here)


def test_what_a_killed_run_left_goes_after_a_day(here: Place, exports: ObjectStore) -> None:
    days(here, 0)
    here.vault.put("snapshots/backup-1700000000-full/started", b"")
    here.vault.put("snapshots/backup-1700000000-full/data/toc.dat.age", b"x")
    _, removed = prune.prune(here, exports, loaded=(), apply=True, now=NOW)
    assert removed == []
    assert here.vault.folders("snapshots/backup-1700000000-full") == ["data"]
    _, removed = prune.prune(here, exports, loaded=(), apply=True, now=LATER)
    assert removed == ["backup-1700000000-full"]
    assert folders(here) == ids(here)


def export(store: ObjectStore, name: str) -> str:
    """An export as far as its removal is concerned."""
    for part in ("metadata.json", "tables/a/pages/1.jsonl.gz", "MANIFEST.json"):
        store.put(f"exports/{name}/{part}", b"{}")
    return name


def test_the_last_three_exports_stay_and_those_that_something_needs(
    here: Place, exports: ObjectStore
) -> None:
    made = [export(exports, f"2026010{n}T000000Z-x") for n in range(1, 9)]
    days(here, 9, export_id=made[1])
    days(here, 1, 0, export_id=made[2])
    run(here, exports, loaded=(made[3],))
    assert list_exports(exports) == [made[2], made[3], *made[-3:]]
    # Nothing of the others is left, not even what no manifest names.
    assert {info.key.split("/")[1] for info in exports.list("exports")} == {made[2], made[3], *made[-3:]}


def test_a_removal_of_an_export_that_was_cut_short_leaves_none_that_looks_whole(
    here: Place, exports: ObjectStore
) -> None:
    made = [export(exports, f"2026010{n}T000000Z-x") for n in range(1, 5)]

    def cut(what: str, key: str) -> None:
        if what == "delete" and "metadata" in key:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prune.remove_old_exports(Watched(exports, cut), catalogue.read(here), ())
    assert list_exports(exports) == made[1:]


def test_no_export_goes_while_a_manifest_cannot_be_read(here: Place, exports: ObjectStore) -> None:
    made = [export(exports, f"2026010{n}T000000Z-x") for n in range(1, 9)]
    days(here, 0)
    here.vault.put("snapshots/backup-1700000000-full/MANIFEST.json", b"{}")
    run(here, exports)
    assert list_exports(exports) == made
