"""Losses that other tools cause without a word, done on purpose: what one is, how all of a base are judged, and how a
base is made in which they could happen.

What belongs here: what the tests of the five tables and of any base share. What does not: the losses themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import psycopg

from ledger_assets.demo import schema
from ledger_assets.demo.basefile import BaseFile, Row
from ledger_assets.demo.cells import Cells, encode, pack, unpack
from ledger_assets.demo.derived import derivations, set_derived

CREATED = "2024-12-24T01:02:03.000Z"
NUMBER = {table.name: number for number, table in enumerate(schema.TABLES)}


@dataclass(frozen=True)
class Loss:
    """One loss: ``kept`` (a query) says true when it did not happen, ``plant`` (a statement) does it, and then the
    ``check`` of ``table`` must name ``record`` (or the number of records) under ``words``."""

    kept: str
    plant: str
    table: str
    check: str
    words: str
    record: str | int


@dataclass
class Judged:
    """What was in Postgres of each loss, the proof's checks after all of them were done, and who is who."""

    kept: dict[str, Any]
    proven: dict[str, Any]
    proof: dict[str, Any]
    who: dict[str, str]

    def named(self, loss: Loss) -> Any:
        """What the proof says under the loss's words: ids, or a number."""
        (check,) = [c for c in self.proof["checks"] if (c["table"], c["name"]) == (loss.table, loss.check)]
        assert check["passed"] is False, check
        return check["detail"].get(loss.words if isinstance(loss.record, int) else f"{loss.words} (ids)")


def judge(connection: psycopg.Connection, losses: dict[str, Loss], who: dict[str, str]) -> dict[str, Any]:
    """What Postgres holds of each loss; then all of them are done."""
    with connection.transaction():
        kept = {name: connection.execute(loss.kept.encode(), who).fetchall() for name, loss in losses.items()}
        connection.execute("set local migration.writer = 'on'")
        for name, loss in losses.items():
            assert connection.execute(loss.plant.encode(), who).rowcount > 0, name
    return kept


def add(file: BaseFile, name: str, records: dict[str, dict[str, Any]]) -> None:
    """New records of a table."""
    table = schema.TABLES[NUMBER[name]]
    first = file.last_seq(NUMBER[name]) + 1
    file.add_records(
        Row(
            first + at,
            record_id,
            CREATED,
            CREATED,
            0,
            pack({table.field_id(f): encode(v) for f, v in cells.items()}),
        )
        for at, (record_id, cells) in enumerate(records.items())
    )


def put(file: BaseFile, changes: dict[str, dict[str, Any]], *, then: dict[str, dict[str, Any]]) -> None:
    """Change cells, and all that is computed from them; ``then`` changes cells that are computed."""
    rows = {row.record_id: (row, table) for n, table in enumerate(schema.TABLES) for row in file.all(n)}
    cells = {record_id: unpack(row.cells) for record_id, (row, _) in rows.items()}

    def change(every: dict[str, dict[str, Any]]) -> None:
        for record_id, values in every.items():
            table = rows[record_id][1]
            cells[record_id].update({table.field_id(f): encode(v) for f, v in values.items()})

    change(changes)
    records: dict[str, list[tuple[str, str, Cells]]] = {}
    for record_id, (row, table) in rows.items():
        records.setdefault(table.id, []).append((record_id, row.created, cells[record_id]))
    set_derived(derivations(schema.TABLES), records, cells.get)
    change(then)
    for record_id, (row, _) in rows.items():
        file.replace(replace(row, cells=pack(cells[record_id])))
