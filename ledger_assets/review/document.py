"""The after-action report as Markdown.

What belongs here: order and words. What does not: reading the records (``recorded``), judging them (``failures``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ledger_assets.records.compared import changed
from ledger_assets.review.model import Failure, Line, Review

ROADMAP = (
    "What went well?",
    "What could be improved?",
    "Any remaining issues?",
    "Documentation updates needed?",
    "Process improvements for future?",
)
VERDICTS = ("scorecard", "health")
"""Answers, not actions: the last one of each is a question of its own."""
MOST = 500
"""Lines of the timeline; more are no longer read by anybody."""


def markdown(review: Review) -> str:
    """The report."""
    return "\n".join(
        [
            f"# After-action report: {review.environment}",
            "",
            (
                f"Database {review.target}, from {_time(review.since, review)} to {_time(review.until, review)} "
                f"({review.zone}). Made from the records of the database (migration.events, loads, reports, undo), the kept "
                "inventories and the list of snapshots; nothing in it was written by hand."
            ),
            "",
            *_timetable(review),
            *_failures(review),
            *_figures(review),
            *_timeline(review),
            *_questions(review),
        ]
    )


def _timetable(review: Review) -> Iterator[str]:
    yield "## The timetable"
    yield ""
    yield from _table(
        ("step", "due by", "was done", "against the plan"),
        (
            (
                one.name,
                _maybe(one.planned, review, "no plan"),
                _maybe(one.done, review, "no record"),
                _late(one.late),
            )
            for one in review.steps
        ),
    )
    if any(one.planned is None for one in review.steps):
        yield "MIGRATION_AT is not set: there is no plan to compare with."
        yield ""


def _failures(review: Review) -> Iterator[str]:
    yield "## What failed, and what undid it"
    yield ""
    if not review.failures:
        yield "Nothing failed and nothing was refused."
        yield ""
        return
    yield from _table(
        ("when", "what", "outcome", "facts", "afterwards"),
        (
            (
                _time(one.line.at, review),
                one.line.what,
                one.line.outcome,
                one.line.facts,
                _settled(one, review),
            )
            for one in review.failures
        ),
    )


def _settled(one: Failure, review: Review) -> str:
    return one.how if one.after is None else f"{one.how}: {one.after.what} at {_time(one.after.at, review)}"


def _figures(review: Review) -> Iterator[str]:
    yield "## Figures before and after"
    yield ""
    if review.before is None or review.after is None:
        missing = "before" if review.before is None else "after"
        yield (
            f"There is no inventory of {missing}: `ledger-assets inventory {review.environment}` counts and keeps one."
        )
        yield ""
    else:
        yield f"Counted at {review.before} and at {review.after}. Figures that are equal are left out."
        yield ""
        rows = changed(list(review.figures))
        yield from _table(
            ("figure", "before", "after", "difference"),
            ((one.what, _number(one.before), _number(one.after), _signed(one.difference)) for one in rows),
        )
    yield f"Snapshots: {review.snapshots}."
    yield ""


def _timeline(review: Review) -> Iterator[str]:
    yield "## The timeline"
    yield ""
    yield from _table(
        ("when", "what", "outcome", "who", "run", "facts"),
        (
            (
                _time(one.at, review),
                one.what,
                one.outcome,
                one.who,
                (one.run_id or "")[:8],
                one.facts,
            )
            for one in review.lines[-MOST:]
        ),
    )
    if len(review.lines) > MOST:
        yield f"{len(review.lines) - MOST} earlier lines are left out: ask for a later --since."
        yield ""


def _questions(review: Review) -> Iterator[str]:
    yield "## Questions for the meeting of week 5"
    yield ""
    for question in ROADMAP:
        yield f"- [ ] {question}"
    for question in open_questions(review):
        yield f"- [ ] {question}"
    yield ""


def open_questions(review: Review) -> list[str]:
    """What the records leave open."""
    found = [
        f"{one.line.what} failed at {_time(one.line.at, review)} and nothing undid it or did it again: is it settled?"
        for one in review.failures
        if one.after is None and one.line.outcome == "failed" and one.line.what not in VERDICTS
    ]
    late = [one for one in review.steps if one.late is not None and one.late > timedelta(minutes=15)]
    found += [f"{one.name} was {_late(one.late)}: what took so long?" for one in late]
    found += [
        f"{one.name}: there is no record that it was done. Was it?"
        for one in review.steps
        if one.done is None
    ]
    if review.findings:
        listed = ", ".join(f"{number} {kind}" for kind, number in review.findings.items())
        found.append(
            f"{sum(review.findings.values())} findings are open ({listed}): who decides them by when?"
        )
    score = _last(review.lines, "scorecard")
    if score is None:
        found.append(f"No scorecard was recorded: run `ledger-assets scorecard {review.environment}`.")
    elif score.outcome != "done" or "unknown" in score.facts:
        found.append(f"The last scorecard ({_time(score.at, review)}): {score.facts}. What is missing?")
    well = _last(review.lines, "health")
    if well is not None and well.outcome == "failed":
        found.append(f"Health was bad at the last look that is recorded ({well.facts}): is it still?")
    return found


def _last(lines: Iterable[Line], what: str) -> Line | None:
    return max((one for one in lines if one.what == what), key=lambda one: one.at, default=None)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    body = [tuple(_cell(text) for text in row) for row in rows]
    if not body:
        yield "None."
        yield ""
        return
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in body:
        yield f"| {' | '.join(row)} |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|") or " "


def _time(moment: datetime, review: Review) -> str:
    return f"{moment.astimezone(ZoneInfo(review.zone)):%Y-%m-%d %H:%M:%S}"


def _maybe(moment: datetime | None, review: Review, otherwise: str) -> str:
    return otherwise if moment is None else _time(moment, review)


def _late(late: timedelta | None) -> str:
    if late is None:
        return ""
    minutes = round(late.total_seconds() / 60)
    return "on time" if minutes == 0 else f"{abs(minutes)} min {'late' if minutes > 0 else 'early'}"


def _number(value: int | None) -> str:
    return "not counted" if value is None else f"{value:,}"


def _signed(value: int | None) -> str:
    return "" if value is None else f"{value:+,}"
