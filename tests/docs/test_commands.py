"""Every command that the guides name is real: its words, its options, its choices; and every file they link is there.

What is asked is click itself, by parsing what the page shows without carrying it out: a guide cannot rot unseen.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from ledger_assets.cli import commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "ledger_assets" / "backup" / "recovery.md",
)
PROGRAM = "ledger-assets"
STANDS_FOR = {"ENV": "staging", "STEP": "begun", "N": "1"}
"""What a page writes in place of something that click would judge."""
LEFT_OUT = "..."


@dataclass(frozen=True)
class Shown:
    """A command as a page shows it. ``whole``: a line of its own, and not a mention in a sentence."""

    place: str
    text: str
    whole: bool


def shown(name: str, text: str) -> Iterator[Shown]:
    """The commands of a page: lines of code blocks, and code within sentences."""
    fenced = False
    kept = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced:
            kept += line.rstrip("\\") if line.endswith("\\") else line
            if not line.endswith("\\"):
                if re.match(rf"\s*(?:[A-Z_]+=\S+ )*{PROGRAM} ", kept):
                    yield Shown(f"{name}:{number}", kept[kept.index(PROGRAM) :], whole=True)
                kept = ""
        else:
            for code in re.findall(rf"`({PROGRAM} [^`]+)`", line):
                yield Shown(f"{name}:{number}", code, whole=False)


EVERY = [one for page in PAGES for one in shown(page.name, page.read_text())]


def words(text: str) -> list[str]:
    """Its words as a shell reads them, comment and line ends left out, and what stands for something replaced."""
    return [STANDS_FOR.get(word, word) for word in shlex.split(text, comments=True)[1:]]


def parse(one: Shown) -> None:
    """Let click read the command. Raises click.UsageError with what is wrong."""
    arguments = words(one.text)
    partial = LEFT_OUT in arguments or not one.whole
    arguments = [word for word in arguments if word != LEFT_OUT]
    context = click.Context(commands, info_name=PROGRAM)
    command: click.Command = commands
    while isinstance(command, click.Group):
        if not arguments and partial:
            return
        context = command.make_context(command.name or PROGRAM, arguments, parent=context)
        name, found, arguments = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None, name
        command = found
    try:
        command.make_context(command.name or PROGRAM, arguments, parent=context)
    except click.MissingParameter:
        if not partial:
            raise


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.place)
def test_every_command_that_a_page_shows_is_one(one: Shown) -> None:
    try:
        parse(one)
    except click.UsageError as error:
        pytest.fail(f"{one.place}: `{one.text}`: {error.format_message()}")


def test_the_pages_show_commands() -> None:
    """So that the test above cannot fall silent."""
    assert len(EVERY) > 100
    assert {
        "README.md",
        "runbook.md",
        "recovery.md",
        "consent.md",
        "for-stewards.md",
        "for-administrators.md",
    } <= {one.place.partition(":")[0] for one in EVERY}


@pytest.mark.parametrize(
    "line",
    [
        "ledger-assets migrat staging",
        "ledger-assets backup tak production",
        "ledger-assets migrate prod",
        "ledger-assets migrate staging --dryrun",
        "ledger-assets migrate",
        "ledger-assets migrate staging production",
        "ledger-assets backup take staging --kind nightly",
        "ledger-assets restore staging --mode",
        "ledger-assets findings resolve staging/3f9c0a7be21d4856 --take both",
    ],
)
def test_a_command_that_is_none_is_found(line: str) -> None:
    (one,) = shown("page.md", f"```bash\n{line}   # a comment\n```")
    with pytest.raises(click.UsageError):
        parse(one)


@pytest.mark.parametrize(
    "text", ["see `ledger-assets migrat ENV`", "see `ledger-assets migrate ENV --dryrun`"]
)
def test_a_mention_in_a_sentence_is_judged_too(text: str) -> None:
    (one,) = shown("page.md", text)
    with pytest.raises(click.UsageError):
        parse(one)


def test_a_command_of_two_lines_is_one() -> None:
    (one,) = shown("page.md", "```bash\nA=1 ledger-assets migrate \\\n  staging --dry-run\n```")
    assert words(one.text) == ["migrate", "staging", "--dry-run"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    linked = re.findall(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in linked if not (page.parent / link).exists()] == []
