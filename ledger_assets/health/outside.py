"""Measures of what is not the database: our own runs, and what is left of Airtable's monthly calls."""

from __future__ import annotations

from ledger_assets.extract.export import Export, list_exports
from ledger_assets.health.context import Context
from ledger_assets.health.model import Measure, graded, named
from ledger_assets.health.settings import MONTHLY_CALLS
from ledger_assets.moment import utc

FAILED_BAD = 0.25
FEW = 4
"""Below this many runs a share says nothing: one failed run of one is one failed run."""
CALLS_WARN, CALLS_BAD = 0.8, 0.95
"""At its limit Airtable refuses until the month ends: the last final export must still fit."""


def runs(context: Context) -> Measure:
    """Which share of this environment's runs failed and was not done by a later run: what a killed one left is done then."""
    threshold = (
        f"warn at the first that failed and that no later run of its job made good, bad from {FAILED_BAD:.0%} of at "
        f"least {FEW}"
    )
    remedy = "the web UI (ledger-assets ui) says of each run what failed; run it again: nothing is half there"
    if context.runs is None:
        return Measure("runs", "unknown", "Dagster was not asked", threshold, remedy)
    failed, ended = context.runs.failed, context.runs.ended
    left = [one for one in failed if not one.settled]
    bad = ended >= FEW and len(left) / ended >= FAILED_BAD
    value = f"{len(failed)} of {ended} failed since {utc(context.runs.since)}"
    if settled := len(failed) - len(left):
        value += f", {settled} of them made good by a later run of the same job"
    if left:
        value += f": {named(f'{one.job} {one.run_id[:8]}' for one in left)}"
    return Measure(
        "runs",
        "bad" if bad else "warn" if left else "ok",
        value,
        threshold,
        remedy,
    )


def airtable_calls(context: Context) -> Measure:
    """Calls of this month that the exports tell of; what others send of the same plan is not known here."""
    base, first = context.settings.airtable.base_id, context.now.strftime("%Y-%m")
    manifests = (Export(context.store, one).manifest for one in list_exports(context.store))
    used = [one.calls for one in manifests if one.base_id == base and one.started_at.startswith(first)]
    said = f"{sum(used):,} by {len(used)} exports of {context.settings.environment} in {first}"
    threshold = f"warn from {CALLS_WARN:.0%}, bad from {CALLS_BAD:.0%} of {MONTHLY_CALLS}; other programs' calls come on top"
    allowed = context.limits.monthly_calls
    if allowed is None:
        return Measure(
            "airtable_calls",
            "unknown",
            f"{said}, of what the plan allows",
            threshold,
            f"set {MONTHLY_CALLS} to the plan's calls a month (Free 1000, Team 100000; above there is no limit)",
        )
    return Measure(
        "airtable_calls",
        graded(sum(used) / allowed, warn=CALLS_WARN, bad=CALLS_BAD),
        f"{said}: {max(0, allowed - sum(used)):,} of {allowed:,} left at most",
        threshold,
        "export less often until the month ends, or take a larger plan: at the limit Airtable refuses every call",
    )
