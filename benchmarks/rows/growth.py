"""Ten times the records: how the lane's time and memory grow."""

from __future__ import annotations

from benchmarks.run import Run, compared_seconds, middle, split
from benchmarks.table import Row

MOST_RATIO = 12.0


def measure(run: Run) -> list[Row]:
    """One run of the large base against the median of the small one."""
    small = run.small
    with run.world.airtable(run.world.base(run.sizes.large_records)) as url:
        large = run.lane(url)
    before, after = middle(compared_seconds(one) for one in small), compared_seconds(large)
    return [
        Row(
            f"growth, {large['export']['records']:,} records / {small[0]['export']['records']:,}",
            f"{after / before:.1f} ({after:.0f} s / {before:.1f} s), peak memory {large['megabytes']:.0f} MB",
            f"at most {MOST_RATIO:g} in time",
            after / before <= MOST_RATIO and not large["proof"]["failed"],
        ),
        Row("&nbsp; by step, seconds", split([large])),
    ]
