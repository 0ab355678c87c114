"""Messages that wait to be sent: a folder of small files, so that a dead notifier loses nothing.

What belongs here: keeping messages, their order, when a channel is tried again. What does not: how a channel sends
(``channels``), what is said (``messages``).

Invariants: a message is on the disk before anything is sent, and leaves it only when every channel has it; a process
killed between the two repeats it (at least once). Each channel has its own order and its own pauses: a dead webhook
repeats no e-mail. A message that waited too long is counted in one that says so. :func:`notify` never raises.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ledger_assets.backup import messages
from ledger_assets.backup import outbox_files as files
from ledger_assets.backup.channels import Channel, NotSent
from ledger_assets.backup.messages import Message, aware
from ledger_assets.environment import Environment

LONGEST_WAIT = timedelta(days=30)
MOST_MESSAGES = 1000
MOST_AT_ONCE = 50
"""Of one channel in one call: after a long outage a backup must not wait for a thousand posts."""
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivered:
    """``sent``: messages times channels; ``waiting``: messages; ``failed``: one line per channel that is in trouble."""

    sent: int
    waiting: int
    failed: tuple[str, ...] = ()
    set_aside: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChannelState:
    """Attempts that failed since the last one that worked."""

    attempts: int = 0
    tried_at: datetime | None = None

    def due(self, now: datetime) -> bool:
        """Whether to try again. An attempt of the future (a clock set back) does not count."""
        if self.tried_at is None or self.tried_at > now:
            return True
        doublings = min(max(self.attempts - 1, 0), 10)
        return now - self.tried_at >= min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)

    def document(self) -> dict[str, Any]:
        """For the file."""
        return {"attempts": self.attempts, "tried_at": self.tried_at.isoformat() if self.tried_at else None}


def outbox_folder(home: Path, environment: Environment) -> Path:
    """The environment's outbox; made when first used, readable by its owner alone."""
    return home / "outbox" / str(environment)


def enqueue(outbox: Path, message: Message) -> str:
    """Keep the message, before anything is sent. Returns its file's name. Raises OSError (a full disk)."""
    return files.add(outbox, message).name


def deliver(outbox: Path, channels: Mapping[str, Channel], *, now: datetime) -> Delivered:
    """Send what waits and is due. Another process that is sending is left to it. Raises OSError alone."""
    files.private(outbox)
    with files.locked(outbox / "deliver.lock", wait=False) as mine:
        if not mine or not channels:
            return Delivered(0, len(files.waiting(outbox)))
        return _deliver(outbox, channels, now)


def notify(
    outbox: Path, channels: Mapping[str, Channel], message: Message | None, *, now: datetime
) -> Delivered:
    """Keep the message and send what waits (None: only that). Never raises: no backup fails because nobody was told.

    Without channels nothing is kept: nobody asked to be told, and one who asks later wants no old news. On a full disk
    the message is sent without being kept: it may be the one that says so.
    """
    if not channels:
        return Delivered(0, 0)
    unkept = [message] if message else []
    try:
        if message:
            enqueue(outbox, message)
            unkept = []
        return deliver(outbox, channels, now=now)
    except Exception as error:  # noqa: BLE001 - see above
        trouble = f"outbox: {type(error).__name__}"
    _log.warning("the outbox cannot be used: %s", trouble)
    reasons = [(name, _try(send, one)) for one in unkept for name, send in channels.items()]
    failed = [f"{name}: {reason}" for name, reason in reasons if reason]
    return Delivered(len(reasons) - len(failed), 0, (trouble, *failed))


def refuse(outbox: Path, message: Message | None, reason: str) -> Delivered:
    """Keep the message while the settings name no channel that could be used. Never raises."""
    try:
        if message:
            enqueue(outbox, message)
        return Delivered(0, len(files.waiting(outbox)), (reason,))
    except OSError as error:
        return Delivered(0, 0, (reason, f"outbox: {type(error).__name__}"))


