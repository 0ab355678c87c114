"""The proof for people and for programs: what it says, and what it never says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from html.parser import HTMLParser

import pytest

from ledger_assets.demo.model import Table, text
from ledger_assets.load.load import load
from ledger_assets.proof.charts import Part, bar
from ledger_assets.proof.dry import dry_document, make_dry_run, render_dry_run
from ledger_assets.proof.page import render
from ledger_assets.proof.report import to_json
from ledger_assets.tables.fields import TableSpec
from tests.proof.small_base import SmallBase, rec
from tests.proof.world import World

Load = Callable[[SmallBase, Sequence[TableSpec]], World]
VALUES = (
    "kept as it is",
    "ada@example.org",
    "The boat",
    "words of one",
    "magic.example",
    "Bundaburg",
    "+61000",
    "face.jpg",
)


class Page(HTMLParser):
    """A page's tags, whether they are closed in order, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_of_a_proof_says_so_in_one_sentence(world: World) -> None:
    """A person reads one line and knows."""
    page = Page(render(world.prove(), target="staging", run_id="run-1"))
    assert "Nothing was lost: all 16 records and 178 cells" in page.text
    assert page.open == []
    assert not [tag for tag, attributes in page.tags if tag == "details" and "open" in attributes]


def test_the_page_of_a_failed_proof_names_what_failed_first(world: World) -> None:
    """By place and record id, and its table is open."""
    world.damage("update public.stories set transcript = null")
    proof = world.prove()
    page = Page(render(proof))
    number = sum(not check.passed for check in proof.checks)
    assert number >= 2
    assert f"Not proven: {number} of {len(proof.checks)} checks failed" in page.text
    assert "checks failed, in Stories, the base's " in page.text
    failure = page.text[page.text.index("What failed") : page.text.index("Every record")]
    assert "Stories.Story Transcript → stories.transcript" in failure
    assert rec("boat") in failure
    assert [tag for tag, attributes in page.tags if tag == "details" and "open" in attributes]


@pytest.mark.parametrize("damaged", [False, True])
def test_no_value_of_a_cell_is_in_page_or_json(world: World, damaged: bool) -> None:
    """A proof is shown to people who must not read the stories."""
    if damaged:
        world.damage("update public.stories set title = 'The boat, wrong', transcript = null")
        world.damage("update public.storytellers set bio = 'ada@example.org', location_id = null")
        world.damage("delete from public.quotes where theme_text is not null")
    proof = world.prove()
    for written in (render(proof), to_json(proof), repr(proof.checks)):
        assert not [value for value in VALUES if value in written]


def test_the_page_needs_nothing_but_itself(world: World) -> None:
    """No network, no script: it can be mailed, printed and kept."""
    html = render(world.prove())
    page = Page(html)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object"}
    assert not re.search(r"https?://|url\(|@import", html)
    assert all(a.get("href", "#").startswith("#") for tag, a in page.tags if tag == "a")
    ids = {a["id"] for _, a in page.tags if "id" in a}
    assert {str(a["href"])[1:] for tag, a in page.tags if tag == "a"} <= ids


def test_names_from_airtable_cannot_become_markup(load_base: Load) -> None:
    """A field may be called anything."""
    name = '<img src=x onerror="alert(1)">'
    base = SmallBase(tables=(Table(name, (text(name),)),), records={name: {"a": {name: "x"}}})
    html = render(load_base(base, ()).prove())
    assert "<img" not in html
    assert "&lt;img" in html


def test_the_json_says_what_the_page_says(world: World) -> None:
    """Programs read the same numbers."""
    proof = world.prove()
    found = json.loads(to_json(proof))
    assert found["passed"] is True
    assert found["headline"].startswith("Nothing was lost")
    assert len(found["checks"]) == len(proof.checks)
    assert {f["destination"]: f["verdicts"] for f in found["fields"]}["storytellers.name"] == {
        "normalised": 1, "rejected": 1, "same": 2,
    }  # fmt: skip


def test_a_small_part_of_a_bar_can_be_seen(world: World) -> None:
    """One lost cell of a million is drawn, and said."""
    drawn = bar([Part("same", 999_999, "same"), Part("missing", 1, "missing")], 1_000_000)
    assert 'class="missing"' in drawn
    assert "1 missing" in drawn
    assert all(float(width) >= 1 for width in re.findall(r'width="([\d.]+)"', drawn))


def test_the_dry_run_says_what_would_happen_and_what_it_costs(world: World) -> None:
    """Nothing was written; calls, minutes and the share of the plan's month are said."""
    world.base.records["Quotes"]["second"]["Theme"] = "Work"
    export = world.base.export(world.store)
    later = load(
        world.conn, world.store, export, None, environment="staging", specs=(), run_id="dry",
        first_month=date(2024, 10, 1), commit=False,
    )  # fmt: skip
    dry = make_dry_run(later, export)
    page = Page(render_dry_run(dry, database="ledger_staging"))
    assert "would write 0 rows and 1 raw records" in page.text
    assert "nothing was written" in page.text
    assert (dry.calls, round(dry.share_of_plan["Free"], 3)) == (11, 0.011)
    assert page.open == []
    found = dry_document(dry)
    assert found["committed"] is False
    assert found["raw"]
    assert not [value for value in VALUES if value in json.dumps(found, default=str) + page.text]


def test_a_dry_run_that_fails_names_its_checks(world: World) -> None:
    """A person sees why the migration would be refused."""
    export = world.export
    report = load(
        world.conn, world.store, export, world.ledger, environment="staging", specs=world.specs, run_id="dry",
        first_month=date(2024, 10, 1), commit=False,
    )  # fmt: skip
    failed = type(report.checks[0])("stories", "rows_equal", False, {"count": 2, "ids": [rec("boat")]})
    dry = make_dry_run(type(report)(**{**vars(report), "checks": (*report.checks, failed)}), export)
    page = Page(render_dry_run(dry, database="x"))
    assert "would be refused: 1 of" in page.text
    assert rec("boat") in page.text
