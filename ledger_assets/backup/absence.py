"""The alert on what did not happen: no fresh verified snapshot.

What belongs here: when absence is told, and how often. What does not: who looks (a sensor, ``status``).

GitLab's backups of 2017 were empty for weeks and the mails that said so were rejected: nobody misses a message that
does not come. Told again every six hours while it lasts: once is overlooked, every minute is switched off.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from ledger_assets.backup import messages
from ledger_assets.backup.messages import Message, aware
from ledger_assets.environment import Environment

WITHIN = timedelta(hours=26)
"""A day, and two hours for the snapshot and its verification."""
REPEAT = timedelta(hours=6)
CLOCK_SKEW = timedelta(hours=1)

TOLD = "absence.json"


def alert(
    environment: Environment, newest_verified_at: datetime | None, now: datetime, within: timedelta = WITHIN
) -> Message | None:
    """The message when there is no verified snapshot of the last ``within``. One of the future, which would keep this
    silent until then, counts as none."""
    if newest_verified_at is not None and now - within <= newest_verified_at <= now + CLOCK_SKEW:
        return None
    return messages.absence(environment, newest_verified_at, within=within, at=now)


def due(outbox: Path, now: datetime) -> bool:
    """Whether absence was not told in the last six hours (a time of the future does not count)."""
    try:
        told_at = aware(json.loads((outbox / TOLD).read_bytes())["told_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return True
    return not timedelta(0) <= now - told_at < REPEAT


def told(outbox: Path, now: datetime) -> None:
    """Remember that absence was told; after the message lies in the outbox: twice is better than never."""
    outbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    (outbox / TOLD).write_text(json.dumps({"told_at": now.isoformat()}))


def fresh(outbox: Path) -> None:
    """There is a fresh one again: the next absence is told at once."""
    (outbox / TOLD).unlink(missing_ok=True)