def state(outbox: Path) -> dict[str, ChannelState]:
    """The channels in trouble."""
    try:
        found = json.loads((outbox / files.STATE).read_bytes())
        return {
            str(name): ChannelState(int(one["attempts"]), aware(one["tried_at"]))
            for name, one in found.items()
        }
    except (FileNotFoundError, *files.DAMAGE):
        return {}  # lost: tried sooner than need be


def _deliver(outbox: Path, channels: Mapping[str, Channel], now: datetime) -> Delivered:
    folded, damaged = files.read_folded(outbox)
    for name in folded.names:
        (outbox / name).unlink(missing_ok=True)  # killed between counting and removing
    entries, unreadable = files.read(outbox)
    damaged += unreadable
    if damaged:
        enqueue(outbox, messages.outbox_damaged(damaged, at=now))
        entries, _ = files.read(outbox)
    entries = _fold(outbox, entries, folded, channels, now)
    before = state(outbox)
    after: dict[str, ChannelState] = {}
    sent, failed = 0, []
    for name, send in channels.items():
        known = before.get(name, ChannelState())
        if not known.due(now):
            after[name] = known
            failed.append(f"{name}: waits after {known.attempts} failed attempts")
            continue
        done, reason = _deliver_one(outbox, name, send, entries, folded, now)
        sent += done
        if reason:
            after[name] = ChannelState(1 if done else known.attempts + 1, now)
            failed.append(f"{name}: {reason} (failed attempts: {after[name].attempts})")
    if after != before:
        files.write(outbox / files.STATE, {name: one.document() for name, one in after.items()})
    done_with = [one for one in entries if one.sent.issuperset(channels)]
    for one in done_with:
        one.path.unlink(missing_ok=True)
    waiting = len(entries) - len(done_with) + bool(folded.counts)
    return Delivered(sent, waiting, tuple(failed), tuple(damaged))


def _deliver_one(
    outbox: Path, name: str, send: Channel, entries: list[files.Entry], folded: files.Folded, now: datetime
) -> tuple[int, str]:
    """One channel, in order, until the first that fails: how many were sent, and the reason."""
    sent = 0
    if name in folded.counts:
        count, first, last = folded.counts[name]
        if trouble := _try(send, messages.undelivered(count, first, last, at=now)):
            return sent, trouble
        del folded.counts[name]
        files.write(outbox / files.FOLDED, folded.document())
        sent += 1
    for one in [entry for entry in entries if name not in entry.sent][:MOST_AT_ONCE]:
        if trouble := _try(send, one.message):
            return sent, trouble
        one.sent.add(name)
        files.write(one.path, {"message": one.message.to_json(), "sent": sorted(one.sent)})
        sent += 1
    return sent, ""


def _try(send: Channel, message: Message) -> str:
    """Send; the reason when it was not taken."""
    try:
        send(message)
    except NotSent as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever a channel raises is that channel's trouble alone
        return type(error).__name__
    return ""


def _fold(
    outbox: Path,
    entries: list[files.Entry],
    folded: files.Folded,
    channels: Mapping[str, Channel],
    now: datetime,
) -> list[files.Entry]:
    """Count what is too old or too many, oldest first; what is left. Counted in the file before it is removed."""
    too_many = len(entries) - MOST_MESSAGES
    kept: list[files.Entry] = []
    old: list[files.Entry] = []
    for place, one in enumerate(entries):
        (old if place < too_many or now - one.message.at > LONGEST_WAIT else kept).append(one)
    folded.names = [one.path.name for one in old]
    for one in old:
        at = one.message.at
        for name in set(channels) - one.sent:
            count, first, last = folded.counts.get(name, (0, at, at))
            folded.counts[name] = (count + 1, min(first, at), max(last, at))
    if old:
        files.write(outbox / files.FOLDED, folded.document())
    for one in old:
        one.path.unlink(missing_ok=True)
    return kept
