"""Fixtures of the schema's tests: an empty, migrated database, and hands that fill it.

Invariant: one database for all of them, emptied for each: a new one takes longer than most of these tests.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from ledger_assets.demo.postgres import OWNER, Cluster
from tests.schema.world import EVERYTHING, World

NAME = "schema_world"


@pytest.fixture(scope="session")
def world_database(cluster: Cluster, migrated_template: str) -> str:
    """The name of a migrated database."""
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute(
            sql.SQL("create database {} template {} owner {}").format(
                *map(sql.Identifier, (NAME, migrated_template, OWNER))
            )
        )
    return NAME


@pytest.fixture
def world(cluster: Cluster, world_database: str) -> Iterator[World]:
    """A migrated database without a row."""
    with psycopg.connect(cluster.admin_url(world_database)) as admin:
        tables = [sql.Identifier(*name) for name in admin.execute(EVERYTHING).fetchall()]
        # No trigger fires: a test may have left the database frozen. Not TRUNCATE: it makes 300 files anew.
        admin.execute("set session_replication_role = replica")
        for table in tables:
            admin.execute(sql.SQL("delete from {}").format(table))
        admin.execute("insert into migration.maintenance default values")
        admin.execute("insert into migration.live default values")
    with psycopg.connect(cluster.url(world_database), autocommit=True) as owner:
        yield World(owner, cluster.admin_url(world_database))
