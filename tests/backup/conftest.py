"""Fixtures of the backups' tests: two S3 servers and a tiny database for the whole run, a fresh place for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ledger_assets.backup.place import Place
from ledger_assets.backup.settings import BucketSettings
from ledger_assets.demo.postgres import OWNER, Cluster
from ledger_assets.storage import ObjectStore
from tests.backup import s3
from tests.backup.faults import places

_numbers = itertools.count(1)


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


@pytest.fixture(scope="session")
def tiny_url(cluster: Cluster, empty_template: str) -> str:
    """Address of a database with two tables of ours and a file: fifteen objects."""
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        names = map(sql.Identifier, ("tiny", empty_template, OWNER))
        admin.execute(sql.SQL("create database {} template {} owner {}").format(*names))
    places.tiny(cluster.url("tiny"))
    return cluster.url("tiny")


@pytest.fixture
def files(tmp_path: Path) -> ObjectStore:
    """The store that the tiny database's file lies in."""
    return places.objects(tmp_path)


@pytest.fixture(scope="session")
def scratch_url(cluster: Cluster) -> str:
    """A server for scratch databases that is there already."""
    return cluster.admin_url("postgres")


@pytest.fixture
def place(tmp_path: Path, scratch_url: str) -> Place:
    """A fresh place in a folder."""
    return places.local(tmp_path / "home", scratch_url=scratch_url)


@pytest.fixture
def cluster_url(cluster: Cluster, empty_template: str) -> Iterator[Callable[[str], str]]:
    """Make a database with what the given statements make; its address."""
    made: list[str] = []
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:

        def make(statements: str) -> str:
            name = f"made_{next(_numbers)}"
            names = map(sql.Identifier, (name, empty_template, OWNER))
            admin.execute(sql.SQL("create database {} template {} owner {}").format(*names))
            made.append(name)
            with psycopg.connect(cluster.url(name)) as conn:
                conn.execute(statements.encode())
            return cluster.url(name)

        yield make
        for name in made:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
