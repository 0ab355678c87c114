"""The health page in a real browser, on a phone and on a desk: nothing in the console, nothing wider than the screen."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger_assets.health import Measure, Report
from ledger_assets.health.page import render

pytestmark = pytest.mark.system

LONG = "pid 411 waits 65 s for pid 409 (migration.a_table_with_a_rather_long_name_that_has_no_space_in_it_at_all_0123456789)"
MEASURES = (
    Measure(
        "blocked_locks",
        "bad",
        LONG,
        "warn from 3 s of waiting, bad from 30 s",
        "end it: " + LONG,
        "The database",
    ),
    Measure(
        "slow_queries", "unknown", "not installed", "warn from 500 ms", "create extension", "The database"
    ),
    Measure(
        "findings", "warn", "8 open", "warn at the first", "ledger-assets findings staging", "The migration"
    ),
    Measure("disk", "ok", "63 GiB free", "bad below 2 GiB", "make room", "The database"),
)
ASK = """<script>
console.error("the canary of the console");
document.title = `width ${document.documentElement.scrollWidth} of ${innerWidth}`;
</script></body>"""
"""Put into a copy: the page itself has no script. Tells how wide the page became, and that errors would be seen."""


def browse(page: Path, folder: Path, *, width: int) -> tuple[str, list[str]]:
    """The page's DOM after it was laid out, and what stood in the console."""
    chromium = shutil.which("chromium")
    assert chromium is not None
    done = subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--enable-logging=stderr", f"--window-size={width},900", f"--user-data-dir={folder}"),
            *("--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, re.findall(r"CONSOLE[^\n]*", done.stderr)


@pytest.mark.parametrize("width", [500, 1280])
def test_the_page_fits_and_the_console_is_silent(tmp_path: Path, width: int) -> None:
    text = render(Report("staging", "ledger_staging", datetime.now(UTC), MEASURES))
    page, asking = tmp_path / "health.html", tmp_path / "asking.html"
    page.write_text(text)
    asking.write_text(text.replace("</body>", ASK))
    shown, console = browse(page, tmp_path / "profile", width=width)
    assert console == []
    assert "What needs somebody" in shown
    asked, console = browse(asking, tmp_path / "profile", width=width)
    assert ["the canary" in line for line in console] == [True]
    found = re.search(r"<title>width (\d+) of (\d+)</title>", asked)
    assert found is not None
    assert int(found[1]) <= int(found[2])


def test_the_page_fits_a_phone(tmp_path: Path) -> None:
    """In a frame of 390 pixels: a headless window is never narrower than 500."""
    text = render(Report("staging", "ledger_staging", datetime.now(UTC), MEASURES))
    inner = text.replace(
        "</body>",
        "<script>parent.postMessage([document.documentElement.scrollWidth, innerWidth], '*')</script></body>",
    )
    (tmp_path / "inner.html").write_text(inner)
    outer = tmp_path / "outer.html"
    outer.write_text(
        "<!doctype html><title>waiting</title><script>addEventListener('message', e => "
        "document.title = `width ${e.data[0]} of ${e.data[1]}`)</script>"
        "<iframe src='inner.html' style='width:390px;height:800px;border:0'></iframe>"
    )
    shown, _ = browse(outer, tmp_path / "profile", width=1000)
    assert "<title>width 390 of 390</title>" in shown
