"""The write freeze: nobody but the loader writes, everybody reads on (``migration.maintenance``).

What belongs here: taking a freeze by hand or as a cut-over's lease, renewing it, and the fencing token that a load or a
switch shows in its own transaction. What does not: the refusal itself (triggers of the schema), the cut-over.

Invariants: the row is the freeze, so that none is without a record; ``private.is_frozen`` alone says whether it holds;
a token is never used again; a lease whose holder died ends by itself, unless a load was committed under it.
"""

from ledger_assets.freeze.act import off, on, take_lease, thaw, thaw_within
from ledger_assets.freeze.heartbeat import Heartbeat
from ledger_assets.freeze.state import Frozen, state
from ledger_assets.freeze.token import fence, hold, refuse_others, release

__all__ = [
    "Frozen",
    "Heartbeat",
    "fence",
    "hold",
    "off",
    "on",
    "refuse_others",
    "release",
    "state",
    "take_lease",
    "thaw",
    "thaw_within",
]
