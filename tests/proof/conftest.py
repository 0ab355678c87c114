"""Fixtures of the proof's tests: the small base in a real Postgres, loaded once, copied for every test."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ledger_assets.demo.postgres import OWNER, Cluster
from ledger_assets.extract.export import latest_export
from ledger_assets.ledger.store import latest_ledger
from ledger_assets.load.connect import connect
from ledger_assets.storage import ObjectStore, open_store
from ledger_assets.tables import SPECS
from ledger_assets.tables.fields import TableSpec
from tests.proof.small_base import SmallBase, small_base
from tests.proof.world import World, publish

TEMPLATE = "template_proof"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def loaded(
    cluster: Cluster, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A database and an object store that hold the small base."""
    _create(cluster, TEMPLATE, migrated_template)
    folder = tmp_path_factory.mktemp("loaded") / "objects"
    with connect(cluster.url(TEMPLATE), application_name="tests") as conn:
        publish(conn, open_store(folder.as_uri()), small_base(), SPECS)
    return TEMPLATE, folder


@pytest.fixture
def world(cluster: Cluster, loaded: tuple[str, Path], tmp_path: Path) -> Iterator[World]:
    """The small base, loaded, in a database of the test's own."""
    template, folder = loaded
    shutil.copytree(folder, tmp_path / "objects")
    store = open_store((tmp_path / "objects").as_uri())
    name = f"proof_{next(_numbers)}"
    _create(cluster, name, template)
    with connect(cluster.url(name), application_name="tests") as conn:
        base = small_base()
        base.exports = 1
        yield World(conn, store, base, SPECS, latest_export(store), latest_ledger(store))
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def load_base(
    conn: psycopg.Connection, store: ObjectStore
) -> Callable[[SmallBase, Sequence[TableSpec]], World]:
    """Load a base of the test's own into an empty database."""
    return lambda base, specs: publish(conn, store, base, specs)


def _create(cluster: Cluster, name: str, template: str) -> None:
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute(
            sql.SQL("create database {} template {} owner {}").format(
                *map(sql.Identifier, (name, template, OWNER))
            )
        )
