"""The atomic load: one transaction brings a database to what an export and its ledger say, or changes
nothing.

What belongs here: the order of the steps and the transaction. What does not: any step itself.

Invariants: nothing is committed unless every check passed inside the transaction; two loads of one database
never run at once; a dry run executes everything and rolls it back; a repeat writes nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from ledger_assets import freeze
from ledger_assets.errors import TargetError
from ledger_assets.extract.export import Export
from ledger_assets.load import claim, erasures, findings, visibility
from ledger_assets.load.ahead import ahead
from ledger_assets.load.columns import Target, read_targets
from ledger_assets.load.delivered import Delivered, load_delivered
from ledger_assets.load.links import settle
from ledger_assets.load.merge import Merged, Scope, keys_table, merge_table, same_table
from ledger_assets.load.months import COLUMN as MONTH_OF
from ledger_assets.load.months import month_keys, parse_months
from ledger_assets.load.report import CheckOutcome, LoadReport
from ledger_assets.load.sqlfiles import Cursor, Deadlocked, one, plain_errors
from ledger_assets.load.tidy import tidy
from ledger_assets.load.verify import verify_references, verify_rows
from ledger_assets.progress import report
from ledger_assets.storage import ObjectStore
from ledger_assets.tables.fields import TableSpec

if TYPE_CHECKING:
    from ledger_assets.ledger.store import Ledger

MOST_ATTEMPTS = 3


@dataclass(frozen=True)
class _Rows:
    """All target tables, written and not yet verified."""

    merged: list[Merged]
    left_out: dict[str, list[str]]
    months: dict[str, dict[str, int]]


def load(
    conn: psycopg.Connection,
    store: ObjectStore,
    export: Export,
    ledger: Ledger | None,
    *,
    environment: str,
    specs: Sequence[TableSpec],
    run_id: str,
    months: Sequence[str] | None = None,
    first_month: date,
    commit: bool = True,
    token: int | None = None,
) -> LoadReport:
    """Load ``export`` and ``ledger`` in one transaction; with ``months`` only the records created in those.

    ``token``: of the freeze that the load belongs to; from the commit on that freeze does not run out. Without one a
    load refuses while a cut-over holds a freeze. ``commit`` False: the same, rolled back. A report whose
    ``committed`` is False left nothing behind. Raises :class:`TargetError` when the database is not what it must be,
    refuses a row, or ends the connection; then too.
    """
    if specs and (ledger is None or ledger.manifest.export_id != export.export_id):
        raise TargetError(f"load: there is no ledger of export {export.export_id}; make the ledger first")
    scope = Scope(
        export.manifest.base_id,
        export.export_id,
        first_month,
        None if months is None else parse_months(months),
    )
    claim.idle(conn)

    def attempt() -> LoadReport:
        with (
            plain_errors("load"),
            conn.transaction(force_rollback=not commit) as transaction,
            conn.cursor(row_factory=tuple_row) as cur,
        ):
            claim.begin(cur)
            claim.preflight(cur)
            if token is not None:
                freeze.fence(cur, token)
            elif commit:
                freeze.refuse_others(cur)
            result = _load(cur, store, export, ledger, environment, specs, run_id, scope)
            if not result.passed:
                raise psycopg.Rollback(transaction)
            if token is not None:
                freeze.hold(cur, token)
        return result

    result = _repeated(attempt)
    if not (commit and result.passed):
        return result
    tidy(conn, result)
    return replace(result, committed=True)


def _repeated(attempt: Callable[[], LoadReport]) -> LoadReport:
    """Once more after a deadlock: at its end a load locks whole tables, and somebody who writes to two of them in another
    order waits for it while it waits for them. Postgres ends either; ours is rolled back whole and costs time only."""
    for _ in range(MOST_ATTEMPTS - 1):
        try:
            return attempt()
        except Deadlocked:
            report("load", "a writer and the load waited for each other; again", 0)
    return attempt()


def _load(
    cur: Cursor,
    store: ObjectStore,
    export: Export,
    ledger: Ledger | None,
    environment: str,
    specs: Sequence[TableSpec],
    run_id: str,
    scope: Scope,
) -> LoadReport:
    claim.claim(cur, environment=environment, base_id=scope.base_id)
    erasures.refuse_erased(cur, export)
    erasures.forget_notes(cur)
    cur.execute("select set_config('migration.run', %s, true)", (run_id,))
    cur.execute("set constraints all deferred")
    load_id = _register(cur, export, ledger, environment, run_id, scope)
    with plain_errors("load of the raw records"):
        delivered = load_delivered(cur, store, export, scope)
    rows = _load_tables(cur, ledger, specs, scope) if ledger is not None else _Rows([], {}, {})
    checks = _verify(cur, rows, delivered, scope, specs)
    found = _findings(cur, load_id, ledger, rows, delivered, scope)
    result = LoadReport(
        committed=False,
        load_id=load_id,
        tables={m.target.name: m.counts for m in rows.merged},
        raw=delivered.records,
        comments=delivered.comments,
        attachments=delivered.attachments,
        months=rows.months,
        checks=tuple(checks),
        findings=found,
    )
    _finish(cur, result)
    return result


def _register(
    cur: Cursor, export: Export, ledger: Ledger | None, environment: str, run_id: str, scope: Scope
) -> int:
    ledger_id = None if ledger is None else ledger.manifest.ledger_id
    months = None if scope.months is None else list(scope.months)
    return int(
        one(
            cur,
            "insert into migration.loads (run_id, environment, export_id, ledger_id, months, started_at) "
            "values (%s, %s, %s, %s, %s, now()) returning load_id",
            (run_id, environment, export.export_id, ledger_id, months),
        )
    )


def _load_tables(cur: Cursor, ledger: Ledger, specs: Sequence[TableSpec], scope: Scope) -> _Rows:
    targets = read_targets(cur, [spec.name for spec in specs])
    chosen, left_out = ({}, {}) if scope.months is None else _of_months(cur, ledger, specs, targets, scope)
    same: dict[str, Merged] = {}
    for name, target in targets.items():
        with plain_errors(f"load of table {name}"):
            if (found := same_table(cur, target, ledger, scope)) is not None:
                same[name] = found
    merged: list[Merged] = []
    months: dict[str, dict[str, int]] = {}
    # Read while Postgres is at work on the table before; one of them, because the largest is 80 MB at 500,000 records.
    frames = ahead((_frame(ledger, spec.name, same, chosen) for spec in specs), depth=1)
    for number, (spec, frame) in enumerate(zip(specs, frames, strict=True)):
        target, waiting = targets[spec.name], len(left_out.get(spec.name, ()))
        with plain_errors(f"load of table {spec.name}"):
            merged.append(same.get(spec.name) or merge_table(cur, target, frame, scope, waiting))
        for month, count in Counter(month_keys(frame, scope.first_month).drop_nulls()).items():
            months.setdefault(month, {})[spec.name] = count
        report("load", spec.name, number + 1, len(specs))
    return _Rows(merged, left_out, {month: months[month] for month in sorted(months)})


def _frame(
    ledger: Ledger, name: str, same: Mapping[str, Merged], chosen: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    if name in chosen:
        return chosen[name]
    return ledger.frame(name, [MONTH_OF] if name in same else None)


def _of_months(
    cur: Cursor, ledger: Ledger, specs: Sequence[TableSpec], targets: dict[str, Target], scope: Scope
) -> tuple[dict[str, pl.DataFrame], dict[str, list[str]]]:
    """The rows of the months and of tables without months, and the record ids of those that must wait."""
    frames = {}
    for spec in specs:
        frame = ledger.frame(spec.name)
        month = month_keys(frame, scope.first_month)
        frames[spec.name] = frame.filter(month.is_null() | month.is_in(list(scope.months or ())))
    loaded = {name: _ids(cur, name) for name in targets}
    links = {spec.name for spec in specs if spec.source is None}
    kept, left_out = settle(frames, targets, loaded, links)
    return kept, {
        name: frame.select(pl.coalesce("airtable_record_id", "id")).to_series().to_list()
        for name, frame in left_out.items()
        if frame.height
    }


def _ids(cur: Cursor, table: str) -> pl.Series:
    rows = cur.execute(sql.SQL("select id::text from public.{}").format(sql.Identifier(table)))
    return pl.Series([row[0] for row in rows], dtype=pl.String)


def _verify(
    cur: Cursor, rows: _Rows, delivered: Delivered, scope: Scope, specs: Sequence[TableSpec]
) -> list[CheckOutcome]:
    checks = [verify_references(cur, m, rows.left_out.get(m.target.name, ())) for m in rows.merged]
    if all(check.passed for check in checks):
        # Now and not at COMMIT, so that what the checks below say is said of a state that can be committed.
        with plain_errors("load, constraints"):
            cur.execute("set constraints all immediate")
    models = {spec.name: tuple(spec.model().columns) for spec in specs}
    for m in rows.merged:
        checks += verify_rows(cur, m, scope, models[m.target.name])
    if visibility.STORIES in models:
        visibility.refresh(cur)
        checks.append(visibility.verify_consent(cur))
    return [*checks, *delivered.verify()]


def _findings(
    cur: Cursor, load_id: int, ledger: Ledger | None, rows: _Rows, delivered: Delivered, scope: Scope
) -> dict[str, int]:
    cur.execute("create temp table judged (id uuid) on commit drop")
    if scope.months is not None:
        for m in rows.merged:
            cur.execute(sql.SQL("insert into judged select id from {}").format(keys_table(m.target)))
    found = [c for m in rows.merged for c in findings.conflicts(m.conflicts)]
    if ledger is not None:
        found += findings.of_ledger(ledger.quarantined, ledger.reported)
    found += findings.missing_files(delivered.missing_files)
    found += findings.deleted(cur, scope.base_id)
    return findings.record(cur, load_id, scope, found)


def _finish(cur: Cursor, result: LoadReport) -> None:
    counts = {
        "tables": {name: asdict(c) for name, c in result.tables.items()},
        "raw": {name: asdict(c) for name, c in result.raw.items()},
        "comments": asdict(result.comments),
        "attachments": asdict(result.attachments),
    }
    cur.execute(
        "update migration.loads set committed_at = clock_timestamp(), counts = %s where load_id = %s",
        (json.dumps(counts), result.load_id),
    )
