"""Fixtures of the erasure's tests: the local Airtable server with a base in which one person is one word."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger_assets.demo.base import create_base
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.storage import ObjectStore
from tests.erasure.world import Person, Steps, plant


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Person]:
    """The base with the person, made once."""
    path = tmp_path_factory.mktemp("base") / "base.sqlite"
    create_base(path, seed=11, scale=150)
    with LocalAirtable(path, requests_per_second=100_000) as airtable:
        person = plant(airtable)
    return path, person


@pytest.fixture
def person(planted: tuple[Path, Person]) -> Person:
    return planted[1]


@pytest.fixture
def steps(
    planted: tuple[Path, Person], tmp_path: Path, conn: psycopg.Connection, store: ObjectStore
) -> Iterator[Steps]:
    path = Path(shutil.copyfile(planted[0], tmp_path / "base.sqlite"))
    with LocalAirtable(path, requests_per_second=100_000) as airtable:
        yield Steps(airtable, store, conn, tmp_path / "home")
