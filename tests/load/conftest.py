"""Fixtures of the load's tests: a base with circular links and a database with its tables."""

from __future__ import annotations

import psycopg
import pytest
from load_world import DDL, FEBRUARY, World

from ledger_assets.storage import ObjectStore


@pytest.fixture
def db(conn: psycopg.Connection) -> psycopg.Connection:
    """A database with our schema and the tables of :mod:`load_world`."""
    conn.execute(DDL)
    conn.commit()
    return conn


@pytest.fixture
def world(store: ObjectStore) -> World:
    """Two people and two works that refer to each other in a circle."""
    world = World(store)
    world.person("recAnna", "Anna Invented", favourite="recRiver")
    world.person("recBen", "Ben Made-up", created=FEBRUARY, favourite="recStone")
    world.work(
        "recRiver",
        "The river",
        body="One line\n\\.\nand \\N\tmore",
        tags=['a "b"', "c,d", ""],
        lead="recBen",
        by=["recAnna"],
    )
    world.work("recStone", "", created=FEBRUARY, pages=3, lead="recAnna", by=["recBen", "recAnna"])
    return world
