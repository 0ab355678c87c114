"""What people are told: one builder for each thing that can happen to backups.

What belongs here: the words. What does not: keeping or sending them (``outbox``, ``channels``).

Invariant: a message is built from typed arguments alone (ids, counts, sizes, times, names of checks) and every one of
them is judged: an id that does not look like one is left out. An exception gives the name of its class; only the first
line of our own errors, which never hold a value or a secret, is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ledger_assets.backup.retention import Decision
from ledger_assets.environment import Environment
from ledger_assets.errors import LedgerError
from ledger_assets.moment import utc

LONGEST = 300
"""Characters of one line."""


class Kind(StrEnum):
    """What happened."""

    SNAPSHOT_TAKEN = "snapshot_taken"
    SNAPSHOT_VERIFIED = "snapshot_verified"
    SNAPSHOT_FAILED = "snapshot_failed"
    VERIFICATION_FAILED = "verification_failed"
    ABSENCE = "absence"
    RUN_FAILED = "run_failed"
    CHECK_FAILED = "check_failed"
    HEALTH_BAD = "health_bad"
    RETENTION_REFUSED = "retention_refused"
    RESTORE_DONE = "restore_done"
    UNDELIVERED = "undelivered"
    TRIAL = "trial"
    ANNOUNCEMENT = "announcement"
    STATUS_PAGE_FAILED = "status_page_failed"


_GOOD = {Kind.SNAPSHOT_TAKEN, Kind.SNAPSHOT_VERIFIED, Kind.RESTORE_DONE}
_WARNING = {Kind.RETENTION_REFUSED, Kind.CHECK_FAILED, Kind.UNDELIVERED, Kind.STATUS_PAGE_FAILED}


@dataclass(frozen=True)
class Message:
    """A title, some lines, and when it was said."""

    kind: Kind
    title: str
    lines: tuple[str, ...]
    at: datetime

    @property
    def level(self) -> str:
        """``info``, ``success``, ``warning`` or ``failure``."""
        if self.kind in {Kind.TRIAL, Kind.ANNOUNCEMENT}:
            return "info"
        return "success" if self.kind in _GOOD else "warning" if self.kind in _WARNING else "failure"

    def to_json(self) -> str:
        """For the outbox."""
        return json.dumps({**asdict(self), "at": self.at.isoformat()})

    @staticmethod
    def from_json(text: str) -> Message:
        """The message again. Raises ValueError, KeyError or TypeError when it is not one."""
        found = json.loads(text)
        lines = tuple(str(line) for line in found["lines"])
        return Message(Kind(found["kind"]), str(found["title"]), lines, aware(found["at"]))


def snapshot_taken(
    environment: Environment, snapshot_id: str, *, rows: int, size: int, seconds: float, at: datetime
) -> Message:
    """A snapshot is in the bucket; it is not verified yet."""
    lines = (f"{_snapshot(snapshot_id)}: {rows:,} rows, {_size(size)}, {seconds:.0f} s.", "Not verified yet.")
    return _message(Kind.SNAPSHOT_TAKEN, environment, "a snapshot was taken", lines, at)


def snapshot_verified(
    environment: Environment, snapshot_id: str, *, rows: int, seconds: float, at: datetime
) -> Message:
    """A snapshot was restored in scratch and is equal to its manifest."""
    lines = (f"{_snapshot(snapshot_id)}: restored in {seconds:.0f} s, {rows:,} rows, equal to its manifest.",)
    return _message(Kind.SNAPSHOT_VERIFIED, environment, "a snapshot was verified", lines, at)


def snapshot_failed(environment: Environment, kind: str, error: BaseException, *, at: datetime) -> Message:
    """No snapshot came of it."""
    lines = (f"Kind: {_name(kind)}.", f"Cause: {cause(error)}", "The snapshots before it are as they were.")
    return _message(Kind.SNAPSHOT_FAILED, environment, "a snapshot FAILED", lines, at)


def verification_failed(
    environment: Environment, snapshot_id: str, *, differences: int, error: BaseException | None, at: datetime
) -> Message:
    """A snapshot could not be restored, or what came back is not what went in."""
    told = (
        f"Cause: {cause(error)}"
        if error
        else f"{differences:,} differences between manifest and restored copy."
    )
    lines = (
        _snapshot(snapshot_id),
        told,
        "Do not rely on it; nothing is removed until a newer one is verified.",
    )
    return _message(Kind.VERIFICATION_FAILED, environment, "a snapshot FAILED its verification", lines, at)


def absence(
    environment: Environment, newest_verified_at: datetime | None, *, within: timedelta, at: datetime
) -> Message:
    """Nothing failed, perhaps because nothing ran: the alert that GitLab did not have in 2017."""
    newest = (
        "There is none." if newest_verified_at is None else f"The newest is of {_time(newest_verified_at)}."
    )
    hours = within.total_seconds() / 3600
    lines = (newest, f"One is due every {hours:.0f} hours.", "Remedy: see whether the schedules run.")
    return _message(Kind.ABSENCE, environment, "no fresh VERIFIED snapshot", lines, at)


def run_failed(
    environment: Environment,
    job: str,
    run_id: str,
    *,
    step: str | None,
    error: BaseException | str | None,
    at: datetime,
) -> Message:
    """A run ended in failure; ``error``: what was raised, or the name of its class."""
    told = cause(error) if isinstance(error, BaseException) else _name(error or "not known")
    where = f"Step: {_name(step)}." if step else "No step failed: the run's process may have died."
    lines = (f"Run {_run(run_id)} of {_name(job)}.", where, f"Cause: {told}")
    return _message(Kind.RUN_FAILED, environment, "a run FAILED", lines, at)


def check_failed(
    environment: Environment, asset: str, check: str, run_id: str, *, blocking: bool, at: datetime
) -> Message:
    """An asset check said no. One that does not block stops nothing, so only this message tells of it."""
    effect = "It stops what depends on it." if blocking else "It stops nothing: look at it all the same."
    lines = (f"Check {_name(check)} of {_name(asset)}, run {_run(run_id)}.", effect)
    return _message(Kind.CHECK_FAILED, environment, "a check FAILED", lines, at)


def health_bad(environment: Environment, bad: Sequence[str], *, at: datetime) -> Message:
    """Other measures are bad than when somebody was told last."""
    named = ", ".join(_name(one) for one in bad)
    lines = (f"Bad: {named}.", f"Remedy: ledger-assets health {Environment(environment)} says what to do.")
    return _message(Kind.HEALTH_BAD, environment, "something is not well", lines, at)


def retention_refused(environment: Environment, decision: Decision, *, at: datetime) -> Message:
    """Nothing was removed, since something is wrong with the newest snapshot."""
    lines = (f"Kept: all {len(decision.keep):,} snapshots.", f"Reason: {decision.refused}.")
    return _message(Kind.RETENTION_REFUSED, environment, "no old snapshot is removed", lines, at)


def restore_done(
    environment: Environment,
    snapshot_id: str,
    *,
    mode: str,
    inserted: int,
    updated: int,
    deleted: int,
    seconds: float,
    at: datetime,
) -> Message:
    """The database was changed by a restore."""
    counts = f"{inserted:,} rows brought back, {updated:,} replaced, {deleted:,} removed, {seconds:.0f} s."
    lines = (f"From {_snapshot(snapshot_id)}, mode {_name(mode)}.", counts)
    return _message(Kind.RESTORE_DONE, environment, "a restore is done", lines, at)


def undelivered(count: int, first: datetime, last: datetime, *, at: datetime) -> Message:
    """What became of messages that waited too long."""
    lines = (f"{count:,} messages could not be delivered ({_time(first)} to {_time(last)}).",)
    return Message(Kind.UNDELIVERED, "Ledger: messages could not be delivered", lines, at)


def outbox_damaged(names: list[str], *, at: datetime) -> Message:
    """A file of the outbox could not be read."""
    lines = tuple(f"Set aside, unread: {_name(name)}" for name in names[:20])
    return Message(Kind.UNDELIVERED, f"Ledger: {len(names)} damaged files in the outbox", lines, at)


def announcement(subject: str, text: str, *, at: datetime) -> Message:
    """What a community tells its people: its own words, from a template that holds no cell value."""
    return Message(Kind.ANNOUNCEMENT, subject, tuple(text.splitlines()), at)


def status_page_failed(environment: Environment, error: BaseException, *, at: datetime) -> Message:
    """The status page could not be published; the migration goes on."""
    lines = (f"Cause: {cause(error)}", "The migration goes on. It is tried again with the next step.")
    return _message(Kind.STATUS_PAGE_FAILED, environment, "the status page could NOT be published", lines, at)


def trial(environment: Environment, *, at: datetime) -> Message:
    """Sent by hand or each month, so that somebody sees that messages arrive."""
    return _message(Kind.TRIAL, environment, "this is a trial message", ("Nothing happened.",), at)


def aware(text: str) -> datetime:
    """A time with its zone, as ``isoformat`` wrote it. Raises ValueError or TypeError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment


