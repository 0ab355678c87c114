"""Claim codes for storytellers who get no account: written once, to a file that its owner alone can read.

What belongs here: issuing them and the file. What does not: claiming (``private.claim_storyteller``) and confirming.

Invariants: a code stands in that file and nowhere else (the database keeps its hash); the file is whole on the disk before
the codes count; whoever holds a valid code gets no second one unless it is asked for.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ledger_assets.accounts.plan import Decision
from ledger_assets.errors import SettingsError

if TYPE_CHECKING:
    from ledger_assets.writing import Writer

WHAT = "accounts codes"
FOLDER = "codes"
DAYS = 30
MOST_DAYS = 90


@dataclass(frozen=True)
class Issued:
    """Counts, and where the codes are. ``standing``: who holds a valid code, or waits for a steward, already."""

    issued: int
    standing: int
    path: Path | None


def issue(
    writer: Writer,
    decisions: Sequence[Decision],
    folder: Path,
    *,
    days: int = DAYS,
    again: bool = False,
    dry_run: bool = False,
) -> Issued:
    """Issue codes to those whom ``decisions`` give one. ``again``: also to those who hold one, which ends.

    Raises SettingsError when the file cannot be written, TargetError; then no code counts.
    """
    if not 1 <= days <= MOST_DAYS:
        raise SettingsError(f"--days: a code is valid for between 1 and {MOST_DAYS} days")
    entitled = [one.person for one in decisions if one.answer == "code"]
    wanted = [person for person in entitled if again or not person.has_code]
    standing = len(entitled) - len(wanted)
    if dry_run or not wanted:
        return Issued(len(wanted), standing, None)
    path = folder / f"{writer.environment}-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.csv"
    until = datetime.now(UTC) + timedelta(days=days)
    try:
        with writer.write(WHAT) as cur:
            rows = []
            for person in wanted:
                code = cur.execute(
                    "select private.issue_claim_code(%s, %s)", (person.id, timedelta(days=days))
                ).fetchone()
                assert code is not None
                rows.append((person.name, code[0], f"{until:%Y-%m-%d}"))
            _write(path, rows)
    except BaseException:
        with suppress(OSError):  # what is wrong with the folder is told already
            path.unlink()
        raise
    return Issued(len(rows), standing, path)


def _write(path: Path, rows: Sequence[tuple[str, str, str]]) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("storyteller", "code", "valid until"))
            writer.writerows(rows)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SettingsError(
            f"the file of the codes cannot be written in {path.parent}: {error.strerror}"
        ) from None
