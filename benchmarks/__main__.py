"""``python -m benchmarks [ROW ...]``: measure, print one table, and optionally put it into a Markdown file."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.rows import app, growth, lane, limit, load, orchestration, snapshot, sync
from benchmarks.run import PEER_PYTHON, SMOKE, Run, Sizes
from benchmarks.table import Row, render, write_into
from benchmarks.world import MeasurementFailed, World

ROWS: dict[str, Callable[[Run], list[Row]]] = {
    "export": limit.measure,
    "lane": lane.measure,
    "growth": growth.measure,
    "load": load.measure,
    "orchestration": orchestration.measure,
    "app": app.measure,
    "snapshot": snapshot.measure,
    "sync": sync.measure,
}
NEED_PEER = "lane"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure. Targets that are missed are said in the table and are no error: a busy machine misses some."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(ROWS)} (default: all)")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: does everything still run?")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the marks of FILE")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.rows) - set(ROWS)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    names = [name for name in ROWS if not chosen.rows or name in chosen.rows]
    if NEED_PEER in names and not PEER_PYTHON.exists():
        parser.error("dlt is not installed: run `make bench`, which does that")
    started = time.monotonic()
    rows: list[Row] = []
    failed = False
    with World() as world:
        run = Run(world, SMOKE if chosen.smoke else Sizes())
        for name in names:
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            try:
                rows += ROWS[name](run)
            except MeasurementFailed as error:  # the others took minutes: they are printed all the same
                print(error, file=sys.stderr)
                rows.append(Row(name, "failed, see above the table", met=False))
                failed = True
    table = render(rows, seconds=time.monotonic() - started, smoke=chosen.smoke)
    print(table)
    if chosen.write:
        write_into(chosen.write, table)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
