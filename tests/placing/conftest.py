"""Fixtures: a migrated world with files in the migration's own store, and the stores that the app serves from."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import url2pathname
from uuid import UUID

import psycopg
import pytest

from ledger_assets import people
from ledger_assets.demo.postgres import Cluster
from ledger_assets.environment import Environment, Settings, read_settings
from ledger_assets.placing.place import Placed
from ledger_assets.placing.verify import Verified
from ledger_assets.storage import ObjectStore
from tests.backup import s3
from tests.schema.world import World

_numbers = itertools.count(1)


@dataclass
class Files:
    """Hands on one database, its files, and where they are placed. ``folders``: the private and the public store on disk."""

    world: World
    conn: psycopg.Connection
    store: ObjectStore
    settings: Settings
    folders: dict[str, Path] = field(default_factory=dict)
    hashes: dict[UUID, str] = field(default_factory=dict)

    def file(self, kind: str = "story_image", content: bytes | None = None, **columns: Any) -> UUID:
        """A row with its bytes in the migration's own store."""
        number = next(_numbers)
        content = f"bytes {number}".encode() if content is None else content
        sha256 = hashlib.sha256(content).hexdigest()
        if self.store.size(f"media/{sha256}") is None:
            self.store.put(f"media/{sha256}", content)
        values = {
            "role": kind,
            "position": 1,
            "attachment_id": f"att{number}",
            "file_name": "Nora Invented.png",
            "content_type": "image/png",
            "size_bytes": len(content),
            "sha256": sha256,
            "object_key": f"media/{sha256}",
            **columns,
        }
        if "story_id" not in values and "storyteller_id" not in values:
            values["story_id"] = self.world.story(self.world.storyteller())
        with self.conn.transaction():
            self.world.do("set local migration.writer = 'on'")
            made = self.world.row("media_assets", **values)
        self.hashes[made] = sha256
        return made

    def place(self, **options: Any) -> Placed:
        return people.place_media(
            self.settings, self.conn, self.store, run_id="run-1", who="a tester", **options
        )

    def verify(self) -> Verified:
        return people.verify_media(self.settings, self.conn)

    def withdraw(self, person: UUID) -> None:
        self.world.do(
            "update consents set state = 'withdrawn' where storyteller_id = %s and purpose = 'public_sharing'",
            person,
        )

    def row(self, file: UUID) -> tuple[str | None, str | None]:
        ((bucket, key),) = self.world.all(
            "select storage_bucket, storage_key from media_assets where id = %s", file
        )
        return bucket, key

    def on_disk(self, where: str) -> set[str]:
        """Keys below a store's folder on disk, of the environment."""
        root = self.folders[where] / "staging"
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}

    def delete(self, file: UUID) -> None:
        """Take the placed file out of its store."""
        bucket, key = self.row(file)
        assert bucket is not None
        assert key is not None
        for shelf in people.shelves(self.settings):
            if (own := shelf.key(bucket, key)) is not None:
                shelf.store.delete(own)

    def path(self, file: UUID, where: str = "private") -> Path:
        key = self.row(file)[1]
        assert key is not None
        return self.folders[where] / key


@pytest.fixture(scope="session")
def rclone_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Server]:
    with s3.rclone(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture(scope="session")
def moto_server() -> Iterator[s3.Server]:
    with s3.moto() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(Environment.STAGING, {"LEDGER_HOME": str(tmp_path / "ledger")})


@pytest.fixture
def files(
    conn: psycopg.Connection, cluster: Cluster, store: ObjectStore, settings: Settings, tmp_path: Path
) -> Files:
    """Without a setting: a private folder in the home."""
    conn.autocommit = True
    found = Files(World(conn, cluster.admin_url(conn.info.dbname)), conn, store, settings)
    found.folders["private"] = settings.home / "served"
    return found


@pytest.fixture
def folders(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """A private and a public folder."""
    for where, name in (("private", "MEDIA_STORE_URL"), ("public", "MEDIA_PUBLIC_STORE_URL")):
        files.folders[where] = tmp_path / f"app-{where}"
        monkeypatch.setenv(name, files.folders[where].as_uri())
    assert url2pathname(files.folders["private"].as_uri())
    return files


def buckets(files: Files, server: s3.Server, monkeypatch: pytest.MonkeyPatch) -> Files:
    """The files' stores as two fresh buckets of ``server``."""
    for where, name in (("private", "MEDIA_STORE_URL"), ("public", "MEDIA_PUBLIC_STORE_URL")):
        bucket = f"media-{where}-{next(_numbers)}"
        server.client().create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.REGION}
        )
        monkeypatch.setenv(name, f"s3://{bucket}")
        if server.folder is not None:
            files.folders[where] = server.folder / bucket
    monkeypatch.setenv("MEDIA_S3_ENDPOINT", server.endpoint)
    monkeypatch.setenv("MEDIA_S3_REGION", s3.REGION)
    monkeypatch.setenv("MEDIA_ACCESS_KEY_ID", s3.ACCESS_KEY)
    monkeypatch.setenv("MEDIA_SECRET_ACCESS_KEY", s3.SECRET_KEY)
    return files


@pytest.fixture
def rclone(files: Files, rclone_server: s3.Server, monkeypatch: pytest.MonkeyPatch) -> Files:
    return buckets(files, rclone_server, monkeypatch)


@pytest.fixture
def moto(files: Files, moto_server: s3.Server, monkeypatch: pytest.MonkeyPatch) -> Files:
    return buckets(files, moto_server, monkeypatch)


@pytest.fixture(params=["folders", "rclone", "moto"])
def every(request: pytest.FixtureRequest) -> Files:
    """Each kind of store in turn, with a private and a public one."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Files)
    return found
