"""What the tables "what you see" quote is what the product can say: each quoted line's words stand in its source."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import ledger_assets

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "docs" / "runbook.md", ROOT / "docs" / "recovery.md")
PUT_IN = "\0"
VARIES = re.compile(r"\.\.\.|[,;:] |<\w+>|\b[A-Z][A-Z_]*[A-Z]\b|\bN+\b|\{\w+\}|`|\d+|\b[a-z]+_[a-z_]+\b")
"""Of a quoted line, what the product puts in: names, numbers, settings, an example of a placeholder."""


@cache
def texts() -> str:
    """Every text in the product's source but its docstrings, one a line; what is put in is ``PUT_IN``."""
    found = []
    for path in Path(ledger_assets.__file__).parent.rglob("*"):
        if path.suffix == ".sql":
            found.append(path.read_text())
        elif path.suffix == ".py":
            tree = ast.parse(path.read_text())
            notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                if isinstance(node, ast.JoinedStr):
                    parts = (one.value if isinstance(one, ast.Constant) else PUT_IN for one in node.values)
                    found.append("".join(map(str, parts)))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
                    found.append(node.value)
    found += [path.read_text() for path in (ROOT / "supabase" / "migrations").glob("*.sql")]
    return "\n".join(found)


def quoted(page: Path) -> list[str]:
    """The code spans in the first column of its tables of what one sees."""
    found, inside = [], False
    for line in page.read_text().splitlines():
        inside = line.startswith("| what you see |") or (inside and line.startswith("|"))
        if inside:
            found += re.findall(r"`([^`]+)`", line.split("|")[1])
    return found


def missing(line: str) -> list[str]:
    """The pieces of a quoted line that the product says nowhere."""
    pieces = (piece.strip(" ,;:()'/") for piece in VARIES.split(line))
    return [piece for piece in pieces if len(piece) > 3 and not _is_said(piece)]


def _is_said(piece: str) -> bool:
    """Whole, or in two parts beside what is put in between them (or where one text is put into another)."""
    if piece in texts():
        return True
    words = piece.split()
    for cut in range(1, len(words)):
        first, second = (re.escape(" ".join(part)) for part in (words[:cut], words[cut:]))
        if re.search(rf"{first}\W*(?:{PUT_IN}|$)", texts(), re.M) and re.search(
            rf"(?:{PUT_IN}|^)\W*{second}", texts(), re.M
        ):
            return True
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_line_that_a_page_quotes_is_one_of_the_product_s(page: Path) -> None:
    lines = quoted(page)
    assert len(lines) > 8
    assert {line: lost for line in lines if (lost := missing(line))} == {}


def test_a_line_that_nobody_says_is_found() -> None:
    assert missing("... was declared by no table module")
    assert not missing("... is declared by no table module")
