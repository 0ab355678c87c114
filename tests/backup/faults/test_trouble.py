"""Disk, network, credentials, password, other runs: one clear line, no false success, nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from ledger_assets import backups
from ledger_assets.backup import catalogue, notices
from ledger_assets.backup.identity import WrongPassword
from ledger_assets.backup.place import Place, open_place
from ledger_assets.backup.settings import BucketSettings
from ledger_assets.environment import Environment, Settings, read_settings
from ledger_assets.errors import LedgerError, SettingsError, StoreError
from ledger_assets.storage import ObjectStore, open_store
from ledger_assets.storage_s3 import Patience
from tests.backup import s3
from tests.backup.faults.places import PASSWORD, everything, find, objects, place_at, taken, verified
from tests.backup.faults.victim import victim

SOON = Patience(
    retries=2,
    most=timedelta(seconds=4),
    backoff=timedelta(milliseconds=1),
    silence=timedelta(milliseconds=300),
)
MEDIUM = """
create schema airtable;
create table airtable.words (id int primary key, word text);
insert into airtable.words select n, md5(n::text) || md5((n + 1)::text) from generate_series(1, 3000) n;
"""
"""A table whose file is larger than anything else in the dump, and does not shrink much."""


def snapshots_of(place: Place) -> list[str]:
    """Keys of all that lies in the folder of snapshots."""
    return [info.key for info in place.vault.list("snapshots")]


def assert_one_line(error: BaseException) -> None:
    assert "\n" not in str(error)
    assert len(str(error)) < 500


@contextmanager
def disturbed(
    server: s3.Server, home: Path, scratch_url: str | None = None
) -> Iterator[tuple[Place, s3.Proxy]]:
    """A place whose bucket is reached through a proxy."""
    bucket = server.bucket()
    with s3.proxy(server) as proxy:
        yield (
            place_at(home, replace(bucket, endpoint=proxy.endpoint), patience=SOON, scratch_url=scratch_url),
            proxy,
        )


@pytest.mark.parametrize("where", ["while dumping", "while sealing"])
def test_a_full_disk_leaves_nothing(
    moto_server: s3.Server,
    tmp_path: Path,
    cluster_url: Callable[[str], str],
    files: ObjectStore,
    where: str,
) -> None:
    place, url = place_at(tmp_path / "home", moto_server.bucket()), cluster_url(MEDIUM)
    largest = max(one.plain_size for one in taken(place, files, url).objects.values())
    before = everything(place.vault)
    with victim(place, url, files.url) as process:
        code, said = process.take(limit=largest - 20_000 if where == "while dumping" else largest + 50)
        assert code == 2, said
        assert ("pg_dump failed, nothing was kept" if where == "while dumping" else "make room") in said
        assert_one_line(StoreError(said))
        assert everything(place.vault) == before
        assert not list((tmp_path / "home" / "tmp").glob("files-*"))
        assert process.take(limit=largest * 3)[0] == 0


@pytest.mark.parametrize("after", [0, 7])
def test_expired_credentials_are_told_and_the_next_run_is_fine(
    s3_server: s3.Server, tmp_path: Path, tiny_url: str, files: ObjectStore, scratch_url: str, after: int
) -> None:
    with disturbed(s3_server, tmp_path / "home", scratch_url) as (place, proxy):
        puts = []

        def expired(request: s3.Seen) -> s3.Answer | None:
            puts.extend([request.path] * (request.method == "PUT"))
            return s3.Answer(403, "ExpiredToken") if len(puts) > after else None

        proxy.disturb = expired
        with pytest.raises(StoreError, match="credentials have expired") as caught:
            taken(place, files, tiny_url)
        assert_one_line(caught.value)
        assert str(caught.value).startswith(
            "object "
        )  # the first failure, not that of listing what to tidy up after it
        assert len(puts) < after + 8  # a refusal is not asked again and again
        proxy.disturb = lambda _: None
        assert catalogue.read(place).snapshots == ()
        manifest = taken(place, files, tiny_url)
        assert verified(place, manifest).passed
        assert s3.dangling(s3_server, place.backup.bucket) == []


@pytest.mark.parametrize("answer", [s3.Answer(503, "SlowDown"), s3.Answer(200, hang=True)], ids=str)
def test_a_store_in_trouble_is_asked_again(
    s3_server: s3.Server,
    tmp_path: Path,
    tiny_url: str,
    files: ObjectStore,
    scratch_url: str,
    answer: s3.Answer,
) -> None:
    """Many a request meets trouble once."""
    with disturbed(s3_server, tmp_path / "home", scratch_url) as (place, proxy):
        met = set()

        def now_and_then(request: s3.Seen) -> s3.Answer | None:
            this = (request.method, request.path)
            # What wrote nothing yet is asked again after silence; a write that may have been done is told instead.
            if (
                len(proxy.seen) % (3 if answer.hang else 10)
                or this in met
                or (answer.hang and request.method == "PUT")
            ):
                return None
            met.add(this)
            return answer

        proxy.disturb = now_and_then
        manifest = taken(place, files, tiny_url)
        assert met
        proxy.disturb = lambda _: None
        assert verified(place, manifest).passed


@pytest.mark.parametrize(
    "answer", [s3.Answer(503, "SlowDown"), s3.Answer(500), s3.Answer(200, hang=True)], ids=str
)
def test_a_store_that_stays_in_trouble_is_told_and_nothing_is_left(
    moto_server: s3.Server, tmp_path: Path, tiny_url: str, files: ObjectStore, answer: s3.Answer
) -> None:
    with disturbed(moto_server, tmp_path / "home") as (place, proxy):
        proxy.disturb = lambda request: (
            answer if request.method == "PUT" and "contents.json" in request.path else None
        )
        with pytest.raises(
            StoreError, match=r"object snapshots/.*contents\.json\.age cannot be written"
        ) as caught:
            taken(place, files, tiny_url)
        assert_one_line(caught.value)
        proxy.disturb = lambda _: None
        assert snapshots_of(place) == []


def test_parts_of_a_large_file_do_not_stay_behind(
    s3_server: s3.Server, tmp_path: Path, cluster_url: Callable[[str], str]
) -> None:
    import hashlib

    data = os.urandom(20 * 1024 * 1024)
    sha256 = hashlib.sha256(data).hexdigest()
    files = objects(tmp_path)
    files.put(f"media/{sha256}", data)
    url = cluster_url(
        "create schema airtable; create table airtable.attachments (object_key text, file_sha256 text); "
        f"insert into airtable.attachments values ('media/{sha256}', '{sha256}')"
    )
    with disturbed(s3_server, tmp_path / "home") as (place, proxy):
        proxy.disturb = lambda request: s3.Answer(503, "SlowDown") if "partNumber=2" in request.path else None
        with pytest.raises(StoreError, match=r"object media/.* cannot be written"):
            taken(place, files, url)
        proxy.disturb = lambda _: None
        assert s3.dangling(s3_server, place.backup.bucket) == []
        assert snapshots_of(place) == []
        assert list(place.vault.list("media")) == []
        taken(place, files, url)
        assert len(list(place.vault.list("media"))) == 1


def test_a_deleted_bucket_is_told(
    s3_server: s3.Server, tmp_path: Path, tiny_url: str, files: ObjectStore
) -> None:
    bucket = s3_server.bucket()
    place = place_at(tmp_path / "home", bucket)
    client, name = s3_server.client(), s3.bucket_name(bucket)
    for info in client.list_objects_v2(Bucket=name)["Contents"]:
        client.delete_object(Bucket=name, Key=info["Key"])
    client.delete_bucket(Bucket=name)
    with pytest.raises(StoreError, match="there is no such bucket") as caught:
        taken(place, files, tiny_url)
    assert_one_line(caught.value)


def test_two_runs_at_once_both_end_with_a_snapshot_of_their_own(
    s3_server: s3.Server, tmp_path: Path, tiny_url: str, files: ObjectStore, scratch_url: str
) -> None:
    place = place_at(tmp_path / "home", s3_server.bucket(), scratch_url=scratch_url)
    with victim(place, tiny_url, files.url) as one, victim(place, tiny_url, files.url) as other:
        for _ in range(2):
            one.begin()
            other.begin()
            ended = [one.end(), other.end()]
            assert [code for code, _ in ended] == [0, 0], ended
    known = catalogue.read(place)
    assert len({snapshot.id for snapshot in known.snapshots}) == 4
    assert known.unfinished == ()
    assert all(verified(place, snapshot.manifest).passed for snapshot in known.snapshots)


def settings_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str | None, **environ: str) -> Settings:
    """Settings of staging with backups in a folder."""
    home = tmp_path / "home"
    for name in ("DATABASE_URL", "STAGING_DATABASE_URL", "OBJECT_STORE_URL", "BACKUP_WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LEDGER_HOME", str(home))
    monkeypatch.setenv("BACKUP_BUCKET", (tmp_path / "bucket").as_uri())
    monkeypatch.setenv("BACKUP_ENCRYPTION_PASSWORD", PASSWORD)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return replace(read_settings(Environment.STAGING), database_url=url)


def test_a_wrong_password_is_told_before_anything_is_touched(
    tmp_path: Path, files: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:9/nothing"
    settings = settings_of(tmp_path, monkeypatch, nowhere)
    place = place_at(tmp_path / "home", BucketSettings((tmp_path / "bucket" / "staging").as_uri()))
    before = everything(place.vault)
    monkeypatch.setenv("BACKUP_ENCRYPTION_PASSWORD", PASSWORD + "x")
    with pytest.raises(WrongPassword, match="BACKUP_ENCRYPTION_PASSWORD does not open") as caught:
        backups.take(settings, files, kind="full", reason="test")
    assert_one_line(caught.value)
    assert PASSWORD not in str(caught.value)
    monkeypatch.delenv("BACKUP_ENCRYPTION_PASSWORD")
    with pytest.raises(SettingsError, match="BACKUP_ENCRYPTION_PASSWORD is not set"):
        backups.take(settings, files, kind="full", reason="test")
    assert everything(place.vault) == before


def test_an_emptied_bucket_gets_no_new_key(
    tmp_path: Path, files: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path, monkeypatch, "postgresql://nobody@127.0.0.1:9/nothing")
    with pytest.raises(SettingsError, match=r"holds no key of backups: .*backup setup staging"):
        open_place(settings)
    assert everything(open_store((tmp_path / "bucket" / "staging").as_uri())) == {}


def test_a_dead_notifier_fails_no_backup(
    tmp_path: Path, database_url: str, scratch_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(
        tmp_path,
        monkeypatch,
        database_url,
        BACKUP_WEBHOOK_URL="http://127.0.0.1:9/nobody",
        SCRATCH_DATABASE_URL=scratch_url,
    )
    place_at(tmp_path / "home", BucketSettings((tmp_path / "bucket" / "staging").as_uri()))
    told = []

    def tell(message: object) -> None:
        told.append(notices.send(settings.environment, message, now=datetime.now(UTC)))  # type: ignore[arg-type]  # take() hands over messages

    done = backups.take(settings, objects(tmp_path), kind="full", reason="test", tell=tell)
    assert done.verification.passed, done.verification.problems
    assert find(open_place(settings), done.snapshot.manifest).word == "verified"
    assert told
    assert all(one.sent == 0 and one.waiting >= 1 for one in told)


def test_a_snapshot_whose_database_is_gone_is_told_to_people(
    tmp_path: Path, files: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path, monkeypatch, "postgresql://nobody@127.0.0.1:9/nothing")
    place_at(tmp_path / "home", BucketSettings((tmp_path / "bucket" / "staging").as_uri()))
    told: list[object] = []
    with pytest.raises(LedgerError) as caught:
        backups.take(settings, files, kind="full", reason="test", tell=told.append)
    assert_one_line(caught.value)
    assert [one.kind.value for one in told] == ["snapshot_failed"]  # type: ignore[attr-defined]  # they are messages


def test_a_live_database_that_cannot_be_reached_keeps_no_snapshot_from_being_verified(
    tmp_path: Path, cluster_url: Callable[[str], str], scratch_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just then somebody asks which snapshot is good."""
    url = cluster_url(
        "create schema migration; create table migration.loads (load_id int, export_id text, ledger_id text, "
        "months text[], committed_at timestamptz); insert into migration.loads values (1, 'x', null, null, now())"
    )
    settings = settings_of(tmp_path, monkeypatch, url, SCRATCH_DATABASE_URL=scratch_url)
    place = place_at(
        tmp_path / "home", BucketSettings((tmp_path / "bucket" / "staging").as_uri()), scratch_url=scratch_url
    )
    store = objects(tmp_path)
    manifest = taken(place, store, url)
    assert manifest.export_id == "x"
    gone = replace(settings, database_url="postgresql://nobody@127.0.0.1:9/nothing")
    done = backups.verify(gone, store, open_place(gone), find(place, manifest))
    assert done.verification.passed
    assert done.compared is None
    assert find(place, manifest).word == "verified"
    with psycopg.connect(url) as conn:
        assert conn.execute("select count(*) from migration.loads").fetchone() == (1,)
