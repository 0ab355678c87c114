"""What is happening in the window: the plain state that the cut-over hands over, and its file.

What belongs here: the state, its changes, keeping it between processes (the hourly schedule runs in another one than the
cut-over). What does not: how it looks (``status_page``), what is sent because of it (``due``).

Invariants: names of steps and tables, counts and times, nothing else; a state of another window does not count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ledger_assets.announce.window import Window
from ledger_assets.backup import outbox_files
from ledger_assets.backup.messages import aware

Phase = Literal["planned", "open", "done", "rolled_back"]
Progress = Literal["planned", "running", "done", "failed"]

STEPS = {
    "freeze": "Writing is paused; reading goes on",
    "sync": "The last changes are brought over",
    "checkpoint": "A copy of everything is kept, and tried",
    "load": "Everything moves into its new home",
    "proof": "Everything is compared, piece by piece",
    "access": "Who may see what is tried out",
    "health": "The new home is examined",
    "switch": "The platform begins to use its new home",
    "watch": "We watch over it",
    "unfreeze": "Writing works again",
}
"""The cut-over's steps in order, in the words of the page."""
TIMETABLE = {
    "freeze": 0,
    "sync": 5,
    "checkpoint": 20,
    "load": 30,
    "proof": 120,
    "access": 150,
    "health": 165,
    "switch": 180,
    "watch": 185,
    "unfreeze": 300,
}
"""Minute of a window of five hours in which each step is planned to begin: the roadmap's 2 to 7 in the morning."""
WHOLE = 300
FILE = "state.json"


@dataclass(frozen=True)
class StepState:
    """One step; the times are known or None."""

    name: str
    state: Progress = "planned"
    planned_at: datetime | None = None
    begun_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class TableProgress:
    """How much of one table has moved: counts alone. ``total``: None when it is not known."""

    name: str
    done: int
    total: int | None = None


@dataclass(frozen=True)
class State:
    """The whole window. ``reading`` and ``writing``: does it work for people, now?"""

    phase: Phase = "planned"
    steps: tuple[StepState, ...] = field(default_factory=lambda: tuple(StepState(name) for name in STEPS))
    tables: tuple[TableProgress, ...] = ()
    reading: bool = True
    writing: bool = True
    begun_at: datetime | None = None
    ended_at: datetime | None = None

    def begun(self, at: datetime, *, writing: bool = False) -> State:
        """The window is open."""
        return replace(self, phase="open", begun_at=self.begun_at or at, ended_at=None, writing=writing)

    def closed(self, phase: Literal["done", "rolled_back"], at: datetime) -> State:
        """It is over, and everything works."""
        return replace(self, phase=phase, ended_at=at, reading=True, writing=True)

    def step(self, name: str, state: Progress, at: datetime) -> State:
        """A step has begun, ended or failed. ``name``: one of ``STEPS``."""
        if name not in STEPS:
            raise KeyError(name)

        def changed(one: StepState) -> StepState:
            if one.name != name:
                return one
            if state == "running":
                return replace(one, state=state, begun_at=at, ended_at=None)
            return replace(one, state=state, ended_at=None if state == "planned" else at)

        return replace(self, steps=tuple(changed(one) for one in self.steps))

    def with_tables(self, tables: Iterable[TableProgress]) -> State:
        """With the progress of these tables."""
        return replace(self, tables=tuple(tables))


def planned(window: Window) -> State:
    """Before anything has begun: each step with its time, the roadmap's timetable stretched to this window."""
    return State(
        steps=tuple(
            StepState(name, planned_at=window.start + window.length * (TIMETABLE[name] / WHOLE))
            for name in STEPS
        )
    )


def load(folder: Path, window: Window) -> State:
    """The kept state of this window; a planned one when there is none, or it cannot be read."""
    try:
        found = json.loads((folder / FILE).read_bytes())
        if found["window"] != window.key:
            return planned(window)
        return _parsed(found["state"])
    except (FileNotFoundError, *outbox_files.DAMAGE):
        return planned(window)


def begun_at(folder: Path) -> datetime | None:
    """When the kept state began, of whatever window it is; None when it did not."""
    try:
        return _moment(json.loads((folder / FILE).read_bytes())["state"]["begun_at"])
    except (FileNotFoundError, *outbox_files.DAMAGE):
        return None


def save(folder: Path, window: Window, state: State) -> None:
    """Keep it. Raises OSError."""
    outbox_files.private(folder)
    with outbox_files.locked(folder / "state.lock"):
        document = {"window": window.key, "state": json.loads(json.dumps(asdict(state), default=_iso))}
        outbox_files.write(folder / FILE, document, "state.tmp")


def _parsed(found: dict[str, Any]) -> State:
    return State(
        phase=_one_of(found["phase"], ("planned", "open", "done", "rolled_back")),
        steps=tuple(
            StepState(
                str(one["name"]),
                _one_of(one["state"], ("planned", "running", "done", "failed")),
                *(_moment(one[name]) for name in ("planned_at", "begun_at", "ended_at")),
            )
            for one in found["steps"]
        ),
        tables=tuple(
            TableProgress(str(one["name"]), int(one["done"]), one["total"]) for one in found["tables"]
        ),
        reading=bool(found["reading"]),
        writing=bool(found["writing"]),
        begun_at=_moment(found["begun_at"]),
        ended_at=_moment(found["ended_at"]),
    )


def _one_of(value: object, known: tuple[str, ...]) -> Any:
    if value not in known:
        raise ValueError("not a state of ours")
    return value


def _moment(value: str | None) -> datetime | None:
    return None if value is None else aware(value)


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
