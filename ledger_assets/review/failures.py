"""What failed, and what undid it: read from the order of the records."""

from __future__ import annotations

from collections.abc import Sequence

from ledger_assets.review.model import Failure, Line

UNDO = frozenset({"cutover_back", "switch_back", "restore", "rollback", "undo_restore", "thaw"})
"""Actions that bring back what was before."""


def failures(lines: Sequence[Line]) -> tuple[Failure, ...]:
    """Each failure and refusal with the first thing after it that settled it: the same done at last, or a way back.

    A refusal has nothing to undo: nothing was touched. A night that ended well and was taken back by hand is one, too.
    """
    found = []
    for number, line in enumerate(lines):
        if (line.what, line.outcome) == ("cutover", "done"):
            after = next(
                (one for one in lines[number + 1 :] if one.what in ("cutover", "cutover_back")), None
            )
            if after is not None and after.what == "cutover_back":
                found.append(Failure(line, after, "taken back by hand"))
        if line.outcome not in ("failed", "refused"):
            continue
        done = [one for one in lines[number + 1 :] if one.outcome == "done"]
        again = next((one for one in done if one.what == line.what), None)
        # The thaw that ends a night well is no way back for the attempt before it.
        undo = UNDO - {"thaw"} if line.what == "cutover" else UNDO
        back = next((one for one in done if one.what in undo), None)
        after = min((one for one in (again, back) if one is not None), key=lambda one: one.at, default=None)
        how = "nothing yet" if after is None else "done again" if after is again else "undone"
        if after is None and line.outcome == "refused":
            how = "nothing to undo: it was refused before anything was touched"
        found.append(Failure(line, after, how))
    return tuple(found)
