"""A small base, loaded into a real Postgres by the real ledger and load; and hands that damage it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import psycopg

from ledger_assets.extract.attachments import read_inventory
from ledger_assets.extract.export import Export
from ledger_assets.extract.metadata import BaseMeta
from ledger_assets.ledger.build import build_ledger
from ledger_assets.ledger.store import Ledger
from ledger_assets.load.load import load
from ledger_assets.proof.checks import ROWS
from ledger_assets.proof.model import FieldProof, Proof
from ledger_assets.proof.reconcile import reconcile
from ledger_assets.storage import ObjectStore
from ledger_assets.tables.fields import TableSpec
from tests.proof.small_base import SmallBase


@dataclass
class World:
    """A base, its export, its ledger and the database that they were loaded into."""

    conn: psycopg.Connection
    store: ObjectStore
    base: SmallBase
    specs: Sequence[TableSpec]
    export: Export
    ledger: Ledger | None

    def prove(self, specs: Sequence[TableSpec] | None = None, *, pinned: BaseMeta | None = None) -> Proof:
        """The proof of the database as it is now."""
        return reconcile(
            self.conn,
            store=self.store,
            export=self.export,
            ledger=self.ledger,
            specs=self.specs if specs is None else specs,
            pinned=pinned,
        )

    def damage(self, statement: str, *values: object) -> None:
        """Change the database as the loader would, so that nothing counts as somebody's own change. Must
        hit."""
        with self.conn.transaction():
            self.conn.execute("set local migration.writer = 'on'")
            assert self.conn.execute(statement.encode(), values or None).rowcount > 0

    def without_checks(self, table: str) -> None:
        """Take the table's own checks away, as whoever restores it by hand might."""
        query = "select conname from pg_constraint where conrelid = %s::regclass and contype = 'c'"
        with self.conn.transaction():
            for (name,) in self.conn.execute(query, (table,)).fetchall():
                self.conn.execute(f"alter table {table} drop constraint {name}".encode())

    def edit(self, statement: str, *values: object) -> None:
        """Change the database as a person would in the app."""
        with self.conn.transaction():
            assert self.conn.execute(statement.encode(), values or None).rowcount > 0

    def publish(self) -> World:
        """Export and load the base as it is now."""
        return publish(self.conn, self.store, self.base, self.specs)


def publish(
    conn: psycopg.Connection, store: ObjectStore, base: SmallBase, specs: Sequence[TableSpec]
) -> World:
    """Export ``base``, make its ledger and load both."""
    export = base.export(store)
    ledger = None
    if specs:
        inventory = read_inventory(store, export.export_id)
        manifest = build_ledger(store, export, specs=specs, inventory=inventory)
        ledger = Ledger(store, manifest.ledger_id)
    report = load(
        conn,
        store,
        export,
        ledger,
        environment="staging",
        specs=specs,
        run_id="run",
        first_month=date(2024, 10, 1),
    )
    assert report.committed, [check for check in report.checks if not check.passed]
    return World(conn, store, base, specs, export, ledger)


def field_of(proof: Proof, destination: str) -> FieldProof:
    """What the proof says of one column."""
    return next(found for found in proof.fields if found.destination == destination)


def failed(proof: Proof) -> set[tuple[str, str]]:
    """(table, check) of the checks that failed, without ``rows``: it sees the same damage a second time."""
    return {(check.table, check.name) for check in proof.checks if not check.passed and check.name != ROWS}


def verdicts(proof: Proof, destination: str) -> dict[str, int]:
    """Verdicts of one column with their numbers."""
    return {verdict.value: count for verdict, count in field_of(proof, destination).verdicts.items()}
