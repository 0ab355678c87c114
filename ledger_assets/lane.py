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

    from ledger_assets.access.report import AccessReport
    from ledger_assets.extract.export import Export
    from ledger_assets.ledger.store import Ledger
    from ledger_assets.load.report import LoadReport
    from ledger_assets.proof.model import Proof

    Inputs = tuple[Export, Ledger | None]

RAW = "raw_records"
"""Name of schema ``airtable`` among the loaded tables."""


def newest_export(settings: Settings, store: ObjectStore, *, with_files: bool = True) -> Export:
    """The newest complete export of the settings' base. Raises StoreError when there is none.

    ``with_files``: whose files have been looked for, too. Of a newer one another run may be fetching them now.
    """
    from ledger_assets.extract.export import latest_export

    return latest_export(store, settings.airtable.base_id, with_files=with_files)


def inputs(settings: Settings, store: ObjectStore, specs: Sequence[TableSpec]) -> Inputs:
    """The newest ledger of the settings' base and the export it was made of; with no table modules the newest
    export alone. Raises StoreError when there is none, CheckFailed when its checks failed."""
    from ledger_assets.extract.export import Export
    from ledger_assets.ledger.store import latest_ledger

    if not specs:
        return newest_export(settings, store), None
    ledger = checked(latest_ledger(store, base_id=settings.airtable.base_id))
    return Export(store, ledger.manifest.export_id), ledger


def stored_inputs(
    settings: Settings, connection: psycopg.Connection, store: ObjectStore, specs: Sequence[TableSpec]
) -> Inputs:
    """What months are loaded from: the export of the last full load, and the newest ledger made of it.

    A newer export would bring some months of a base that was never loaded whole, and never proven.
    """
    from ledger_assets.extract.export import Export
    from ledger_assets.ledger.store import latest_ledger
    from ledger_assets.load.history import last_load
    from ledger_assets.load.sqlfiles import plain_errors

    with plain_errors("the last load"), connection.transaction():
        full = last_load(connection, full=True)
    if full is None:
        return inputs(settings, store, specs)
    export = Export(store, full.export_id)
    return export, checked(latest_ledger(store, export_id=full.export_id)) if specs else None


def checked(ledger: Ledger) -> Ledger:
    """The ledger, if its checks passed. Raises CheckFailed."""
    if not ledger.manifest.passed:
        failed = ", ".join(f"{c.name} of {c.table}" for c in ledger.manifest.checks if not c.passed)
        raise CheckFailed(
            f"ledger {ledger.ledger_id} failed its checks ({failed}): export and build it again"
        )
    return ledger


def versions(loaded: Inputs) -> dict[str, str]:
    """What identifies the content that a full load gives each table: equal content, equal version.

    So that a load that changed nothing leaves everything downstream in sync.
    """
    export, ledger = loaded
    texts = "".join(f"{table.id} {table.content_sha256}\n" for table in export.manifest.tables)
    found = {RAW: hashlib.sha256(texts.encode()).hexdigest()}
    if ledger is not None:
        found |= {table.name: table.sha256 for table in ledger.manifest.tables}
    return found


def assert_confirmed(settings: Settings, confirm: str, *, what: str = "load") -> None:
    """Production asks for the target's own name, because the web UI bypasses the command's question. Raises TargetError."""
    if settings.environment is Environment.PRODUCTION and confirm != settings.target_name:
        raise TargetError(
            f"{what} into production refused: it needs the target's own name: --confirm {settings.target_name} (in the web "
            "UI: config confirm)"
        )


def assert_can_load(settings: Settings, confirm: str) -> None:
    """What can be known before anything starts: the name, and in production a place and a key for the checkpoint."""
    from ledger_assets.backup.place import open_place

    assert_confirmed(settings, confirm)
    if settings.environment is Environment.PRODUCTION:
        open_place(settings)


def assert_may_load(settings: Settings, connection: psycopg.Connection, confirm: str) -> None:
    """What a load asserts however it was started. Raises TargetError.

    A graph edge gates only inside one run: so the step itself asks for the name and for the verified way back.
    """
    from ledger_assets.backups import assert_checkpoint

    assert_confirmed(settings, confirm)
    if settings.environment is Environment.PRODUCTION:
        assert_checkpoint(settings, connection)


