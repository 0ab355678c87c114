"""What the status page says: the state in plain words.

What belongs here: the sentences, for the page and for the hourly announcement. What does not: HTML, publishing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger_assets.announce.contacts import Contact, Contacts
from ledger_assets.announce.state import STEPS, State, StepState, TableProgress
from ledger_assets.announce.window import Window

AGAIN = (
    "It is written anew at each step and every few minutes: reload it to see the newest. If that time is long past, it may "
    "have changed since: ask us."
)


@dataclass(frozen=True)
class Line:
    """A step or a table in words. ``percent``: of its bar."""

    name: str
    words: str
    told: str
    state: str
    percent: int | None = None


@dataclass(frozen=True)
class Page:
    """Everything that the page says."""

    platform: str
    headline: str
    lead: str
    tone: str
    progress: str
    percent: int
    times: tuple[tuple[str, str], ...]
    steps: tuple[Line, ...]
    tables: tuple[Line, ...]
    contacts: tuple[Contact, ...]
    behind: str
    written: str
    clock: str
    again: str


def words(state: State, window: Window, contacts: Contacts | None, now: datetime) -> Page:
    """The page of ``state``; without contacts when their file cannot be read."""
    platform = contacts.platform if contacts else "Our platform"
    headline, lead, tone = _headline(state, window, platform, now)
    done, back = sum(step.state == "done" for step in state.steps), state.phase == "rolled_back"
    unknown = state.phase == "done" and not done  # announced by hand: nobody said which steps there were
    return Page(
        platform=platform,
        headline=headline,
        lead=lead,
        tone=tone,
        progress=progress(state),
        percent=round(100 * done / max(len(state.steps), 1)),
        times=tuple(_times(state, window)),
        # Of a move that was taken back, what had been done is no news any more.
        steps=() if back or unknown else tuple(_step(step, window, state) for step in state.steps),
        tables=() if back else tuple(_table(table) for table in state.tables),
        contacts=contacts.public if contacts else (),
        behind=contacts.behind if contacts else "",
        written=window.when(now),
        clock=window.clock(now),
        again=AGAIN if state.phase in {"planned", "open"} else "It does not change any more.",
    )


def document(state: State, window: Window, page: Page, now: datetime) -> dict[str, Any]:
    """The same for programs; times with their zone."""
    return {
        "platform": page.platform,
        "phase": state.phase,
        "headline": page.headline,
        "written_at": now.isoformat(timespec="seconds"),
        "planned": {"from": window.start.isoformat(), "to": window.end.isoformat()},
        "begun_at": _iso(state.begun_at),
        "ended_at": _iso(state.ended_at),
        "reading": state.reading,
        "writing": state.writing,
        "steps": [
            {
                "name": step.name,
                "words": STEPS.get(step.name, step.name),
                "state": step.state,
                "planned_at": _iso(step.planned_at),
                "begun_at": _iso(step.begun_at),
                "ended_at": _iso(step.ended_at),
            }
            for step in state.steps
        ],
        "tables": [{"name": one.name, "done": one.done, "total": one.total} for one in state.tables],
        "contacts": [
            {"role": one.role, "name": one.name, "phone": one.phone, "email": one.email}
            for one in page.contacts
        ],
    }


def progress(state: State) -> str:
    """How far it is, in a sentence or two."""
    done = sum(step.state == "done" for step in state.steps)
    sentences = [f"{done} of {len(state.steps)} steps are done."]
    for step in state.steps:
        if step.state == "running":
            sentences.append(f"Now: {STEPS.get(step.name, step.name)}.")
        elif step.state == "failed":
            sentences.append(f"Not done: {STEPS.get(step.name, step.name)}.")
    return " ".join(sentences)


def works(state: State) -> str:
    """What people can do now."""
    reading = "You can read as always" if state.reading else "Reading is paused"
    if state.reading == state.writing:
        return "You can read and write as always." if state.reading else "Reading and writing are paused."
    return f"{reading}; writing {'works' if state.writing else 'is paused'}."


def _headline(state: State, window: Window, platform: str, now: datetime) -> tuple[str, str, str]:
    if state.phase == "planned":
        told = "You need not do anything. Please write nothing in that time: it could not be saved."
        return f"We move house on {window.day(window.start)}", told, "wait"
    if state.phase == "done":
        told = (
            "Every record has been compared with what was there before. Stories open again one by one, each only to those "
            "whom its people have said yes to."
        )
        return "We have moved", told, "good"
    if state.phase == "rolled_back":
        told = (
            f"Something was not as it should be, so we went back. {platform} works as it did before the move."
        )
        return "We stay where we were for now", told, "wait"
    if any(step.state == "failed" for step in state.steps):
        told = f"We have met a problem and are looking into it. What was there before the move is kept. {works(state)}"
        return "The move is held up", told, "bad"
    late = "It takes longer than planned. " if now > window.end else ""
    return "We are moving house", f"{late}{works(state)} You need not do anything.", "wait"


def _times(state: State, window: Window) -> list[tuple[str, str]]:
    found = [("Planned from", window.when(window.start)), ("Planned until", window.when(window.end))]
    if state.begun_at is not None:
        found.append(("Begun", window.when(state.begun_at)))
    if state.ended_at is not None:
        found.append(("Over", window.when(state.ended_at)))
    return found


def _step(step: StepState, window: Window, state: State) -> Line:
    held_up = any(one.state == "failed" for one in state.steps)
    if step.name == "freeze" and step.state == "done" and state.phase == "open" and state.writing:
        told = "over"
    elif step.state == "done" and step.ended_at is not None:
        told = f"done at {window.clock(step.ended_at)}"
    elif step.state == "running":
        told = "under way" + (f" since {window.clock(step.begun_at)}" if step.begun_at else "")
    elif step.state == "planned" and state.phase == "done":
        told = ""
    elif step.state == "planned" and held_up:
        told = "waits"
    elif step.state == "planned":
        told = f"about {window.clock(step.planned_at)}" if step.planned_at else "to come"
    else:
        told = {"failed": "did not work", "done": "done"}[step.state]
    return Line(step.name, STEPS.get(step.name, step.name), told, step.state)


def _table(table: TableProgress) -> Line:
    name = table.name.replace("_", " ").capitalize()
    if table.total is None:
        return Line(name, "", f"{table.done:,}", "running")
    percent = 100 if table.done >= table.total else round(100 * table.done / table.total)
    state = "done" if table.done >= table.total else "running"
    return Line(name, "", f"{table.done:,} of {table.total:,}", state, percent)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
