"""The proof's page in a real browser, at a phone's and a desk's width: every verdict is in sight."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from ledger_assets.proof.model import DerivedProof, Equation, FieldProof, LinkProof, Proof, Records
from ledger_assets.proof.page import render
from ledger_assets.proof.promises import Promise
from ledger_assets.proof.stored import FilesProof
from ledger_assets.proof.verdicts import NOTHING, Named, Verdict
from tests.system.browser import browse, served

pytestmark = pytest.mark.system

LONG = "a_table_with_a_name_that_somebody_found_worth_making_this_long_without_a_space"
IDS = Named(25, tuple(f"rec{number:014}" for number in range(20)))


def records(name: str, target: str, number: int) -> Records:
    """A table whose records are all accounted for."""
    equation = Equation(target, number, number - 2, 1, {"blank record": 1})
    return Records(
        "tbl" + name, name, number, number, number, True, *(NOTHING,) * 6, 3, 3, equations=(equation,)
    )


def proof() -> Proof:
    """A proof that holds, with names and numbers as long as they come."""
    field = FieldProof(
        LONG,
        "fldA",
        LONG,
        "multilineText",
        f"{LONG}.{LONG}",
        "trimmed",
        10**7,
        10**7,
        0,
        0,
        {Verdict.SAME: 10**7},
    )
    unmapped = replace(records("Quotes", "quotes", 40), equations=())
    return Proof(
        "appLedgerSynthetic", "20261123T020726576980Z-6b58ca", "20261123T020735174845Z-be9e", "ledger_production",
        "2026-11-23T02:00:00+00:00", "2026-11-23T02:00:01+00:00", 1.3,
        records=(records("Stories", "stories", 39), records(LONG, LONG, 10**7), unmapped),
        fields=(field, replace(field, table="Stories", field="Title", destination="stories.title")),
        links=(
            LinkProof("Stories", LONG, f"{LONG}.{LONG}", 10**6, 10**6, rows=True),
            LinkProof("Stories", "Media", "Media.Stories", 9, 9),
        ),
        derived=(DerivedProof("Stories", LONG, "lookup", 10**6, 10**6),),
        files=FilesProof(2, 2, 2, 2_000_000),
        findings={"ambiguous_storyteller": 10**6},
        promises=(Promise("stories", "stories", "every migrated story is a draft and private", 38),),
    )  # fmt: skip


def broken() -> Proof:
    """The same with losses in every part."""
    whole = proof()
    lost = replace(whole.records[0], missing=IDS)
    field = replace(whole.fields[0], verdicts={Verdict.MISSING: 25}, named={Verdict.MISSING: IDS})
    return replace(
        whole,
        records=(lost, *whole.records[1:]),
        fields=(field, *whole.fields[1:]),
        links=tuple(replace(link, missing=IDS) for link in whole.links),
        derived=(replace(whole.derived[0], differ=IDS),),
    )


FRAME = """<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>frame</title>
<iframe src="index.html" style="width:{width}px;height:900px;border:0" onload="
const d = this.contentDocument, w = this.contentWindow, root = d.documentElement;
d.querySelectorAll('details').forEach(one => one.open = true);
const across = (e, box = e.getBoundingClientRect()) => box.width > 0 && box.left >= 0 && box.right <= w.innerWidth;
const cut = e => e.scrollWidth > e.clientWidth + 1;
const rows = [...d.querySelectorAll('tbody tr')];
document.body.innerHTML = '<pre>' + JSON.stringify({{width: w.innerWidth, wide: root.scrollWidth, rows: rows.length,
  verdicts: [...d.querySelectorAll('.state')].map(e => [e.textContent, across(e)]),
  beside: rows.filter(r => r.querySelector('.state')).every(r => Math.abs(
    r.querySelector('th').getBoundingClientRect().top - r.querySelector('.state').getBoundingClientRect().top) < 12),
  outside: rows.flatMap(r => [...r.children]).filter(e => e.textContent.trim() && w.getComputedStyle(e).display !== 'none'
    && !across(e)).map(e => e.textContent.trim()),
  scrolled: [...d.querySelectorAll('.card')].filter(cut).length,
  hidden: [...d.querySelectorAll('td.op')].filter(e => w.getComputedStyle(e).display === 'none').length,
  said: [...d.querySelectorAll('td[data-is]')].map(e => w.getComputedStyle(e, '::after').content)}}) + '</pre>';"></iframe>
</html>"""
"""Measures the page inside a frame of that width, with every fold open."""


def measured(folder: Path, page: str, width: int) -> tuple[dict[str, Any], list[str]]:
    """The page at this width."""
    pages = folder / "page"
    pages.mkdir()
    (pages / "index.html").write_text(page)
    (pages / "frame.html").write_text(FRAME.format(width=width))
    with served(pages) as (address, _):
        made, console = browse(f"{address}/frame.html", folder)
    found = re.search(r"<pre>(.*)</pre>", made, re.DOTALL)
    assert found is not None, made
    return json.loads(unescape(found[1])), console


@pytest.mark.parametrize("shown", [proof, broken])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_verdict_is_in_sight(tmp_path: Path, shown: Any, width: int) -> None:
    found, console = measured(tmp_path, render(shown(), target="production", run_id="run-1"), width)
    assert console == []
    assert found["width"] == width
    assert found["wide"] <= width, "the document must be scrolled sideways"
    said = [words for words, _ in found["verdicts"]]
    assert said.count("holds") > 5
    assert ("fails" in said) == (shown is broken)
    assert [words for words, across in found["verdicts"] if not across] == []
    assert found["beside"], "a verdict is not on its row's first line"
    if width == 390:
        assert (found["outside"], found["scrolled"]) == ([], 0)
        assert {'"\xa0in the export"', '"\xa0quarantined"'} <= set(found["said"]), "a number without its word"
        assert found["hidden"] > 0
    else:
        assert set(found["said"]) == {"none"}
        assert found["hidden"] == 0
