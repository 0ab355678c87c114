"""The words of announcements: shipped ones, a community's own, and their faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger_assets.announce.templates import PLACEHOLDERS, SHIPPED, Step, read_templates
from ledger_assets.errors import SettingsError

VALUES = {name: f"<{name}>" for name in PLACEHOLDERS}


def test_every_step_has_a_shipped_template_that_leaves_no_brace() -> None:
    for step, template in read_templates(None).items():
        assert template is not None
        for text in template.fill(VALUES):
            assert text, step
            assert not {"{", "}"} & set(text)


def test_the_reminders_hold_exact_times_and_the_end_asks_for_feedback() -> None:
    for step in (Step.WEEK_BEFORE, Step.DAY_BEFORE):
        text = (SHIPPED / f"{step}.txt").read_text()
        assert "{start}" in text
        assert "{end}" in text
    assert "Tell us" in (SHIPPED / "done.txt").read_text()


def test_a_communitys_own_words_stand_in_place_of_ours_and_the_rest_stays(tmp_path: Path) -> None:
    (tmp_path / "begun.txt").write_text("Subject: Yarning on {start_day}\n\nWe begin. {contacts}\n")
    found = read_templates(tmp_path)
    own = found[Step.BEGUN]
    assert own is not None
    assert own.fill(VALUES) == ("Yarning on <start_day>", "We begin. <contacts>")
    assert found[Step.DONE] == read_templates(None)[Step.DONE]


def test_an_empty_template_means_that_the_step_is_not_announced(tmp_path: Path) -> None:
    (tmp_path / "hourly.txt").write_text(" \n")
    assert read_templates(tmp_path)[Step.HOURLY] is None


def test_a_value_is_never_read_as_a_placeholder(tmp_path: Path) -> None:
    (tmp_path / "begun.txt").write_text("Subject: {platform}\n\n{contacts}")
    found = read_templates(tmp_path)[Step.BEGUN]
    assert found is not None
    assert found.fill(VALUES | {"platform": "{contacts}"})[0] == "{contacts}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "Subject: x\n\nat {start_tmie}",
            "begun.txt line 3: {start_tmie} is no placeholder; known are {contacts}",
        ),
        ("Subject: {}\n\nx", "line 1: {} is no placeholder"),
        ("Subject: x\n\n{start", "line 3: {start is no placeholder"),
        ("Subject: x\n\nstart}", "line 3: } is no placeholder"),
        ("Subject: x\n\n{start!r}", "{start!r} is no placeholder"),
        ("Hello\n\nx", "must begin with a line `Subject: ...`"),
        ("Subject: x\n", "must begin with a line"),
        ("Subject:\n\nx", "must begin with a line"),
        ("Subject: x\n\n" + "y" * 20_001, "longer than 20,000"),
    ],
)
def test_a_fault_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "begun.txt").write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_templates(tmp_path)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_misspelt_file_is_named_and_every_fault_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "weekbefore.txt").write_text("Subject: x\n\ny")
    (tmp_path / "done.txt").write_text("{x}")
    (tmp_path / "begun.txt").write_bytes(b"Subject: \xe9")
    with pytest.raises(SettingsError) as caught:
        read_templates(tmp_path)
    lines = str(caught.value).splitlines()
    assert [line.split()[1] for line in lines] == ["weekbefore.txt", "begun.txt", "done.txt"]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ANNOUNCE_TEMPLATES: the folder .* does not exist"):
        read_templates(tmp_path / "missing")
