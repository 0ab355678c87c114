"""The explicit file of recipients."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger_assets.announce.recipients import is_address, read_recipients
from ledger_assets.errors import SettingsError


def read(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "people.txt"
    path.write_bytes(text.encode())
    return read_recipients(path)


def test_one_address_a_line_comments_blank_lines_and_doubles(tmp_path: Path) -> None:
    text = "\ufeff# people\n\n kim@example.org \nKIM@example.org # again\r\no'neil@example.org\nx#y@example.org\n"
    assert read(tmp_path, text) == ("kim@example.org", "o'neil@example.org", "x#y@example.org")


@pytest.mark.parametrize(
    "line",
    [
        "kim",
        "kim@example",
        "Kim <kim@example.org>",
        "kim@example.org, sam@example.org",
        "kim@example.org sam@example.org",
        "kim@exam ple.org",
        "k\u0131m@example.org",
        "kim@example..org",
        "kim@-example.org",
        "kim@example.org\x00",
        "@example.org",
        "mailto:kim@example.org",
    ],
)
def test_a_wrong_line_is_named_by_its_number_and_nobody_is_left(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, f"# first\nsam@example.org\n{line}\n")
    assert "no e-mail address in line 3; nothing was sent" in str(caught.value)
    assert "@" not in str(caught.value)


def test_many_wrong_lines_are_named_up_to_twenty(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"line 1, 2, 3.* 20 and 5 more"):
        read(tmp_path, "x\n" * 25)


@pytest.mark.parametrize("text", ["", "# nobody\n\n"])
def test_an_empty_file_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="names nobody"):
        read(tmp_path, text)


def test_a_missing_file_and_a_wrong_encoding_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_recipients(tmp_path / "missing.txt")
    (tmp_path / "latin.txt").write_bytes(b"\xe9@example.org")
    with pytest.raises(SettingsError, match="is not UTF-8"):
        read_recipients(tmp_path / "latin.txt")


NAMES = st.from_regex(r"[a-z0-9'+_-]{1,10}(\.[a-z0-9]{1,5})?@[a-z0-9]{1,8}\.(org|com\.au)", fullmatch=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(NAMES, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_any_list_gives_each_address_once_in_its_order(tmp_path: Path, names: list[str], random) -> None:  # type: ignore[no-untyped-def]  # hypothesis's own
    lines = [f"{' ' * random.randint(0, 2)}{random.choice([str.upper, str.lower])(name)}" for name in names]
    found = read(tmp_path, "\n#\n".join(lines))
    assert [one.lower() for one in found] == list(dict.fromkeys(names))
    assert all(map(is_address, found))
