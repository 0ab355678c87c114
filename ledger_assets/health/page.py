"""The measures as one HTML page for a person: self-contained, without scripts, for a phone at night and a desk.

What belongs here: order and words. What does not: how it looks (``templates`` here, and the style of the proof's page).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ledger_assets.health.model import ORDER, Report
from ledger_assets.proof.page import TEMPLATES

if TYPE_CHECKING:
    import jinja2

WORDS = {"ok": "ok", "warn": "look", "bad": "bad", "unknown": "not known"}
CLASSES = {"ok": "good", "warn": "warn", "bad": "bad", "unknown": "quiet"}


@cache
def environment() -> jinja2.Environment:
    """Our template over the proof's base page and style; everything is escaped."""
    import jinja2

    here = Path(__file__).parent / "templates"
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader([here, TEMPLATES]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.undefined = jinja2.StrictUndefined
    found.filters["words"] = lambda name: name.replace("_", " ")
    return found


def render(report: Report) -> str:
    """The page."""
    groups = list(dict.fromkeys(one.group for one in report.measures))
    return (
        environment()
        .get_template("health.html.j2")
        .render(
            title="Health",
            headline=report.headline,
            passed=report.passed,
            database=report.target,
            report=report,
            needs=[one for state in ORDER[:2] for one in report.of(state)],
            groups=[(group, [one for one in report.measures if one.group == group]) for group in groups],
            words=WORDS,
            classes=CLASSES,
        )
    )
