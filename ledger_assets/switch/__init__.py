"""The switch: which source is live for the app (``migration.live``), and telling those who must build again.

What belongs here: flipping, and calling the deploy hooks. What does not: when it is time to (the cut-over).

Invariants: the app reads one row by ``public.live_state()``; a flip is one transaction, fenced by the freeze's token; a
hook that does not answer undoes nothing and stays outstanding until it took the newest generation.
"""

from ledger_assets.switch.flip import Flipped, Live, Source, live, switch
from ledger_assets.switch.hooks import Called, call_hooks, lines, outstanding
from ledger_assets.switch.settings import Hooks, read_hooks

__all__ = [
    "Called",
    "Flipped",
    "Hooks",
    "Live",
    "Source",
    "call_hooks",
    "lines",
    "live",
    "outstanding",
    "read_hooks",
    "switch",
]
