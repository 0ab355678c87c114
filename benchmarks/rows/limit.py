"""The export under Airtable's limit: how many calls it makes, and how near to the limit it comes.

The best possible rate at a moment is the limit, or what the scans that are still going can ask for: a scan has one
request under way (the next offset stands in the answer), a comment reader too.
"""

from __future__ import annotations

import itertools
import shutil
from collections import Counter

from benchmarks.run import Run
from benchmarks.table import Row
from benchmarks.world import engine, settings
from ledger_assets.demo.faults import Request
from ledger_assets.demo.server import LocalAirtable
from ledger_assets.environment import REQUESTS_PER_SECOND
from ledger_assets.extract.run import COMMENT_READERS

LEAST_SHARE = 0.95
METADATA_CALLS = 2
"""Before the first record and after the last: the design must be the same."""
WEBHOOK_CALLS = 2
"""A base that was never exported: the list, and a new one."""


def measure(run: Run) -> list[Row]:
    """A line for each latency."""
    return [_measure(run, latency) for latency in run.sizes.latencies]


def _measure(run: Run, latency: float) -> Row:
    base = run.world.home() / "base.sqlite"
    shutil.copyfile(run.world.base(run.sizes.limited_records), base)  # a webhook stays in its base
    with LocalAirtable(base, requests_per_second=REQUESTS_PER_SECOND, latency=latency) as airtable:
        environ = settings(airtable.url, "", run.world.home(), rate=REQUESTS_PER_SECOND)
        found = engine("export", environ)["export"]
        asked = list(airtable.requests)
    refused = sum(request.status == 429 for request in asked)
    kinds = Counter(_kind(request) for request in asked)
    expected = METADATA_CALLS + WEBHOOK_CALLS + found["pages"] + kinds["comments"]
    share = _share(asked, latency)
    return Row(
        f"export under the limit, {latency * 1000:.0f} ms latency",
        f"{found['calls']} calls = {METADATA_CALLS} metadata + {WEBHOOK_CALLS} webhook + {found['pages']} pages + "
        f"{kinds['comments']} of comments; {share:.1%} of the possible rate; {refused} times 429",
        f"that many calls, at least {LEAST_SHARE:.0%}, no 429",
        found["calls"] == len(asked) == expected and share >= LEAST_SHARE and not refused,
    )


def _kind(request: Request) -> str:
    if "/meta/" in request.path or "/webhooks" in request.path:
        return "metadata"
    return "comments" if request.path.endswith("/comments") else request.path.rsplit("/", 1)[-1]


def _share(asked: list[Request], latency: float) -> float:
    """Requests that arrived between the first and the last one, of those that could have."""
    arrivals = sorted(
        (request.time - latency, _kind(request)) for request in asked if _kind(request) != "metadata"
    )
    last = {kind: moment for moment, kind in arrivals}
    readers = {kind: COMMENT_READERS if kind == "comments" else 1 for kind in last}
    moments = sorted({arrivals[0][0], *last.values()})
    possible = 0.0
    for begin, end in itertools.pairwise(moments):
        going = sum(readers[kind] for kind in last if last[kind] >= end)
        possible += (end - begin) * min(REQUESTS_PER_SECOND, going / latency)
    return (len(arrivals) - 1) / possible
