"""A page's commands, in its order: those of its code blocks and those that its sentences and tables tell people to use.

What belongs here: reading Markdown. What does not: carrying anything out (``world``).

In a block, a line that begins with ``#>`` is what the command above it prints; ``...`` in it stands for anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ledger_assets.cli import commands

PRINTED = "#>"
QUERY = re.compile(r"(?:select|update) ")


@dataclass(frozen=True)
class Command:
    """A command as the page shows it. ``whole``: a line of a block and no mention in a sentence. ``prints``: the
    lines that the page says it prints."""

    place: str
    section: str
    text: str
    whole: bool
    prints: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Without its comment."""
        return self.text.partition(" #")[0].strip()

    @property
    def query(self) -> bool:
        """Is it for the database and not for a shell?"""
        return QUERY.match(self.text) is not None


def commands_of(page: Path) -> list[Command]:
    """Every command of the page."""
    found: list[Command] = []
    section, kept, began, prints = "", "", 0, list[str]()
    fenced = False

    def add(number: int, text: str, *, whole: bool) -> None:
        found.append(Command(f"{page.name}:{number}", section, text, whole, tuple(prints) if whole else ()))

    for number, line in enumerate(page.read_text().splitlines(), start=1):
        if line.startswith("```"):
            if kept:
                add(began, kept, whole=True)
            fenced, kept, prints = not fenced and line in {"```bash", "```sh"}, "", []
        elif not fenced:
            if line.startswith("#"):
                section = line.lstrip("# ")
            for code in re.findall(r"`([^`]+)`", line):
                if _is_command(code):
                    add(number, code, whole=False)
        elif line.startswith(PRINTED):
            assert kept, f"{page.name}:{number}: no command printed this"
            prints.append(line.removeprefix(PRINTED).strip())
        elif kept.endswith("\\"):
            kept += f"\n{line}"
        elif line.strip() and not line.startswith("#"):
            if kept:
                add(began, kept, whole=True)
            kept, began, prints = line, number, []
    return found


def _is_command(code: str) -> bool:
    """Of a sentence's code spans: whole commands and queries, not the words and settings that it names."""
    words = code.split()
    if QUERY.match(code) or (words[0] == "ledger-assets" and len(words) > 1):
        return True
    return bool(re.match(r"(?:[A-Z_]+=\S+ )*(?:make \w|python -m )", code)) or (
        words[0] in commands.commands and len({"ENV", "staging", "production", "resolve"} & set(words)) > 0
    )


def said(line: str) -> re.Pattern[str]:
    """What a documented line matches: its words, and anything for ``...``."""
    return re.compile(".*?".join(re.escape(" ".join(part.split())) for part in line.split("...")))
