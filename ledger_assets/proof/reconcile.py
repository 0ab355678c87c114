"""The proof of promise 1, read back from Postgres: nothing was lost, nothing was invented.

What belongs here: the order of the parts and the transaction they run in. What does not: any comparison
(``records``, ``cells``, ``parts``, ``derived``, ``files``), any transform: the proof shares only the
declarations with the ledger.

Invariants: one snapshot of the database for all parts, on one connection and one ``beside`` it; the export and its
files are read in threads while Postgres is at work; nothing but temporary tables is written, and those are gone
afterwards; an error of Postgres is said by its code, because its text may hold a cell's value.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.pq import TransactionStatus

from ledger_assets.errors import TargetError
from ledger_assets.extract.export import Export
from ledger_assets.extract.metadata import BaseMeta
from ledger_assets.proof import rows, stage
from ledger_assets.proof.about import prove_about
from ledger_assets.proof.beside import Beside, beside
from ledger_assets.proof.catalogue import read_catalogue
from ledger_assets.proof.cells import Judged, judge_columns
from ledger_assets.proof.delivered import export_being_read
from ledger_assets.proof.derived import prove_derived
from ledger_assets.proof.files import Hashing, find_inventory, prove_files, stage_inventory
from ledger_assets.proof.model import FieldProof, LinkProof, Proof
from ledger_assets.proof.notices import observe
from ledger_assets.proof.parts import judge_files, judge_links, prove_symmetry, stage_lists
from ledger_assets.proof.plan import Plan, make_plan
from ledger_assets.proof.promises import prove_promises
from ledger_assets.proof.records import fields_differ, judge_raw, prove_records, targets_by_table
from ledger_assets.proof.rejected import drop_unfounded
from ledger_assets.proof.tally import Tally, count_raw, undeclared_base_field
from ledger_assets.proof.verbatim import prove_verbatim
from ledger_assets.proof.verdicts import Named
from ledger_assets.storage import ObjectStore
from ledger_assets.tables.fields import Rule, TableSpec

if TYPE_CHECKING:
    from ledger_assets.ledger.store import Ledger

_SETTINGS = """
set local row_security = off; set local statement_timeout = 0;
set local idle_in_transaction_session_timeout = 0;
set local timezone = 'UTC'; set local jit = off; set local work_mem = '64MB';
set local default_statistics_target = 10; set local enable_memoize = off; set local hash_mem_multiplier = 8;
set local cursor_tuple_fraction = 1;
set local parallel_setup_cost = 100; set local parallel_tuple_cost = 0.001
"""


@dataclass(frozen=True)
class Whole:
    """What is judged of all raw records beside the rest: their cells counted, and their columns for queries."""

    cells: Future[Mapping[tuple[str, str], tuple[int, int]]]
    fields_differ: Future[dict[str, Named]]


def reconcile(
    conn: psycopg.Connection,
    *,
    store: ObjectStore,
    export: Export,
    ledger: Ledger | None,
    specs: Sequence[TableSpec],
    mappings: Path | None = None,
    pinned: BaseMeta | None = None,
    months: Sequence[str] | None = None,
    first_month: date = date.min,
) -> Proof:
    """Prove that ``conn``'s database holds exactly what ``export`` holds.

    ``specs`` empty: any base, proven through the raw records. ``ledger``: where skipped records are written
    down. ``mappings``: folder of the reviewed mapping files (None: the shipped ones). ``pinned``: metadata by
    which the declarations name fields (None: the export's own). ``months``: the rows that ``ledger`` was loaded
    for last (None: all). Raises TargetError when Postgres refuses.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    idle = conn.info.transaction_status is TransactionStatus.IDLE
    base_id = export.manifest.base_id
    try:
        with conn.transaction(force_rollback=True):
            if idle:
                conn.execute("set transaction isolation level repeatable read")
            with beside(conn, shared=idle) as other:
                for session in {conn, other.connection}:
                    session.execute(_SETTINGS)
                    stage.create_view(session, base_id)
                if other.connection is not conn:
                    # It ends first: helpers of its own would only take the other one's time.
                    other.connection.execute("set local max_parallel_workers_per_gather = 0")
                rows.create_tables(other.connection, ledger, specs)
                whole = Whole(other.submit(count_raw), other.submit(fields_differ))
                other.submit(stage.create_kept, base_id)
                found = other.submit(
                    rows.compare_rows, ledger, specs, base_id, months=months, first_month=first_month
                )
                proof = _prove(
                    conn,
                    other,
                    store,
                    export,
                    ledger,
                    specs,
                    mappings,
                    pinned or export.metadata,
                    whole,
                    idle,
                )
                proof = replace(proof, rows=tuple(found.result()))
    except psycopg.Error as error:
        code = error.sqlstate or "a lost connection"
        raise TargetError(
            f"the proof could not read {conn.info.dbname}: Postgres refused with {code}; run the proof again"
        ) from None
    return replace(
        proof,
        started_at=started.isoformat(timespec="seconds"),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 3),
    )


