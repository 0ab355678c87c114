"""The whole lane without the limit, against dlt loading the same base: time and memory."""

from __future__ import annotations

from benchmarks.run import Run, compared_seconds, middle, split
from benchmarks.table import Row

MOST_RATIO = 1.0
MOST_MEGABYTES = 600


def measure(run: Run) -> list[Row]:
    """Medians of alternate runs, each in fresh processes from start to end."""
    ours, peers = zip(*run.rounds, strict=True)
    our_time, peer_time = (middle(compared_seconds(one) for one in side) for side in (ours, peers))
    our_memory, peer_memory = (middle(one["megabytes"] for one in side) for side in (ours, peers))
    records = ours[0]["export"]["records"]
    return [
        Row(
            f"whole lane, {records:,} records: export, ledger, load, proof / dlt's load",
            f"{our_time / peer_time:.2f} ({our_time:.1f} s / {peer_time:.1f} s)",
            f"at most {MOST_RATIO:g}",
            our_time / peer_time <= MOST_RATIO and not any(one["proof"]["failed"] for one in ours),
        ),
        Row(f"&nbsp; ours by step, seconds ({_proof(ours[0])}; files are not compared)", split(ours)),
        Row("&nbsp; dlt by step, seconds", split(peers)),
        Row(
            "&nbsp; peak memory",
            f"{our_memory:.0f} MB (dlt {peer_memory:.0f} MB)",
            f"under {MOST_MEGABYTES} MB",
            our_memory < MOST_MEGABYTES,
        ),
    ]


def _proof(result: dict[str, dict[str, list[str]]]) -> str:
    failed = result["proof"]["failed"]
    return f"proof FAILED: {', '.join(failed)}" if failed else "proof passed"
