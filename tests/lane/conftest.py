"""A whole lane in a folder of its own: the local Airtable server as the base, an embedded Postgres, real runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

from ledger_assets import connections, runs
from ledger_assets.cli.session import instance
from ledger_assets.demo.base import create_base
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import Environment, Settings, read_settings
from ledger_assets.storage import ObjectStore

RECORDS = 400
"""Size of the small base: every kind of record and fault occurs, an export takes well under a second."""


@dataclass
class Lane:
    """One lane under test."""

    settings: Settings
    instance: dg.DagsterInstance
    airtable: LocalAirtable
    store: ObjectStore

    def run(
        self, job: str, *, config: Mapping[str, Any] | None = None, tags: Mapping[str, str] | None = None
    ) -> dg.DagsterRun:
        """Run a job of staging as the commands do."""
        return runs.run_job(self.instance, Environment.STAGING, job, run_config=config, tags=tags)

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows of a query on staging's database."""
        with connections.database(self.settings, purpose="test") as connection:
            return connection.execute(statement.encode(), parameters or None).fetchall()

    def execute(self, statement: str) -> None:
        """A statement on staging's database, committed."""
        with connections.database(self.settings, purpose="test") as connection:
            connection.execute(statement.encode())

    def content(self) -> dict[str, Any]:
        """What a load leaves, for comparing two databases: every public and raw row without times of loading."""
        with connections.database(self.settings, purpose="test") as connection:
            return content(connection)

    def materialised(self, *path: str) -> int:
        """How often an asset was materialised."""
        records = self.instance.fetch_materializations(dg.AssetKey(["staging", *path]), limit=100).records
        return len(records)

    def checks(self, run: dg.DagsterRun) -> dict[tuple[str, str], bool]:
        """The results of a run's checks by (asset, check)."""
        found = self.instance.get_records_for_run(
            run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
        )
        results = {}
        for record in found.records:
            event = record.event_log_entry.dagster_event
            assert event is not None
            evaluation = event.asset_check_evaluation_data
            results["/".join(evaluation.asset_key.path[1:]), evaluation.check_name] = evaluation.passed
        return results


VOLATILE = {"created_at", "updated_at", "export_id", "first_export_id", "loaded_at"}
SIGNED = {"raw", "fields", "sha256"}
"""Of the raw records: differ from export to export by the addresses of files; ``content_sha256`` does not."""


OF_THE_MOMENT = {("airtable", "records"): SIGNED, ("public", "consent_events"): {"id", "at", "run"}}
"""By table: what is made anew by whoever writes the same again."""


def content(connection: psycopg.Connection) -> dict[str, Any]:
    """Rows of every table of schemas public and airtable as text, without what differs from load to load."""
    found: dict[str, Any] = {}
    tables = connection.execute(
        "select table_schema, table_name, array_agg(column_name::text order by column_name) "
        "from information_schema.columns where table_schema = 'public' "
        "or table_schema = 'airtable' and table_name in ('records', 'comments', 'attachments') group by 1, 2"
    ).fetchall()
    for schema, table, columns in tables:
        left_out = VOLATILE | OF_THE_MOMENT.get((schema, table), set())
        kept = map(psycopg.sql.Identifier, (c for c in columns if c not in left_out))
        rows = connection.execute(
            psycopg.sql.SQL("select row({})::text from {}").format(
                psycopg.sql.SQL(",").join(kept), psycopg.sql.Identifier(schema, table)
            )
        ).fetchall()
        found[f"{schema}.{table}"] = sorted(row[0] for row in rows)
    return found


@pytest.fixture(scope="session")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small base of the Empathy Ledger's shape, made once."""
    path = tmp_path_factory.mktemp("base") / "base.sqlite"
    create_base(path, seed=7, scale=RECORDS)
    return path


@pytest.fixture
def airtable(small_base: Path, tmp_path: Path) -> Iterator[LocalAirtable]:
    """The local Airtable server with a copy of the small base, without a limit that tests would wait for."""
    path = tmp_path / "base.sqlite"
    shutil.copyfile(small_base, path)
    with LocalAirtable(path, requests_per_second=100_000) as server:
        yield server


@pytest.fixture
def environ(airtable: LocalAirtable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of the lane; returns LEDGER_HOME."""
    home = tmp_path / "home"
    for name in (
        "DATABASE_URL",
        "STAGING_DATABASE_URL",
        "OBJECT_STORE_URL",
        "LEDGER_MAPPINGS",
        "LEDGER_PROFILE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LEDGER_HOME", str(home))
    monkeypatch.setenv("AIRTABLE_ENDPOINT_URL", airtable.url)
    monkeypatch.setenv("AIRTABLE_API_KEY", airtable.api_key)
    monkeypatch.setenv("AIRTABLE_BASE_ID", airtable.base_id)
    monkeypatch.setenv("AIRTABLE_REQUESTS_PER_SECOND", "100000")
    return home


@pytest.fixture
def lane(environ: Path, airtable: LocalAirtable) -> Iterator[Lane]:
    """A lane whose staging database has the schema and no rows."""
    with instance(environ) as dagster_instance:
        settings = read_settings(Environment.STAGING)
        with connections.database(settings, purpose="test"):
            pass
        yield Lane(settings, dagster_instance, airtable, connections.object_store(settings))


def facts(run: dg.DagsterRun, lane: Lane) -> str:
    """Why a run ended as it did, for an assertion's message."""
    return json.dumps(runs.failures(lane.instance, run.run_id))