def _prove(
    conn: psycopg.Connection,
    other: Beside,
    store: ObjectStore,
    export: Export,
    ledger: Ledger | None,
    specs: Sequence[TableSpec],
    mappings: Path | None,
    pinned: BaseMeta,
    whole: Whole,
    read_only: bool,
) -> Proof:
    base_id, meta = export.manifest.base_id, export.metadata
    inventory = find_inventory(store, export.export_id)
    with export_being_read(export) as reading, Hashing(store, inventory) as hashing:
        records = other.submit(judge_raw, base_id, export, reading, whole.fields_differ)
        stage.create_tables(conn)
        if read_only:
            conn.execute("set transaction read only")  # from here on only temporary tables can be written
        catalogue = read_catalogue(conn, specs)
        plan = make_plan(meta, pinned, specs, catalogue)
        stage.stage_findings(conn, meta, pinned)
        stage.stage_redacted(conn, export)
        stage.stage_skipped(conn, ledger, specs)
        stage.stage_mappings(conn, mappings, specs)
        stage_lists(conn, meta)
        stage_inventory(conn, inventory)
        unfounded = drop_unfounded(conn, meta, plan, catalogue)
        judged = _judge(conn, base_id, plan)
        cells = whole.cells.result()
        left_out = {f: len(ids) for table in export.manifest.tables for f, ids in table.redacted.items()}
        derived = prove_derived(
            conn, meta, plan.others, {key: count for key, (count, _) in cells.items()}, left_out
        )
        symmetry = prove_symmetry(conn, meta, plan.others)
        promises = prove_promises(conn, base_id, plan, catalogue)
        promises += prove_verbatim(conn, base_id, plan, catalogue)
        files = prove_files(conn, base_id, hashing, has_inventory=inventory is not None)
        counted, raw = reading.result().counted, records.result()
    about = prove_about(conn, export)
    tally = Tally(counted, cells)
    fields = [*_fields(plan, judged, tally), *tally.strangers(meta, declared=bool(specs), whole=plan.whole)]
    links = [proof for _, proof in (*judged.links, *judged.files)]
    targets = targets_by_table(meta, pinned, specs)
    return Proof(
        base_id=base_id,
        export_id=export.export_id,
        ledger_id=None if ledger is None else ledger.ledger_id,
        database=conn.info.dbname,
        started_at="",
        finished_at="",
        seconds=0.0,
        records=prove_records(conn, base_id, export, counted, targets, raw),
        fields=tuple(fields),
        links=(*links, *symmetry),
        derived=derived,
        files=files,
        findings=dict(
            conn.execute(
                "select kind, count(*) from migration.findings "
                "where base_id = %s and status = 'open' group by 1 order by 1",
                (base_id,),
            ).fetchall()
        ),
        notices=(*unfounded, *observe(conn, meta, fields)),
        promises=promises,
        about=about,
    )


@dataclass(frozen=True)
class _Judged:
    """What the columns, link tables and the media table hold, in the plan's order."""

    columns: list[Judged]
    links: list[tuple[Judged, LinkProof]]
    files: list[tuple[Judged, LinkProof]]


def _judge(conn: psycopg.Connection, base_id: str, plan: Plan) -> _Judged:
    return _Judged(
        judge_columns(conn, base_id, plan.columns),
        [judge_links(conn, base_id, link) for link in plan.links],
        [judge_files(conn, base_id, file) for file in plan.files],
    )


def _fields(plan: Plan, judged: _Judged, tally: Tally) -> list[FieldProof]:
    """Every field in every destination, in Airtable's order of tables."""
    found = [
        tally.proof(column.table, column.field, f"{column.target}.{column.column}", column.rule.value, cells)
        for column, cells in zip(plan.columns, judged.columns, strict=True)
    ]
    found += [
        tally.proof(link.table, link.field, f"{link.target}.{link.linked}", Rule.LINK.value, cells)
        for link, (cells, _) in zip(plan.links, judged.links, strict=True)
    ]
    found += [
        tally.proof(file.table, file.field, f"{file.target}.{file.role}", Rule.FILES.value, cells)
        for file, (cells, _) in zip(plan.files, judged.files, strict=True)
    ]
    found += [tally.proof_without_column(other) for other in plan.others]
    found += [undeclared_base_field(name) for name in plan.unknown]
    order = {field_id: n for n, field_id in enumerate(dict.fromkeys(plan.field_ids))}
    return sorted(found, key=lambda proof: order.get(proof.field_id, len(order)))
