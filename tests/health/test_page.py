"""The page: for a phone at night, without scripts, network or anybody's words."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from ledger_assets.health import Measure, Report
from ledger_assets.health.page import render
from tests.health.hands import NOW

MEASURES = (
    Measure("disk", "ok", "63 GiB free", "warn below", "make room", "The database"),
    Measure("slow_queries", "unknown", "not installed", "t", "create the extension", "The database"),
    Measure("findings", "warn", "8 open", "t", "ledger-assets findings staging", "The migration"),
    Measure("visibility", "bad", "<b>2 & more</b>", "t", "close first", "Consent"),
)


class Tags(HTMLParser):
    """Its tags, and whether they are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_says_first_what_is_bad_then_what_to_look_at() -> None:
    page = render(Report("staging", "ledger_staging", NOW, MEASURES))
    assert "1 of 4 measures bad: visibility (1 to look at, 1 not known)" in page
    needs = page[page.index("What needs somebody") : page.index("The database")]
    assert needs.index("visibility") < needs.index("findings")
    assert "close first" in needs
    assert "disk" not in needs
    assert "make room" not in page  # of what is well there is nothing to do
    assert "create the extension" in page


def test_the_page_is_whole_and_asks_nobody_for_anything() -> None:
    tags = Tags(page := render(Report("staging", "ledger_staging", NOW, MEASURES)))
    assert tags.open == []
    assert not {"script", "link", "img", "iframe"} & set(tags.seen)
    assert not re.search(r"https?://|url\(", page)
    assert "&lt;b&gt;2 &amp; more&lt;/b&gt;" in page


def test_when_all_is_well_nothing_needs_anybody() -> None:
    page = render(Report("staging", "ledger_staging", NOW, MEASURES[:1]))
    assert "No measure of 1 is bad" in page
    assert "What needs somebody" not in page
