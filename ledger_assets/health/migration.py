"""Measures of the migration itself: how far it is, what a person must decide, whether writing is frozen."""

from __future__ import annotations

from collections import Counter

from ledger_assets.health.context import Context
from ledger_assets.health.model import Measure, named, span
from ledger_assets.load import findings as engine
from ledger_assets.load.history import last_load, last_proof
from ledger_assets.moment import utc

FREEZE_BAD = 6 * 3600.0
"""The roadmap's window is from 02:00 to 07:00; an hour more and somebody has forgotten it."""


def progress(context: Context) -> Measure:
    """The last load, the months it holds, and whether it was proven."""
    load, proof = last_load(context.connection), last_proof(context.connection)
    environment = context.settings.environment
    threshold = "warn while a load is not proven, bad when its proof failed"
    if load is None:
        return Measure(
            "migration",
            "warn",
            "nothing was loaded yet",
            threshold,
            f"ledger-assets status {environment} says what is next",
        )
    row = context.connection.execute(
        "select count(distinct date_trunc('month', created_time)), count(*) from airtable.records "
        "where source_deleted_at is null"
    ).fetchone()
    assert row is not None
    months = "all months" if load.months is None else f"again {named(load.months)}"
    said = (
        f"load {load.load_id} of {utc(load.committed_at)} from {load.export_id} ({months}): "
        f"{row[1]:,} records of {row[0]} months"
    )
    proven = proof is not None and proof.made_at >= load.committed_at
    if proof is None or not proven:
        state, word = "warn", "not proven since"
    else:
        state, word = ("ok", "proof passed") if proof.passed else ("bad", "PROOF FAILED")
    return Measure(
        "migration",
        "bad" if state == "bad" else "warn" if state == "warn" else "ok",
        f"{said}; {word}",
        threshold,
        f"ledger-assets verify {environment}; when it fails its page names what is missing, ledger-assets rollback "
        f"{environment} goes back",
    )


def findings(context: Context) -> Measure:
    """What a person must decide: quarantine, conflicts, duplicates."""
    kinds = Counter(one.kind for one in engine.list_findings(context.connection))
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return Measure(
        "findings",
        "warn" if kinds else "ok",
        f"{kinds.total()} open: {listed}" if kinds else "none open",
        "warn at the first: nothing is lost, somebody has to decide",
        f"ledger-assets findings {context.settings.environment}",
    )


def freeze(context: Context) -> Measure:
    """Whether people can write, and whether anybody is there to end it."""
    from ledger_assets.freeze import state

    found, command = state(context.connection), f"ledger-assets cutover {context.settings.environment}"
    age = (context.now - (found.since or context.now)).total_seconds()
    until = f", until {utc(found.until)}" if found.until else ", without an end"
    if not found.live:
        remedy = ""
    elif found.abandoned:
        remedy = f"see {command} --status, then the same command again, or {command} --back"
    elif found.leased:
        remedy = f"nothing while it goes on: {command} --status"
    else:
        remedy = f"ledger-assets maintenance {context.settings.environment} off, when nothing is under way any more"
    gone = (
        f" by {found.described()}, whose process is gone: it does not end by itself"
        if found.abandoned
        else until
    )
    return Measure(
        "freeze",
        "ok" if not found.live else "bad" if age >= FREEZE_BAD or found.abandoned else "warn",
        f"nobody can write, for {span(age)}{gone}" if found.live else "people can write",
        f"warn while it lasts, bad from {span(FREEZE_BAD)} (the whole window has five hours) and where its cut-over's "
        "process is gone",
        remedy,
    )
