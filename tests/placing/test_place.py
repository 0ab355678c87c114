"""Files are put where the app serves them: each private unless everybody may see it, read back, once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from ledger_assets import events
from ledger_assets.backup.identity import Identity
from ledger_assets.backup.sealed_store import SealedStore
from ledger_assets.errors import SettingsError, TargetError
from ledger_assets.placing import place as engine
from ledger_assets.placing import verify as check
from ledger_assets.placing.keys import key_of
from ledger_assets.storage import ObjectStore, open_store
from tests.placing.conftest import Files

SEEN = "select storage_bucket || '/' || storage_key from media_assets where id = %s"


def test_every_kind_is_private_but_what_everybody_may_see(every: Files) -> None:
    world = every.world
    shown = world.storyteller(show_photo=True)
    world.story(shown)
    silent = world.storyteller(show_photo=True)
    world.story(silent, published=False)
    hidden = world.storyteller(show_photo=False)
    world.story(hidden)
    ending = world.storyteller(consents=())
    world.consent(ending, "public_sharing", expires_at="2999-01-01")
    public = {every.file(), every.file("profile_image", storyteller_id=shown)}
    private = {
        every.file(story_id=world.story(world.storyteller(), published=False)),
        every.file(story_id=world.story(world.storyteller(privacy="community"))),
        every.file(story_id=world.story(ending)),
        every.file("profile_image", storyteller_id=hidden),
        every.file("profile_image", storyteller_id=silent),
        every.file("profile_image", storyteller_id=shown, position=2),
        every.file("consent_form", storyteller_id=shown),
        every.file("signature", storyteller_id=shown),
        every.file(content_type="image/svg+xml"),
        every.file(content_type="text/html"),
        every.file(source_deleted_at="2026-01-01"),
    }
    placed = every.place()
    assert (placed.placed, placed.problems, placed.removed, placed.closed) == (13, {}, 0, 0)
    buckets = {file: str(every.row(file)[0]) for file in public | private}
    assert {"public" if "public" in name else "private" for name in map(buckets.get, public) if name} == {
        "public"
    }
    assert {"public" if "public" in str(name) else "private" for name in map(buckets.get, private)} == {
        "private"
    }
    for file in public | private:
        kind = world.one("select role from media_assets where id = %s", file)
        said = world.one("select content_type from media_assets where id = %s", file)
        known = said if said == "image/png" else "application/octet-stream"
        assert every.row(file)[1] == f"staging/{key_of(kind, str(file), every.hashes[file], known)}"
    assert every.verify() == check.Verified(13, {}, 0)


def test_a_second_pass_writes_nothing(every: Files) -> None:
    every.file()
    every.file("consent_form", storyteller_id=every.world.storyteller())
    assert every.place(dry_run=True).placed == 2
    assert every.world.one("select count(*) from media_assets where storage_key is not null") == 0
    every.place()
    rows = every.world.all("select to_jsonb(m)::text from media_assets m order by id")
    again = every.place()
    assert (again.placed, again.standing, again.removed, again.closed) == (0, 2, 0, 0)
    assert every.world.all("select to_jsonb(m)::text from media_assets m order by id") == rows
    assert every.place(again=True).placed == 2


def test_what_somebody_closes_is_taken_out_of_the_public_store_by_the_next_pass(every: Files) -> None:
    world = every.world
    teller = world.storyteller(show_photo=True)
    story = world.story(teller)
    picture, photo = every.file(story_id=story), every.file("profile_image", storyteller_id=teller)
    every.place()
    assert all("public" in str(every.row(file)[0]) for file in (picture, photo))
    world.do("update storytellers set show_photo = false")
    done = every.place()
    assert (done.closed, done.placed) == (1, 1)
    assert ("public" in str(every.row(picture)[0]), "public" in str(every.row(photo)[0])) == (True, False)
    every.withdraw(teller)
    assert every.verify().problems == {check.OPEN: [str(picture)]}
    done = every.place()
    assert (done.closed, done.placed) == (1, 1)
    assert "public" not in str(every.row(picture)[0])
    assert every.verify().ok


def test_what_is_opened_moves_and_leaves_nothing_behind(folders: Files) -> None:
    story = folders.world.story(folders.world.storyteller(), published=False)
    file = folders.file(story_id=story)
    folders.place()
    assert (len(folders.on_disk("private")), folders.on_disk("public")) == (1, set())
    folders.world.do(
        "update stories set status = 'published', published_at = '2026-01-01', privacy = 'public' where id = %s",
        story,
    )
    assert folders.place().placed == 1
    assert (folders.on_disk("private"), len(folders.on_disk("public"))) == (set(), 1)
    assert folders.path(file, "public").is_file()


def test_without_a_public_store_everything_is_private(files: Files) -> None:
    file = files.file()
    files.place()
    assert files.row(file)[0] == "served"
    assert len(files.on_disk("private")) == 1


def test_files_in_a_store_that_is_not_named_any_more_are_told(
    folders: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folders.file()
    folders.place()
    monkeypatch.delenv("MEDIA_PUBLIC_STORE_URL")
    assert folders.verify().problems == {check.ELSEWHERE: [str(file)]}
    done = folders.place()
    assert (done.placed, done.left) == (1, 1)
    assert folders.row(file)[0] == "app-private"
    assert len(folders.on_disk("public")) == 1
    assert folders.place().left == 0


def test_a_withdrawal_during_the_pass_leaves_nothing_public(
    folders: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    teller = folders.world.storyteller()
    file = folders.file(story_id=folders.world.story(teller))
    bring = engine._bring

    def and_then_withdraw(*arguments: Any) -> str:
        said = bring(*arguments)
        folders.withdraw(teller)
        return said

    monkeypatch.setattr(engine, "_bring", and_then_withdraw)
    monkeypatch.setattr(engine, "THREADS", 1)
    done = folders.place()
    assert (done.placed, done.changed, folders.on_disk("public")) == (0, 1, set())
    assert folders.row(file) == (None, None)
    monkeypatch.undo()


def test_an_erased_persons_files_go_with_the_next_pass(folders: Files) -> None:
    world = folders.world
    teller = world.storyteller(
        airtable_base_id="appSynthetic", airtable_table_id="tblSynthetic", airtable_record_id="recErased"
    )
    picture = folders.file(story_id=world.story(teller))
    form = folders.file("consent_form", storyteller_id=teller)
    kept = folders.file()
    folders.place()
    paths = [folders.path(picture, "public"), folders.path(form)]
    request = world.row(
        "erasure_requests", scope="storyteller", storyteller_id=teller, requested_by=world.account()
    )
    world.do("select private.erase(%s)", request)
    assert all(path.is_file() for path in paths)
    assert folders.place().removed == 2
    assert not any(path.exists() for path in paths)
    assert folders.path(kept, "public").is_file()


def test_another_content_takes_the_earlier_ones_place(folders: Files) -> None:
    file = folders.file("consent_form", storyteller_id=folders.world.storyteller())
    folders.place()
    before = folders.path(file)
    newer = folders.file("consent_form", content=b"newer", storyteller_id=folders.world.storyteller())
    folders.world.do(
        "update media_assets m set (sha256, object_key, size_bytes) = (select sha256, object_key, size_bytes "
        "from media_assets where id = %s) where id = %s",
        newer,
        file,
    )
    assert folders.verify().problems[check.STALE] == [str(file)]
    done = folders.place()
    assert (done.placed, done.removed) == (2, 1)
    assert (folders.path(file).read_bytes(), before.exists()) == (b"newer", False)


def test_the_apps_own_files_are_left_alone(folders: Files) -> None:
    folders.file()
    folders.place()
    own = folders.folders["private"] / "staging" / "story_image" / "uploaded by somebody.png"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_bytes(b"theirs")
    assert folders.place().removed == 0
    assert own.read_bytes() == b"theirs"
    assert folders.verify().ok


def test_a_file_without_bytes_or_with_other_bytes_is_told_and_the_rest_is_placed(files: Files) -> None:
    lost, damaged, good = files.file(), files.file(), files.file()
    files.world.row("media_assets", role="story_image", position=1, attachment_id="att0",
                    story_id=files.world.story(files.world.storyteller()))  # fmt: skip
    files.store.delete(f"media/{files.hashes[lost]}")
    files.store.put(f"media/{files.hashes[damaged]}", b"other")
    done = files.place()
    assert (done.placed, done.problems) == (1, {engine.LOST: [str(lost)], engine.DAMAGED: [str(damaged)]})
    assert files.row(good) != (None, None)
    assert files.row(damaged) == (None, None)
    assert len(files.on_disk("private")) == 1
    assert [event.outcome for event in events.read(files.conn)] == ["begun", "failed"]
    assert set(files.verify().problems[check.NOT_PLACED]) == {str(lost), str(damaged)}


@pytest.mark.parametrize("kind", ["folders", "rclone"])
def test_wrong_bytes_in_the_store_are_found_and_put_right(kind: str, request: pytest.FixtureRequest) -> None:
    files: Files = request.getfixturevalue(kind)
    teller = files.world.storyteller()
    good, other, gone = (files.file("consent_form", storyteller_id=teller, position=n) for n in (1, 2, 3))
    files.place()
    path = files.path(other)
    written = path.stat()
    path.write_bytes(bytes(len(path.read_bytes())))
    os.utime(
        path, ns=(written.st_atime_ns, written.st_mtime_ns)
    )  # rclone ends a transfer of what changed under it
    files.delete(gone)
    found = files.verify()
    assert found.problems == {check.OTHER_BYTES: [str(other)], check.MISSING: [str(gone)]}
    assert files.place(again=True).problems == {}
    assert files.verify() == check.Verified(3, {}, 0)
    assert files.path(good).is_file()


def test_a_store_that_gives_other_bytes_back_is_not_believed(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = files.file()
    put = ObjectStore.put_as

    def damaging(self: ObjectStore, key: str, data: Path, content_type: str, *, create: bool = False) -> None:
        data.write_bytes(b"damaged on the way")
        put(self, key, data, content_type, create=create)

    monkeypatch.setattr(ObjectStore, "put_as", damaging)
    assert files.place().problems == {engine.REFUSED: [str(file)]}
    assert (files.row(file), files.on_disk("private")) == ((None, None), set())


def test_naming_the_place_is_no_local_change_and_the_app_finds_it(folders: Files) -> None:
    teller = folders.world.storyteller(show_photo=True)
    story = folders.world.story(teller)
    picture, photo = folders.file(story_id=story), folders.file("profile_image", storyteller_id=teller)
    own = folders.world.one("select public.story_detail(%s) -> 'images' ->> 0", story)
    assert own == f"media/{folders.hashes[picture]}"
    folders.place()
    assert folders.world.all("select distinct locally_changed from media_assets") == [(False,)]
    place = folders.world.one(SEEN, picture)
    detail = folders.world.ask("anon", None, "select public.story_detail(%s)", story)
    assert detail["images"] == [place]
    assert detail["authors"][0]["photo"] == folders.world.one(SEEN, photo)
    page = folders.world.ask("anon", None, "select public.stories_page(1, 10)")
    assert page["stories"][0]["image"] == place
    assert folders.world.ask("anon", None, SEEN, picture) == place
    with folders.world.session("anon") as conn:
        assert conn.execute("select id from media_assets where id = %s", (photo,)).fetchall() == []
    changed = "update media_assets set position = 9 where id = %s"
    folders.world.do(changed, picture)
    assert folders.world.one("select locally_changed from media_assets where id = %s", picture)


def test_a_freeze_refuses_it_and_the_cut_over_passes(files: Files) -> None:
    file = files.file()
    files.world.freeze()
    with pytest.raises(TargetError, match="moving to the new archive"):
        files.place()
    assert files.row(file) == (None, None)
    assert files.place(during_freeze=True).placed == 1
    lines = files.world.all("select row_id, changed from audit.log where run = 'media place by a tester'")
    assert lines == [(str(file), ["storage_bucket", "storage_key", "placed_at"])]
    assert files.world.all("select locally_changed from media_assets") == [(False,)]


def test_a_private_bucket_that_anybody_can_fetch_from_is_refused(moto: Files, moto_server: Any) -> None:
    moto.file("consent_form", storyteller_id=moto.world.storyteller())
    bucket = os.environ["MEDIA_STORE_URL"].removeprefix("s3://")
    moto_server.client().put_bucket_acl(Bucket=bucket, ACL="public-read")
    moto_server.client().put_bucket_policy(
        Bucket=bucket,
        Policy='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", '
        f'"Resource": "arn:aws:s3:::{bucket}/*"}}]}}',
    )
    with pytest.raises(SettingsError, match="anybody can fetch from bucket"):
        moto.place()
    assert moto_server.client().list_objects_v2(Bucket=bucket).get("KeyCount") == 0
    assert moto.world.one("select count(storage_key) from media_assets") == 0


def test_what_a_bucket_serves_it_as(moto: Files, moto_server: Any) -> None:
    picture, page = moto.file(), moto.file(content_type="text/html")
    moto.place()
    for file, served_as in ((picture, "image/png"), (page, "application/octet-stream")):
        bucket, key = moto.row(file)
        assert moto_server.client().head_object(Bucket=bucket, Key=key)["ContentType"] == served_as


def test_files_out_of_an_encrypted_store(files: Files, tmp_path: Path) -> None:
    key = Identity.generate()
    plain = files.store
    file = files.file(content=os.urandom(200_000))
    (tmp_path / "sealed").mkdir()
    sealed = SealedStore(
        open_store((tmp_path / "outside").as_uri()), key, [key.recipient], tmp_path / "sealed"
    )
    sealed.put(f"media/{files.hashes[file]}", plain.get(f"media/{files.hashes[file]}"))
    plain.delete(f"media/{files.hashes[file]}")
    files.store = sealed
    assert files.place().placed == 1
    assert files.verify().ok
    assert hashlib.sha256(files.path(file).read_bytes()).hexdigest() == files.hashes[file]


def test_no_name_and_no_word_is_recorded(files: Files) -> None:
    file = files.file()
    files.place()
    told = events.read(files.conn)
    assert [(one.action, one.outcome, one.run_id) for one in told] == [
        ("media_place", "begun", "run-1"),
        ("media_place", "done", "run-1"),
    ]
    assert "Nora" not in str(told)
    assert "Nora" not in str(files.row(file))
