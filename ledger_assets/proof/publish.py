"""Keep a proof or a dry run: as JSON and as a page in the object store, the proof also in the database it
speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger_assets import reports
from ledger_assets.environment import Settings
from ledger_assets.load.history import keep_proof
from ledger_assets.proof.dry import dry_document, make_dry_run, render_dry_run
from ledger_assets.proof.model import Proof
from ledger_assets.proof.page import render
from ledger_assets.proof.report import document
from ledger_assets.storage import ObjectStore

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.extract.export import Export
    from ledger_assets.load.report import LoadReport

PROOF, DRY_RUN = "proof", "dry_run"


def publish_proof(
    settings: Settings, store: ObjectStore, connection: psycopg.Connection, proof: Proof, *, run_id: str
) -> str:
    """Keep the proof; where a person finds its page."""
    page = render(proof, target=settings.environment.value, run_id=run_id)
    found = document(proof)
    keep_proof(
        connection,
        run_id=run_id,
        export_id=proof.export_id,
        ledger_id=proof.ledger_id,
        passed=proof.passed,
        document=found,
        page=page,
    )
    return reports.publish(store, run_id, PROOF, found, page)


def publish_dry_run(
    settings: Settings, store: ObjectStore, report: LoadReport, export: Export, *, run_id: str
) -> str:
    """Keep the dry run's report; where a person finds its page."""
    dry = make_dry_run(report, export)
    page = render_dry_run(
        dry, database=settings.target_name, target=settings.environment.value, run_id=run_id
    )
    return reports.publish(store, run_id, DRY_RUN, dry_document(dry), page)
