"""The load judged by SQL inside its own transaction, before anything is committed.

What belongs here: staged keys against tables, and foreign keys. What does not: the proof, which reads
everything back cell by cell (``proof``). Each check names counts, columns and at most ``SAMPLE`` record ids.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg import sql

from ledger_assets.load.merge import Merged, Scope, keys_table
from ledger_assets.load.report import SAMPLE, CheckOutcome
from ledger_assets.load.sqlfiles import Cursor, statement


def verify_references(cur: Cursor, merged: Merged, left_out: Collection[str]) -> CheckOutcome:
    """Every foreign key finds its row. Asked before the constraints are: they would name one row and end
    everything.
    """
    orphans: dict[str, Any] = {}
    total = 0
    if merged.counts.inserted or merged.counts.updated:
        for reference in merged.target.references:
            query = statement(
                "orphans",
                table=sql.Identifier(merged.target.name),
                column=sql.Identifier(reference.column),
                other=sql.Identifier(reference.table),
            )
            count, ids = cur.execute(query, {"sample": SAMPLE}).fetchone() or (0, None)
            if count:
                total += count
                orphans[reference.column] = {"rows": count, "to": reference.table, "ids": ids}
    detail: dict[str, Any] = {"orphans": total, **({"by_column": orphans} if orphans else {})}
    if left_out:
        detail |= {"left_out": merged.counts.left_out, "left_out_ids": sorted(left_out)[:SAMPLE]}
    return CheckOutcome(merged.target.name, "relationships", total == 0, detail)


def verify_rows(
    cur: Cursor, merged: Merged, scope: Scope, model_columns: Collection[str]
) -> list[CheckOutcome]:
    """The table's ids, its hashes, and its columns."""
    table = merged.target.name
    wrong: dict[str, tuple[int, list[str]]] = {}
    if not merged.same:  # else ids and hashes were compared as a whole, and the load has not touched them
        query = statement(
            "verify_rows",
            keys=keys_table(merged.target),
            table=sql.Identifier(table),
            in_scope=scope.target_rows(),
        )
        found = cur.execute(query, {**scope.parameters, "sample": SAMPLE}).fetchall()
        wrong = {verdict: (count, ids) for verdict, count, ids in found}
    return [
        _outcome(table, "ids", merged.counts.staged, wrong, ("missing", "extra")),
        _outcome(table, "hashes", merged.counts.staged, wrong, ("differs",)),
        _columns(cur, merged, model_columns),
    ]


def _outcome(
    table: str, name: str, staged: int, wrong: dict[str, tuple[int, list[str]]], verdicts: tuple[str, ...]
) -> CheckOutcome:
    detail: dict[str, Any] = {"staged": staged}
    for verdict in verdicts:
        count, ids = wrong.get(verdict, (0, []))
        detail[verdict] = count
        if count:
            detail[f"{verdict}_ids"] = ids
    return CheckOutcome(table, name, not any(detail[v] for v in verdicts), detail)


def _columns(cur: Cursor, merged: Merged, model_columns: Collection[str]) -> CheckOutcome:
    """Every column of the model is loaded, and each has as many filled cells as the ledger gave it."""
    missing = sorted(set(model_columns) - set(merged.columns))
    different = []
    if merged.filled:
        counts = sql.SQL(", ").join(sql.SQL("count(d.{})").format(sql.Identifier(c)) for c in merged.filled)
        query = statement(
            "filled", counts=counts, table=sql.Identifier(merged.target.name), keys=keys_table(merged.target)
        )
        actual = cur.execute(query).fetchone() or ()
        different = [c for c, here in zip(merged.filled, actual, strict=True) if merged.filled[c] != here]
    detail = {"columns": len(merged.columns), "missing": missing, "filled_differently": different}
    return CheckOutcome(merged.target.name, "columns", not missing and not different, detail)
