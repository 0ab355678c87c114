"""Cells per field: counted from the export's text, counted in Postgres, and put together with their
verdicts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import psycopg

from ledger_assets.extract.metadata import BaseMeta, FieldMeta, TableMeta
from ledger_assets.proof.cells import Judged
from ledger_assets.proof.delivered import Counted
from ledger_assets.proof.model import FieldProof
from ledger_assets.proof.plan import FieldPlan
from ledger_assets.proof.statements import statement
from ledger_assets.proof.verdicts import Verdict


@dataclass(frozen=True)
class Tally:
    """Numbers of cells and of error cells, on both sides, by table and field id."""

    counted: Mapping[str, Counted]
    raw: Mapping[tuple[str, str], tuple[int, int]]

    def proof(
        self,
        table: TableMeta,
        field: FieldMeta,
        destination: str,
        rule: str,
        judged: Judged,
        problem: str = "",
    ) -> FieldProof:
        """The proof of one field in one destination."""
        source = self.counted.get(table.id, Counted())
        raw, errors = self.raw.get((table.id, field.id), (0, 0))
        return FieldProof(
            table=table.name,
            field_id=field.id,
            field=field.name,
            type=field.type,
            destination=destination,
            rule=rule,
            source=source.cells[field.id],
            raw=raw,
            errors_source=source.errors[field.id],
            errors_raw=errors,
            verdicts=judged.verdicts,
            named=judged.named,
            problem=problem,
        )

    def proof_without_column(self, plan: FieldPlan) -> FieldProof:
        """A field that is in no column: its cells are proven through the raw records."""
        raw, _ = self.raw.get((plan.table.id, plan.field.id), (0, 0))
        judged = Judged()
        if raw and not plan.problem:
            judged.add(Verdict.RAW_ONLY if plan.derived is None else Verdict.DERIVED, raw, None)
        return self.proof(plan.table, plan.field, plan.destination, "", judged, plan.problem)

    def strangers(self, meta: BaseMeta, *, declared: bool, whole: Collection[str]) -> list[FieldProof]:
        """Cells of fields that the metadata does not have: kept in the raw records, and a failure where every
        field must be declared (``whole``: not in these tables)."""
        proofs = []
        for table in meta.tables:
            known = {field.id for field in table.fields}
            found = {*self.counted.get(table.id, Counted()).cells, *(f for t, f in self.raw if t == table.id)}
            for field_id in sorted(found - known):
                field = FieldMeta(field_id, field_id, "not in the metadata", {})
                must = declared and table.id not in whole
                problem = "declared nowhere" if must else ""
                plan = FieldPlan(
                    table, field, "nowhere" if must else "raw only (no mapping)", problem=problem
                )
                proofs.append(self.proof_without_column(plan))
        return proofs


def count_raw(conn: psycopg.Connection) -> dict[tuple[str, str], tuple[int, int]]:
    """Count the cells of the raw records in Postgres, see :class:`Tally`."""
    rows = conn.execute(statement("cells"))
    return {(table, field): (cells, errors) for table, field, cells, errors in rows}


def undeclared_base_field(name: str) -> FieldProof:
    """A declaration of a field that the base does not have: whatever it held is gone, or it was never
    there."""
    table, _, field = name.partition(".")
    problem = "declared, but the base has no such field"
    return FieldProof(table, "", field, "", "nowhere", "", 0, 0, 0, 0, {}, {}, problem)
