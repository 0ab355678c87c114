"""Link cells: all of them, in their order, or quarantined by name. L5, L18."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_assets.demo import schema
from ledger_assets.demo.model import Table, link
from ledger_assets.ledger.source import Source
from ledger_assets.storage import open_store
from ledger_assets.tables import SPECS

from .conftest import Build
from .exports import rec, write_export


def _people(*names: str) -> dict[str, dict[str, object]]:
    return {name: {"Name": name} for name in names}


def test_a_story_keeps_all_its_tellers_in_the_order_of_its_cell(build: Build) -> None:
    """L5: others take the first; here also where the field "prefers" one."""
    single = link("Storytellers", "Storytellers", "Stories", single=True)
    stories = Table(
        "Stories", tuple(single if f.name == "Storytellers" else f for f in schema.STORIES.fields)
    )
    built = build(
        {
            "Storytellers": _people("a", "b"),
            "Stories": {"s": {"Title": "T", "Storytellers": [rec("b"), rec("a")]}},
        },
        tables=[stories, schema.STORYTELLERS, schema.MEDIA, schema.THEMES, schema.QUOTES],
    )
    people = dict(built.rows("storytellers").select("id", "airtable_record_id").iter_rows())
    rows = built.rows("authorship")
    assert [people[i] for i in rows["storyteller_id"]] == [rec("b"), rec("a")]
    assert rows["position"].to_list() == [1, 2]
    assert rows["airtable_record_id"].unique().to_list() == [rec("s")], "the record that holds the cell"
    assert rows["id"].n_unique() == 2


def test_a_link_to_nothing_is_quarantined_by_the_name_of_its_record(build: Build) -> None:
    """Not in the export, blank, or quarantined itself: three links without a row, three entries."""
    cell = [rec("gone"), rec("blank"), rec("nameless"), rec("a")]
    built = build(
        {
            "Storytellers": _people("a") | {"blank": {}, "nameless": {"Bio": "b"}},
            "Stories": {"s": {"Title": "T", "Storytellers": cell}},
        }
    )
    assert built.quarantined("Storytellers") == [
        (rec("s"), f"link to {rec(name)}, which has no row in storytellers")
        for name in ("gone", "blank", "nameless")
    ]
    rows = built.rows("authorship")
    assert rows["position"].to_list() == [4], "the place in the cell as it is"


def test_a_link_that_stands_twice_in_a_cell_makes_one_row_and_one_entry(build: Build) -> None:
    built = build(
        {
            "Storytellers": _people("a"),
            "Stories": {"s": {"Title": "T", "Storytellers": [rec("a"), rec("a")]}},
        }
    )
    assert built.rows("authorship").height == 1
    assert built.quarantined("Storytellers") == [
        (rec("s"), f"link to {rec('a')} stands there more than once")
    ]


def test_a_one_way_link_has_nothing_to_compare_and_is_kept(build: Build) -> None:
    """L18: the other side does not exist; others crash on it."""
    one_way = Table(
        "Stories",
        tuple(
            link("Storytellers", "Storytellers", None) if f.name == "Storytellers" else f
            for f in schema.STORIES.fields
        ),
    )
    built = build(
        {"Storytellers": _people("a"), "Stories": {"s": {"Title": "T", "Storytellers": [rec("a")]}}},
        tables=[one_way, schema.STORYTELLERS, schema.MEDIA, schema.THEMES, schema.QUOTES],
    )
    assert built.rows("authorship").height == 1


def test_links_that_only_one_side_shows_fail_their_check(build: Build) -> None:
    """Free proof that nothing was lost between the tables: both cells must name the same pairs."""
    story = {"s": {"Title": "T", "Storytellers": [rec("a")]}}
    both = {"a": {"Name": "a", "Stories": [rec("s")]}}
    assert build({"Storytellers": both, "Stories": story}).check("authorship", "links_symmetric")
    assert not build({"Storytellers": _people("a"), "Stories": story}).check("authorship", "links_symmetric")
    assert not build({"Storytellers": both, "Stories": {"s": {"Title": "T"}}}).check(
        "authorship", "links_symmetric"
    )


def test_a_story_that_names_nobody_is_reported(build: Build) -> None:
    built = build({"Storytellers": _people("a"), "Stories": {
        "s": {"Title": "T", "Storytellers": [rec("a")]}, "t": {"Title": "T"},
    }})  # fmt: skip
    assert built.reported("no_storyteller") == [rec("t")]
    assert built.rows("stories").height == 2


NAMES = [f"p{i}" for i in range(6)]


@settings(max_examples=40)
@given(
    st.sets(st.sampled_from(NAMES)),
    st.dictionaries(st.sampled_from(["s1", "s2", "s3"]), st.lists(st.sampled_from(NAMES), min_size=1)),
)
def test_every_link_is_a_row_or_an_entry(there: set[str], stories: dict[str, list[str]]) -> None:
    """links in the cells = rows + quarantined, whatever is linked; order kept; no pair twice."""
    with tempfile.TemporaryDirectory() as folder:
        export = write_export(
            open_store(Path(folder).as_uri()),
            {
                "Storytellers": {name: {"Name": name} for name in sorted(there)},
                "Stories": {
                    s: {"Title": s, "Storytellers": [rec(p) for p in cell]} for s, cell in stories.items()
                },
            },
        )
        source = Source(export, specs=SPECS)
        made = source.transformed("authorship")
        people = dict(source.records("Storytellers").select("id", "Name").iter_rows())
    wanted = {(rec(s), p): cell.index(p) + 1 for s, cell in stories.items() for p in cell if p in there}
    rows = made.rows.select("airtable_record_id", "storyteller_id", "position").iter_rows()
    found = {(story, people[person]): position for story, person, position in rows}
    assert found == wanted
    assert made.rows.height + made.quarantined.height == sum(map(len, stories.values()))
