"""Rows kept for the way back, after columns of their tables came back at another place.

What belongs here: writing their images in the new order of columns. What does not: taking a restore back (``merge.undo``).

Invariants: an image is only rewritten where the restore's own record says that it is of the snapshot's order of columns;
nothing of it is lost. Left in the old order an image could not be read, and an erasure, which looks into it, would fail.
"""

from __future__ import annotations

from ledger_assets.backup.merge import model, write
from ledger_assets.backup.repairing import values
from ledger_assets.backup.repairing.work import Work, filled, literal, text


def reorder(work: Work) -> None:
    """All of them."""
    before, after = model.read(work.copy), model.read(work.live)
    work.copy.execute("set local search_path = ''")
    work.live.execute("set local search_path = ''")
    shapes = write.shape(before), write.shape(after)
    if shapes[0] == shapes[1]:
        return
    moved = [
        table.full
        for table in before.tables
        if table.full in after.by_name and table.columns != after.by_name[table.full].columns
    ]
    with work.live.connection.transaction():
        for number, table in enumerate(moved):
            _reorder(work, number, table, shapes[0])
        work.live.execute("update migration.undo set shape = %s where shape = %s", (shapes[1], shapes[0]))


def _reorder(work: Work, number: int, table: str, shape: str) -> None:
    old, staged = values.order(work, table), f"repair_image_{number}"
    new = [row[0] for row in work.live.execute(text("columns"), (table,)).fetchall() if row[0] in old]
    parts = {"table": table, "staged": staged, "table_text": literal(table), "shape": literal(shape)}
    what = f"the rows kept for the way back of {table}"
    work.run(what, filled("staged", **parts, columns=", ".join(old)))
    work.run(what, filled("images", **parts, columns=", ".join(f"x.{column}" for column in new)))
