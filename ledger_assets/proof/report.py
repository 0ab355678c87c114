"""The proof as JSON for programs, and its one sentence for everybody."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from ledger_assets.proof.checks import BASE
from ledger_assets.proof.model import Proof
from ledger_assets.proof.verdicts import Verdict

FORMAT = 1


def headline(proof: Proof) -> str:
    """The verdict in one sentence."""
    records = sum(one.export for one in proof.records)
    cells = count_cells(proof)
    if proof.passed:
        return (
            f"Nothing was lost: all {records:,} records and {cells:,} cells of the base are in {proof.database}, "
            f"each accounted for, and nothing was invented.{open_questions(proof)}"
        )
    failed = [check for check in proof.checks if not check.passed]
    tables = dict.fromkeys(check.table for check in failed if check.table != BASE)
    places = [*tables, *(f"the base's {check.name}" for check in failed if check.table == BASE)]
    shown = ", ".join(places[:6]) + (f" and {len(places) - 6} more" if len(places) > 6 else "")
    return f"Not proven: {len(failed)} of {len(proof.checks)} checks failed, in {shown}."


def open_questions(proof: Proof) -> str:
    """What is kept and proven and still not where it belongs: a person must hear of it beside the verdict.

    A conflict may be somebody's withdrawn consent that is not in force here.
    """
    quarantined = sum(equation.quarantined for one in proof.records for equation in one.equations)
    words = {
        "conflicts are not written until a person decides": proof.findings.get("conflict", 0),
        "cells could not be mapped and wait as findings": count(proof, Verdict.REJECTED),
        "records could not be mapped and wait as findings": quarantined,
    }
    return "".join(f" {number:,} {what}." for what, number in words.items() if number)


def count(proof: Proof, verdict: Verdict) -> int:
    """Cells of the source with that verdict, in however many columns."""
    return sum(one.verdicts.get(verdict, 0) for one in proof.fields)


def count_cells(proof: Proof) -> int:
    """Cells of the export, each field counted once however many columns it fills."""
    return sum({(one.table, one.field_id): one.source for one in proof.fields}.values())


def document(proof: Proof) -> dict[str, Any]:
    """The proof as plain data."""
    return {
        "format": FORMAT,
        "headline": headline(proof),
        "passed": proof.passed,
        "checks": [asdict(check) for check in proof.checks],
        **asdict(proof),
    }


def to_json(proof: Proof) -> str:
    """The proof as JSON."""
    return json.dumps(document(proof), indent=1)
