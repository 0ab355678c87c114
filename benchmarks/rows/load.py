"""The load against a bare COPY of the same bytes into the same tables; and a second run in which nothing changed.

The bare COPY is one transaction into a database with the same keys, indexes and triggers, foreign keys deferred: what
a load without keys compared, without checks and without findings would cost.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.run import Run, middle
from benchmarks.table import Row
from benchmarks.world import engine, settings
from ledger_assets.load import schema
from ledger_assets.load.connect import connect

MOST_RATIO = 2.5
MOST_AGAIN = 0.25
PIECE = 1 << 20
PREPARE = "schema export files ledger load"
AGAIN = "export files ledger load"


def measure(run: Run) -> list[Row]:
    """Both lines."""
    world = run.world
    home, dump = world.home(), world.home()
    with world.airtable(world.base(run.sizes.lane_records)) as url:
        with world.database() as database:
            twice = engine(f"{PREPARE} {AGAIN}", settings(url, database, home))
            size = _dump(database, dump)
        ours, bare = [], []
        for _ in range(run.sizes.rounds):
            with world.database() as database:
                bare.append(_bare(database, dump))
            with world.database() as database:
                ours.append(engine("schema load", settings(url, database, home))["seconds"]["load"])
    shutil.rmtree(home)
    shutil.rmtree(dump)
    first, again = twice["seconds"]["load"], twice["seconds"]["load again"]
    done = twice["load again"]
    return [
        Row(
            f"load / bare COPY of the same {size / 1e6:.0f} MB",
            f"{middle(ours) / middle(bare):.2f} ({middle(ours):.1f} s / {middle(bare):.1f} s)",
            f"at most {MOST_RATIO:g}",
            middle(ours) / middle(bare) <= MOST_RATIO,
        ),
        Row(
            "second run (new export, nothing changed) / first load",
            f"{again / first:.2f} ({again:.1f} s / {first:.1f} s); {done['written']} rows, "
            f"{done['wal'] / 1e6:.2f} MB of WAL (first {twice['load']['wal'] / 1e6:.0f} MB)",
            f"at most {MOST_AGAIN:g}, 0 rows",
            again / first <= MOST_AGAIN and done["written"] == 0,
        ),
    ]


def _tables(connection: psycopg.Connection) -> list[sql.Identifier]:
    rows = connection.execute(
        "select schemaname, tablename from pg_tables where schemaname in ('airtable', 'public') order by 1, 2"
    )
    return [sql.Identifier(*row) for row in rows.fetchall()]


def _file(folder: Path, table: sql.Identifier) -> Path:
    return folder / ".".join(table._obj)


def _dump(database: str, folder: Path) -> int:
    """Every loaded table as COPY writes it; the bytes in all."""
    with connect(database, application_name="bench") as connection:
        for table in _tables(connection):
            with (
                _file(folder, table).open("wb") as file,
                connection.cursor().copy(sql.SQL("copy {} to stdout").format(table)) as copy,
            ):
                for piece in copy:
                    file.write(piece)
    return sum(file.stat().st_size for file in folder.iterdir())


def _bare(database: str, folder: Path) -> float:
    """Seconds of the bare COPY, commit included."""
    with connect(database, application_name="bench") as connection:
        schema.apply(connection)
        tables = _tables(connection)
        connection.commit()
        started = time.monotonic()
        connection.execute("set constraints all deferred")
        connection.execute("set local migration.writer = 'on'")
        for table in tables:
            with (
                _file(folder, table).open("rb") as file,
                connection.cursor().copy(sql.SQL("copy {} from stdin").format(table)) as copy,
            ):
                while piece := file.read(PIECE):
                    copy.write(piece)
        connection.commit()
        return time.monotonic() - started
