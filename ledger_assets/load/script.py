"""Split an SQL file into its statements, each with its line, so that an error can name the line.

What belongs here: where a statement ends. What does not: what it means. Knows quotes, dollar quotes, comments
and parentheses; bodies in ``begin atomic`` are not used by our migrations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<escaped>\b[eE]'(?:[^'\\]|\\.|'')*')
    | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<dollar>\$(?:[A-Za-z_]\w*)?\$)
    | (?P<mark>[();])
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Statement:
    """One statement without its semicolon, with the comments before it; ``line`` is where ``text`` begins."""

    text: str
    line: int

    def line_at(self, position: int) -> int:
        """The file's line of a place in ``text``."""
        return self.line + self.text.count("\n", 0, position)

    @property
    def first_line(self) -> int:
        """The file's line of the first word."""
        return self.line_at(_first_word(self.text, 0, len(self.text)))


def split_statements(text: str) -> list[Statement]:
    """The statements of ``text`` in order; comments after the last one belong to none."""
    statements: list[Statement] = []
    start = position = depth = 0
    while match := _TOKEN.search(text, position):
        position = match.end()
        if match.lastgroup == "block":
            position = _end_of_comment(text, position)
        elif match.lastgroup == "dollar":
            close = text.find(match.group(), position)
            position = len(text) if close < 0 else close + len(match.group())
        elif match.lastgroup == "mark":
            depth += {"(": 1, ")": -1, ";": 0}[match.group()]
            if match.group() == ";" and depth <= 0:
                _append(statements, text, start, match.start())
                start, depth = position, 0
    _append(statements, text, start, len(text))
    return statements


def _append(statements: list[Statement], text: str, start: int, end: int) -> None:
    if _first_word(text, start, end) < end:
        piece = text[start:end]
        begin = start + len(piece) - len(piece.lstrip())
        statements.append(Statement(piece.strip(), text.count("\n", 0, begin) + 1))


def _first_word(text: str, start: int, end: int) -> int:
    """Where the statement begins behind spaces and comments; ``end`` when there is none."""
    position = start
    while position < end:
        if text[position].isspace():
            position += 1
        elif text.startswith("--", position):
            newline = text.find("\n", position, end)
            position = end if newline < 0 else newline
        elif text.startswith("/*", position):
            position = _end_of_comment(text, position + 2)
        else:
            return position
    return end


def _end_of_comment(text: str, position: int) -> int:
    """End of a block comment, which may hold others."""
    depth = 1
    for match in re.compile(r"/\*|\*/").finditer(text, position):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return len(text)
