"""Bringing the data of a restored snapshot (a scratch database) into a live one, in one transaction, and the way back.

What belongs here: comparing two databases of one schema, row by row, and merging. What does not: restoring a snapshot
into the scratch (``backup.restored``), purging the scratch of the erased (``backup.erasure``), asking a person.

Invariants: the live schema, its policies, publications and oids are never touched: only rows are; a restore is whole or
did not happen; what it replaces is kept, out of the API's reach, until it is taken back, expires or is erased.
"""

from ledger_assets.backup.merge.apply import Aside, Judge, Restored, apply
from ledger_assets.backup.merge.mode import EXACT, LOST, Erased, Mode
from ledger_assets.backup.merge.preview import Change, Preview, preview
from ledger_assets.backup.merge.undo import UndoEntry, Undone, forget_undo, list_undo, undo

__all__ = [
    "EXACT",
    "LOST",
    "Aside",
    "Change",
    "Erased",
    "Judge",
    "Mode",
    "Preview",
    "Restored",
    "UndoEntry",
    "Undone",
    "apply",
    "forget_undo",
    "list_undo",
    "preview",
    "undo",
]
