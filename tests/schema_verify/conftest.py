"""The catalogue that the migrations make, and a database to change by hand: every change is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger_assets.demo.postgres import Cluster
from ledger_assets.lane import scratch_database
from ledger_assets.load.connect import connect
from ledger_assets.schema import expected
from ledger_assets.schema.catalogue import Catalogue, read


@pytest.fixture(scope="session")
def made(cluster: Cluster, migrated_template: str) -> Catalogue:
    """What the migrations make, read from a scratch database as the command does."""
    with (
        connect(cluster.url("postgres"), application_name="tests") as connection,
        scratch_database(connection) as scratch,
    ):
        return read(scratch)


@pytest.fixture
def admin(cluster: Cluster, migrated_template: str) -> Iterator[psycopg.Connection]:
    """The superuser in a migrated database; nothing of it stays, roles and settings included."""
    with psycopg.connect(cluster.admin_url(migrated_template)) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def release(conn: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a release made of the migrations as they are; the test may change it."""
    path = tmp_path / "expected.json"
    with scratch_database(conn) as scratch:
        path.write_text(expected.dumped(scratch), "utf-8")
    monkeypatch.setattr(expected, "FILE", path)
    return path
