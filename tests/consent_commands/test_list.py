"""The list of ``publish``: whatever is wrong in it is named by line, and then nothing is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger_assets.consent.listing import Listed, parse, read_list
from ledger_assets.errors import SettingsError

from .world import SENTINEL, Command, World

ONE, TWO = "recStory0000000001", "recStory0000000002"
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"

WRONG = {
    "empty": ("", "line 1: the list is empty"),
    "blank": ("\n \n", "line 1: the list is empty"),
    "header alone": ("story,circle\n", "line 1: no story follows"),
    "no circle": (f"story,note\n{ONE},{SENTINEL}\n", "line 1: there is no column circle"),
    "no header": (f"{ONE},public\n", "line 1: there is no column story; line 1: there is no column circle"),
    "a column twice": (f"story,circle,story\n{ONE},public,{TWO}\n", "more than one column story"),
    "unknown circle": (f"story,circle\n{ONE},public\n{TWO},{SENTINEL}\n", "line 3: circle is not public, community or"),
    "private": (f"story,circle\n{ONE},private\n", "line 2: circle is not public, community or organisation"),
    "no circle in a row": (f"story,circle\n{ONE}\n", "line 2: circle is not"),
    "a title for a story": (f"story,circle\n{SENTINEL},public\n", "line 2: story is not an Airtable record id or uuid"),
    "no story in a row": ("story,circle\n,public\n", "line 2: story is empty"),
    "twice": (f"story,circle\n{ONE},public\n\n{TWO},public\n{ONE},community\n", "line 5: the story stands in line 2"),
    "open quotation": (f'story,circle,note\n{ONE},public,"{SENTINEL}\n', "line 2: a quotation mark"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_list_is_refused_by_line_and_without_its_words(case: str) -> None:
    text, words = WRONG[case]
    with pytest.raises(SettingsError) as refused:
        parse(text.encode(), "list.csv")
    assert words in str(refused.value)
    assert str(refused.value).startswith("list.csv: ")
    assert SENTINEL not in str(refused.value)


def test_all_faults_are_named_at_once() -> None:
    text = "story,circle\n" + "".join(f"{ONE[:-3]}{n:03d},nobody\n" for n in range(30)) + "x,public\n"
    with pytest.raises(SettingsError) as refused:
        parse(text.encode(), "list.csv")
    assert (
        "lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21 and 10 more: circle"
        in str(refused.value)
    )
    assert "line 32: story is not" in str(refused.value)


@pytest.mark.parametrize("data", [SENTINEL.encode("utf-16"), f"story,circle\n{SENTINEL}é".encode("latin-1")])
def test_another_encoding_is_refused_with_the_remedy(data: bytes) -> None:
    with pytest.raises(SettingsError, match="this is not UTF-8; save it as 'CSV UTF-8'") as refused:
        parse(data, "list.csv")
    assert SENTINEL not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        f"story,circle,note\n{ONE},public,a\n{UUID},community,b\n",
        f"\ufeffstory;circle;note\r\n{ONE};public;a, b\r\n{UUID};community;\r\n",
        f' Circle ,title,STORY\nPublic,"two\nlines", {ONE}\n,,\ncommunity,x,{UUID}\n',
    ],
)
def test_lists_as_spreadsheets_save_them_are_read(text: str) -> None:
    listed = parse(text.encode(), "list.csv")
    assert [(entry.story, entry.circle) for entry in listed] == [(ONE, "public"), (UUID, "community")]


def test_a_line_is_counted_as_an_editor_counts_it() -> None:
    text = f'story,circle,note\n{ONE},public,"two\nlines"\n\n{TWO},public,\n'
    assert parse(text.encode(), "x") == (Listed(2, ONE, "public"), Listed(5, TWO, "public"))


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--from .*none\.csv: No such file"):
        read_list(tmp_path / "none.csv")


def test_a_wrong_list_publishes_nothing_of_it(world: World, command: Command, tmp_path: Path) -> None:
    person = world.person()
    world.consent(person, "public_sharing")
    story = world.story(person)
    path = tmp_path / "list.csv"
    before = world.everything()
    for second, words in (
        ("recStory99999999,public", "line 3: there is no such story here"),
        (f"{world.ids[story]},public", "line 3: the story stands in line 2 already"),
        (f"{SENTINEL},public", "line 3: story is not"),
    ):
        path.write_text(f"story,circle\n{story},public\n{second}\n")
        done = command("publish", "staging", "--from", path)
        assert (done.code, done.out) == (2, "")
        assert words in done.err
        assert len(done.err.splitlines()) == 1
    assert world.everything() == before
