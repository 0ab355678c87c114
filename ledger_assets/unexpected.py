"""What may be said of an error that is not ours: its kind and the place, never its text, which may hold a cell's value."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb

from ledger_assets.storage import DISK_FULL

PACKAGE = Path(__file__).resolve().parent


def place(error: BaseException) -> str:
    """Kind of an unexpected error and the last line of ours that it passed through; a full disk is called so."""
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        named = f" {error.filename}" if error.filename else ""
        return (
            f"a file{named} cannot be written: {error.strerror}: make room on its disk, then run this again"
        )
    frames = [frame for frame in extract_tb(error.__traceback__) if PACKAGE in Path(frame.filename).parents]
    where = (
        f"{Path(frames[-1].filename).relative_to(PACKAGE)}:{frames[-1].lineno}" if frames else "unknown place"
    )
    return f"unexpected {type(error).__name__} at {where}: this is a fault of ledger_assets, please report this line"