def cause(error: BaseException) -> str:
    """What may be told of an exception: its class; of our own errors their one line, too."""
    if not isinstance(error, LedgerError):
        return f"{type(error).__name__} (its text is in this machine's log alone)"
    return f"{type(error).__name__}: {_line(str(error))}"


def _message(
    kind: Kind, environment: Environment, title: str, lines: tuple[str, ...], at: datetime
) -> Message:
    return Message(kind, f"Ledger {Environment(environment)}: {title}", lines, at)


def _snapshot(snapshot_id: str) -> str:
    known = re.fullmatch(r"backup-\d{1,20}-(full|checkpoint|emergency|baseline)", snapshot_id)
    return snapshot_id if known else "(a snapshot without an id)"


def _run(run_id: str) -> str:
    return run_id[:8] if re.fullmatch(r"[0-9a-f-]{8,36}", run_id) else "(without an id)"


def _name(name: str) -> str:
    """A name of ours: of a job, a step, a check, an asset, a class. A path, an address or a sentence is not one."""
    fitting = re.fullmatch(r"[A-Za-z_0-9][A-Za-z_0-9]*([./:\[\]-]{1,2}[A-Za-z_0-9]+){0,12}\]?", name)
    return name if fitting and len(name) <= 100 else "(a name that is not shown)"


def _line(text: str) -> str:
    first = text.splitlines()[0] if text.strip() else ""
    return "".join(character if character.isprintable() else " " for character in first)[:LONGEST]


def _size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _time(moment: datetime) -> str:
    return utc(moment)
