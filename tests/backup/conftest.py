"""Fixtures of the backups' tests: two S3 servers for the whole run, a fresh bucket for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger_assets.backup.settings import BucketSettings
from tests.backup import s3


@pytest.fixture(scope="session")
def moto_server() -> Iterator[s3.Server]:
    """moto: versions, locks, conditional writes."""
    with s3.moto() as server:
        yield server


@pytest.fixture(scope="session")
def rclone_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Server]:
    """rclone: checks signatures, keeps objects as files."""
    with s3.rclone(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture
def moto_bucket(moto_server: s3.Server) -> BucketSettings:
    """A fresh bucket on moto."""
    return moto_server.bucket()


@pytest.fixture
def rclone_bucket(rclone_server: s3.Server) -> BucketSettings:
    """A fresh bucket on rclone."""
    return rclone_server.bucket()


@pytest.fixture(params=["moto", "rclone"])
def s3_server(request: pytest.FixtureRequest) -> s3.Server:
    """Each server in turn."""
    server = request.getfixturevalue(f"{request.param}_server")
    assert isinstance(server, s3.Server)
    return server


@pytest.fixture
def s3_bucket(s3_server: s3.Server) -> BucketSettings:
    """A fresh bucket on each server in turn."""
    return s3_server.bucket()
