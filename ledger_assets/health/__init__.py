"""Is everything well? Measures of an environment, each with its state, its threshold and what to do.

What belongs here: looking. What does not: changing anything, telling anybody (``ledger_assets.monitoring``).
"""

from ledger_assets.health.collect import collect
from ledger_assets.health.facts import Checked, FailedRun, Rehearsed, RunFacts
from ledger_assets.health.model import Measure, Report, State
from ledger_assets.health.watch import Clock, Watched, watch

__all__ = [
    "Checked",
    "Clock",
    "FailedRun",
    "Measure",
    "Rehearsed",
    "Report",
    "RunFacts",
    "State",
    "Watched",
    "collect",
    "watch",
]
