"""Fixtures that every part shares: one real Postgres per test process, a fresh database per test, a store.

What belongs here: what more than one folder of tests needs. The cluster is the product's own
(``demo.postgres``), without fsync; each test's database is a copy of a template with shim and migrations.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql

from ledger_assets.demo.postgres import OWNER, Cluster
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply
from ledger_assets.storage import ObjectStore, open_store

MARKED = {
    "recovery": (
        "tests/backup/",
        "tests/erasure/",
        "tests/runbook/test_recovery_page.py",
        "tests/lane/test_snapshots.py",
        "tests/lane/test_bad_migration.py",
    ),
    "night": (
        "tests/accounts/",
        "tests/announce/",
        "tests/cutover/",
        "tests/freeze/",
        "tests/health/",
        "tests/lane/test_health.py",
        "tests/lane/test_sync.py",
        "tests/loadtest/",
        "tests/placing/",
        "tests/records/",
        "tests/runbook/test_runbook.py",
        "tests/switch/",
        "tests/sync/",
    ),
}
"""Too slow beside the rest (whole databases come and go, processes are killed): targets of their own."""
LONGEST = "tests/runbook/"
"""A whole page each: begun last, one of two workers would wait for it."""
EMPTY = "template_empty"
MIGRATED = "template_migrated"
_numbers = itertools.count(1)

# Hypothesis gives an example 200 ms: beside other work on two processors that is a test of the machine.
hypothesis.settings.register_profile("untimed", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what belongs to ``make test-recovery`` and ``make test-night``; their longest tests begin first."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    for item in items:
        for marker, places in MARKED.items():
            if item.nodeid.startswith(places):
                item.add_marker(marker)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster of this test process; stopped at the end."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), durable=False)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def empty_template(cluster: Cluster) -> str:
    """A database with what Supabase gives, and nothing of ours."""
    cluster.ensure_database(EMPTY)
    return EMPTY


@pytest.fixture(scope="session")
def migrated_template(cluster: Cluster) -> str:
    """A database with all migrations applied."""
    cluster.ensure_database(MIGRATED)
    with connect(cluster.url(MIGRATED), application_name="tests") as connection:
        apply(connection)
    return MIGRATED


@pytest.fixture
def database_url(cluster: Cluster, migrated_template: str) -> Iterator[str]:
    """Address of a fresh database with all migrations applied, as the role that is not superuser."""
    yield from _copy_of(cluster, migrated_template)


@pytest.fixture
def empty_database_url(cluster: Cluster, empty_template: str) -> Iterator[str]:
    """Address of a fresh database without any of our schema."""
    yield from _copy_of(cluster, empty_template)


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection to ``database_url`` as the product opens it."""
    with connect(database_url, application_name="tests") as connection:
        yield connection


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    """An object store in the test's own folder."""
    return open_store((tmp_path / "objects").as_uri())


def _copy_of(cluster: Cluster, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute(
            sql.SQL("create database {} template {} owner {}").format(
                *map(sql.Identifier, (name, template, OWNER))
            )
        )
        yield cluster.url(name)
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
