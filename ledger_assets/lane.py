"""One environment's lane, step by step, without Dagster: what the assets and the commands both do.

What belongs here: which export, ledger and database a step takes, and what a load asserts before it begins. What
does not: how a step works (``extract``, ``ledger``, ``load``, ``proof``).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from ledger_assets import reports
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import CheckFailed, TargetError
from ledger_assets.storage import ObjectStore
from ledger_assets.tables.fields import TableSpec

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.extract.export import Export
    from ledger_assets.ledger.store import Ledger
    from ledger_assets.load.report import LoadReport
    from ledger_assets.proof.model import Proof


RAW = "raw_records"
"""Name of schema ``airtable`` among the loaded tables."""


def inputs(store: ObjectStore, specs: Sequence[TableSpec]) -> tuple[Export, Ledger | None]:
    """The latest ledger and the export it was made of; with no table modules the latest export alone."""
    from ledger_assets.extract.export import Export, latest_export
    from ledger_assets.ledger.store import latest_ledger

    if not specs:
        return latest_export(store), None
    ledger = latest_ledger(store)
    if not ledger.manifest.passed:
        failed = ", ".join(f"{c.name} of {c.table}" for c in ledger.manifest.checks if not c.passed)
        raise CheckFailed(
            f"ledger {ledger.ledger_id} failed its checks ({failed}): export and build it again"
        )
    return Export(store, ledger.manifest.export_id), ledger


def versions(store: ObjectStore, specs: Sequence[TableSpec]) -> dict[str, str]:
    """What identifies the content that a full load gives each table: equal content, equal version.

    So that a load that changed nothing leaves everything downstream in sync.
    """
    export, ledger = inputs(store, specs)
    texts = "".join(f"{table.id} {table.content_sha256}\n" for table in export.manifest.tables)
    found = {RAW: hashlib.sha256(texts.encode()).hexdigest()}
    if ledger is not None:
        found |= {table.name: table.sha256 for table in ledger.manifest.tables}
    return found


def assert_may_load(settings: Settings, confirm: str) -> None:
    """What a load asserts however it was started. Raises TargetError.

    A graph edge gates only inside one run, and the web UI bypasses the command's question: so the step itself asks.
    """
    if settings.environment is not Environment.PRODUCTION:
        return
    if confirm != settings.target_name:
        raise TargetError(
            f"production is loaded only with the target's own name: use --confirm {settings.target_name} "
            "(in the web UI: config confirm)"
        )
    raise TargetError(
        f"production load refused: there is no verified checkpoint of {settings.target_name} to go back to, and this "
        "version cannot take one yet; use: ledger-assets migrate production --dry-run"
    )


def load_latest(
    settings: Settings,
    connection: psycopg.Connection,
    store: ObjectStore,
    specs: Sequence[TableSpec],
    *,
    run_id: str,
    confirm: str,
    months: Sequence[str] | None,
) -> LoadReport:
    """The atomic load of the latest ledger."""
    assert_may_load(settings, confirm)
    return _load(settings, connection, store, specs, run_id=run_id, months=months, commit=True)


def dry_run(
    settings: Settings,
    connection: psycopg.Connection,
    store: ObjectStore,
    specs: Sequence[TableSpec],
    *,
    run_id: str,
) -> LoadReport:
    """The same load, executed whole and rolled back.

    In production in a scratch database beside the target: a load that updates live rows makes the app wait for it.
    """
    if settings.environment is Environment.STAGING:
        return _load(settings, connection, store, specs, run_id=run_id, months=None, commit=False)
    with scratch_database(connection) as scratch:
        return _load(settings, scratch, store, specs, run_id=run_id, months=None, commit=False)


def _load(
    settings: Settings,
    connection: psycopg.Connection,
    store: ObjectStore,
    specs: Sequence[TableSpec],
    *,
    run_id: str,
    months: Sequence[str] | None,
    commit: bool,
) -> LoadReport:
    from ledger_assets.load.load import load

    export, ledger = inputs(store, specs)
    report = load(
        connection,
        store,
        export,
        ledger,
        environment=settings.environment.value,
        specs=specs,
        run_id=run_id,
        months=months,
        first_month=settings.first_month,
        commit=commit,
    )
    if commit:
        reports.publish(store, run_id, "load", {"export_id": export.export_id, **asdict(report)})
    return report


@contextmanager
def scratch_database(connection: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A new database on the target's server with our schema and no rows; dropped afterwards."""
    import psycopg
    from psycopg import sql

    from ledger_assets.load import schema
    from ledger_assets.load.connect import connect

    name = f"ledger_scratch_{uuid.uuid4().hex[:12]}"
    info = connection.info
    url = psycopg.conninfo.make_conninfo(info.dsn, password=info.password, dbname=name)
    with connect(
        psycopg.conninfo.make_conninfo(info.dsn, password=info.password), application_name="ledger:scratch"
    ) as owner:
        owner.autocommit = True
        owner.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            with connect(url, application_name="ledger:scratch") as scratch:
                schema.apply(scratch)
                yield scratch
        finally:
            owner.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def prove(
    settings: Settings, connection: psycopg.Connection, store: ObjectStore, specs: Sequence[TableSpec]
) -> Proof:
    """The proof of the last committed load, read back from Postgres.

    Of what was loaded, not of the latest export: that may be newer and is no loss.
    """
    from ledger_assets.extract import pinned
    from ledger_assets.extract.export import Export
    from ledger_assets.ledger.store import Ledger
    from ledger_assets.load.history import last_load
    from ledger_assets.load.sqlfiles import plain_errors
    from ledger_assets.proof.reconcile import reconcile

    with plain_errors("the last load"), connection.transaction():
        last = last_load(connection)
    if last is None:
        raise TargetError(
            f"there is nothing to prove: {settings.target_name} was never loaded; run: ledger-assets migrate ENV"
        )
    export = Export(store, last.export_id)
    ledger = Ledger(store, last.ledger_id) if specs and last.ledger_id is not None else None
    return reconcile(
        connection,
        store=store,
        export=export,
        ledger=ledger,
        specs=specs,
        mappings=settings.mappings,
        pinned=pinned.read(settings.home),
    )