def load_latest(
    settings: Settings,
    connection: psycopg.Connection,
    store: ObjectStore,
    specs: Sequence[TableSpec],
    *,
    run_id: str,
    confirm: str,
    months: Sequence[str] | None,
    token: int | None = None,
) -> tuple[LoadReport, dict[str, str]]:
    """The atomic load of the latest ledger (of ``months``: of what was loaded last), and :func:`versions`.

    ``token``: of the cut-over's freeze that it belongs to.
    """
    assert_may_load(settings, connection, confirm)
    full = months is None
    loaded = inputs(settings, store, specs) if full else stored_inputs(settings, connection, store, specs)
    report = _load(
        settings, connection, store, specs, loaded, run_id=run_id, months=months, commit=True, token=token
    )
    reports.publish(store, run_id, "load", {"export_id": loaded[0].export_id, **asdict(report)})
    return report, versions(loaded)


def load_into(
    settings: Settings,
    connection: psycopg.Connection,
    store: ObjectStore,
    specs: Sequence[TableSpec],
    *,
    run_id: str,
    token: int,
) -> LoadReport:
    """The atomic load of the latest ledger into a copy, under its freeze: the copy needs no way back."""
    loaded = inputs(settings, store, specs)
    return _load(
        settings, connection, store, specs, loaded, run_id=run_id, months=None, commit=True, token=token
    )


def dry_run(
    settings: Settings,
    connection: psycopg.Connection,
    store: ObjectStore,
    specs: Sequence[TableSpec],
    *,
    run_id: str,
) -> tuple[LoadReport, Export]:
    """The same load, executed whole and rolled back, and the export it was of.

    In production in a scratch database beside the target: a load that updates live rows makes the app wait for it.
    """
    loaded = inputs(settings, store, specs)
    if settings.environment is Environment.STAGING:
        return _load(
            settings, connection, store, specs, loaded, run_id=run_id, months=None, commit=False
        ), loaded[0]
    with scratch_database(connection) as scratch:
        return _load(
            settings, scratch, store, specs, loaded, run_id=run_id, months=None, commit=False
        ), loaded[0]


def _load(
    settings: Settings,
    connection: psycopg.Connection,
    store: ObjectStore,
    specs: Sequence[TableSpec],
    loaded: Inputs,
    *,
    run_id: str,
    months: Sequence[str] | None,
    commit: bool,
    token: int | None = None,
) -> LoadReport:
    from ledger_assets.load.load import load

    export, ledger = loaded
    return load(
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
        token=token,
    )


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
                schema.apply_stand_in(scratch)
                schema.apply(scratch)
                yield scratch
        finally:
            owner.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def access(connection: psycopg.Connection) -> AccessReport:
    """The access matrix, tried in the target as every role and rolled back."""
    from ledger_assets.access.run import check_access

    return check_access(connection)


def prove(
    settings: Settings, connection: psycopg.Connection, store: ObjectStore, specs: Sequence[TableSpec]
) -> Proof:
    """The proof of the last committed load, read back from Postgres.

    Of what was loaded, not of the latest export: that may be newer and is no loss.
    """
    from ledger_assets.extract import pinned
    from ledger_assets.extract.export import Export
    from ledger_assets.ledger.store import Ledger
    from ledger_assets.load.erasures import assert_provable
    from ledger_assets.load.history import last_load
    from ledger_assets.load.sqlfiles import plain_errors
    from ledger_assets.proof.reconcile import reconcile

    with plain_errors("the last load"), connection.transaction():
        last = last_load(connection)
    if last is None:
        raise TargetError(
            f"there is nothing to prove: {settings.target_name} was never loaded; run: "
            f"ledger-assets migrate {settings.environment}"
        )
    with plain_errors("what was erased"), connection.transaction():
        assert_provable(connection, last.committed_at)
    export = Export(store, last.export_id)
    ledger = Ledger(store, last.ledger_id) if specs and last.ledger_id is not None else None
    return reconcile(
        connection,
        store=store,
        export=export,
        ledger=ledger,
        specs=specs,
        mappings=settings.mappings,
        pinned=pinned.read(settings.pin_folder),
        months=last.months,
        first_month=settings.first_month,
    )
