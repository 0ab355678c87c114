"""Lanes that a whole module of tests shares: set up once, with a base that the module has prepared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ledger_assets import connections
from ledger_assets.cli.session import instance
from ledger_assets.demo.postgres import OWNER, Cluster
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import Environment, read_settings

from .conftest import Lane

OF_A_LANE = ("DATABASE_URL", "STAGING_DATABASE_URL", "OBJECT_STORE_URL", "LEDGER_MAPPINGS", "LEDGER_PROFILE")


@contextmanager
def open_lane(home: Path, airtable: LocalAirtable, **more: str) -> Iterator[Lane]:
    """A lane in ``home`` that reads ``airtable``; ``more``: further settings."""
    environ = {
        "LEDGER_HOME": str(home),
        "AIRTABLE_ENDPOINT_URL": airtable.url,
        "AIRTABLE_API_KEY": airtable.api_key,
        "AIRTABLE_BASE_ID": airtable.base_id,
        "AIRTABLE_REQUESTS_PER_SECOND": "100000",
        **more,
    }
    with set_environ(environ), instance(home) as dagster_instance:
        settings = read_settings(Environment.STAGING)
        with connections.database(settings, purpose="test"):
            pass  # an embedded database gets its schema when it is first opened
        yield Lane(settings, dagster_instance, airtable, connections.object_store(settings))


@contextmanager
def set_environ(environ: Mapping[str, str]) -> Iterator[None]:
    """These settings of a lane and no others."""
    with pytest.MonkeyPatch.context() as patch:
        for name in OF_A_LANE:
            patch.delenv(name, raising=False)
        for name, value in environ.items():
            patch.setenv(name, value)
        yield


@contextmanager
def database(cluster: Cluster, template: str, name: str) -> Iterator[str]:
    """The address of a new database with the schema and no rows."""
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        names = map(sql.Identifier, (name, template, OWNER))
        admin.execute(sql.SQL("create database {} template {} owner {}").format(*names))
        yield cluster.url(name)
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
