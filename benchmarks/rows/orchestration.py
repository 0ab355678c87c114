"""What Dagster adds: a full run by the real job, less the time that the engine itself takes inside it."""

from __future__ import annotations

import sys

from benchmarks.run import Run, middle
from benchmarks.table import Row
from benchmarks.world import measured, settings

MOST_SECONDS = 2.0


def measure(run: Run) -> list[Row]:
    """The median of fresh processes, each with a Dagster home and a database of its own."""
    found = []
    with run.world.airtable(run.world.base(run.sizes.orchestrated_records)) as url:
        for _ in range(run.sizes.rounds):
            with run.world.database() as database:
                environ = settings(url, database, run.world.home())
                found.append(measured([sys.executable, "-m", "benchmarks.orchestrated"], environ))
    added = middle(one["run"] - one["engine"] for one in found)
    whole = middle(one["run"] for one in found)
    return [
        Row(
            f"orchestration of a full run ({run.sizes.orchestrated_records:,} records, {found[0]['events']} events)",
            f"{added:.2f} s of {whole:.1f} s are not the engine's",
            f"at most {MOST_SECONDS:g} s",
            added <= MOST_SECONDS,
        )
    ]
