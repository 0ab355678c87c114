"""The list of stories that a person wants published: a CSV file, read whole and refused whole.

What belongs here: what a person can get wrong in the file. What does not: whether the stories are known.

Invariants: every fault is named with its line in one message; a cell is never repeated.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger_assets.consent.words import CIRCLES, is_id
from ledger_assets.errors import SettingsError

COLUMNS = ("story", "circle")
LARGEST = 64 * 1024 * 1024
MOST_LINES = 20


@dataclass(frozen=True)
class Listed:
    """One story of the list: the line it begins on, its Airtable record id or uuid, the circle asked for."""

    line: int
    story: str
    circle: str


class Faults:
    """What is wrong with a list, by kind, each with its lines."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found: dict[str, list[int]] = {}

    def add(self, line: int, fault: str) -> None:
        """Keep one."""
        self._found.setdefault(fault, []).append(line)

    def refuse(self) -> None:
        """Raises SettingsError when there is any."""
        if not self._found:
            return
        texts = [f"{_lines(lines)}: {fault}" for fault, lines in self._found.items()]
        raise SettingsError(f"{self._source}: {'; '.join(texts)}. Nothing was published: correct the list")


def read_list(path: Path) -> tuple[Listed, ...]:
    """The list in ``path``. Raises SettingsError naming the lines that are wrong."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        raise SettingsError(f"--from {path}: {error.strerror}") from None
    if size > LARGEST:
        raise SettingsError(f"{path.name}: more than {LARGEST // 1024**2} MB is no list of stories")
    return parse(data, path.name)


def parse(data: bytes, source: str) -> tuple[Listed, ...]:
    """The list in ``data``, comma or semicolon separated, with or without a byte order mark. Raises SettingsError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            f"{source}: line {line}: this is not UTF-8; save it as 'CSV UTF-8'. Nothing was published"
        ) from None
    rows = _rows(text, source)
    header_line, header = next(rows, (1, []))
    names = [name.strip().lower() for name in header]
    faults = Faults(source)
    if not names:
        faults.add(1, "the list is empty; it needs the columns story and circle")
    for column in COLUMNS:
        if names and names.count(column) != 1:
            number = "no column" if column not in names else "more than one column"
            faults.add(header_line, f"there is {number} {column}")
    faults.refuse()
    places = [names.index(column) for column in COLUMNS]
    listed = tuple(_listed(line, row, places, faults) for line, row in rows)
    if not listed:
        faults.add(header_line, "no story follows; there is nothing to publish")
    _refuse_twice(listed, faults)
    faults.refuse()
    return listed


def _rows(text: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line on which it begins."""
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = (
        ";" if first.count(";") > first.count(",") else ","
    )  # as spreadsheets save it in half of Europe
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error:
            raise SettingsError(
                f"{source}: line {line}: a quotation mark is open or out of place. Nothing was published"
            ) from None
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield line, row
        line = reader.line_num + 1


def _listed(line: int, row: list[str], places: list[int], faults: Faults) -> Listed:
    story, circle = (row[place].strip() if place < len(row) else "" for place in places)
    if not is_id(story):
        faults.add(line, "story is not an Airtable record id or uuid" if story else "story is empty")
    if circle.lower() not in CIRCLES:
        faults.add(line, f"circle is not {', '.join(CIRCLES[:-1])} or {CIRCLES[-1]}")
    return Listed(line, story, circle.lower())


def _refuse_twice(listed: tuple[Listed, ...], faults: Faults) -> None:
    first: dict[str, int] = {}
    for entry in listed:
        before = first.setdefault(entry.story, entry.line)
        if before != entry.line and is_id(entry.story):
            faults.add(entry.line, f"the story stands in line {before} already")


def _lines(lines: list[int]) -> str:
    shown = ", ".join(str(line) for line in lines[:MOST_LINES])
    more = f" and {len(lines) - MOST_LINES} more" if len(lines) > MOST_LINES else ""
    return f"line{'s' if len(lines) > 1 else ''} {shown}{more}"
