"""The status page in a real browser, at a phone's and a desk's width: nothing to scroll sideways, nothing in the console."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from ledger_assets.announce import state as states
from ledger_assets.announce import status_page
from ledger_assets.announce.state import State, TableProgress
from ledger_assets.announce.window import read_window
from ledger_assets.environment import Environment, read_settings
from tests.system.browser import browse, served

pytestmark = pytest.mark.system

WINDOW = read_window({"MIGRATION_AT": "2026-12-06T02:00+10:00"})
LONG = TableProgress(
    "a_table_with_a_name_that_somebody_found_worth_making_this_long_without_a_space", 10**9, 10**10
)


def shown() -> dict[str, State]:
    """The page's states."""
    planned = states.planned(WINDOW)
    begun = planned.begun(WINDOW.start).step("freeze", "done", WINDOW.start)
    begun = begun.step("sync", "running", WINDOW.start).with_tables([LONG, TableProgress("stories", 3)])
    return {
        "planned": planned,
        "open": begun,
        "failed": begun.step("sync", "failed", WINDOW.start),
        "closed": replace(begun, reading=False),
        "done": begun.closed("done", WINDOW.end),
        "rolled_back": begun.closed("rolled_back", WINDOW.end),
    }


FRAME = """<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>frame</title>
<iframe src="{page}" style="width:{width}px;height:900px;border:0" onload="
const d = this.contentDocument, w = this.contentWindow, root = d.documentElement;
const tiny = e => e.textContent.trim() && parseFloat(w.getComputedStyle(e).fontSize) < 14;
const small = [...d.querySelectorAll('main *')].filter(tiny);
const channel = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const light = c => [.2126, .7152, .0722].reduce((sum, f, i) => sum + f * channel(c[i]), 0);
const parts = c => c.match(/[0-9.]+/g).map(Number);
const behind = e => {{ for (; e; e = e.parentElement) {{ const c = parts(w.getComputedStyle(e).backgroundColor);
  if (c.length < 4 || c[3] > 0) return c; }} return [255, 255, 255]; }};
const contrast = e => {{ const a = light(parts(w.getComputedStyle(e).color)), b = light(behind(e));
  return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); }};
const texts = [...d.querySelectorAll('main *')].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
document.body.innerHTML = '<pre>' + JSON.stringify({{width: w.innerWidth, wide: root.scrollWidth, lang: root.lang,
  headings: [...d.querySelectorAll('h1,h2,h3')].map(h => h.tagName), small: small.length, texts: texts.length,
  dark: w.matchMedia('(prefers-color-scheme: dark)').matches,
  contrast: Math.min(...texts.map(contrast)), unlabelled: [...d.querySelectorAll('section')].filter(
    s => !d.getElementById(s.getAttribute('aria-labelledby'))).length}}) + '</pre>';"></iframe></html>"""
"""Measures the page inside a frame of that width, where its own rules for small screens hold."""


def measured(folder: Path, width: int, *more: str) -> tuple[dict[str, Any], list[str]]:
    """The page of ``folder`` at this width."""
    (folder / "frame.html").write_text(FRAME.format(page="index.html", width=width))
    with served(folder) as (address, asked):
        made, console = browse(f"{address}/frame.html", folder, *more)
    found = re.search(r"<pre>(.*)</pre>", made)
    assert found is not None, made
    return json.loads(unescape(found[1])) | {"asked": asked}, console


@pytest.mark.parametrize("name", list(shown()))
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "light"), (390, "dark")])
def test_it_is_readable_at_both_widths_and_in_the_dark(
    tmp_path: Path, name: str, width: int, scheme: str
) -> None:
    settings = read_settings(Environment.PRODUCTION, {"LEDGER_HOME": str(tmp_path / "home")})
    files = status_page.render(
        settings, shown()[name], WINDOW, now=WINDOW.start + timedelta(hours=1), environ={}
    )
    status_page.write_folder(tmp_path / "page", files)
    dark = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    found, console = measured(tmp_path / "page", width, *dark)
    assert console == []
    assert found["asked"] == ["/frame.html", "/index.html"], "the page needs something else"
    assert (found["width"], found["dark"]) == (width, scheme == "dark")
    assert found["wide"] <= width, "something must be scrolled sideways"
    assert found["lang"] == "en"
    assert found["headings"][0] == "H1"
    assert set(found["headings"][1:]) == {"H2"}
    assert (found["small"], found["unlabelled"]) == (0, 0)
    assert found["texts"] > 10
    assert found["contrast"] >= 4.5


def test_what_is_measured_can_fail(tmp_path: Path) -> None:
    bad = "width:3000px;font-size:9px;color:#999"
    page = f"<html lang='en'><main><h1 style='{bad}'>x</h1><img src='/no.png'></main><script>x()</script>"
    (tmp_path / "index.html").write_text(page)
    found, console = measured(tmp_path, 390)
    assert found["wide"] >= 3000
    assert found["small"] == 1
    assert found["contrast"] < 4.5
    assert any("Uncaught ReferenceError" in line for line in console)
    assert "/no.png" in found["asked"]
