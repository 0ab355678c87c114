"""Read ``matrix.md``: which rows of the labelled world each kind of person may see, add, change and remove.

What belongs here: the file's form. What does not: what is true of a database (``run``).

Invariants: a cell names labels or words of the file's own glossary, and a word that means nothing is an error: a
misspelt cell must not read as "nothing"; each act of each table stands in exactly one row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from ledger_assets.access.ids import ROLES
from ledger_assets.errors import LedgerError

FILE = Path(__file__).with_name("matrix.md")
ALL = "all"
NOTHING = "-"


class MatrixError(LedgerError):
    """The matrix cannot be read, or speaks of what there is not."""


@dataclass(frozen=True)
class Matrix:
    """The file. Cells keep their words: what they stand for depends on the table."""

    tables: dict[tuple[str, str], dict[str, str]]
    """(table, act) -> column -> cell."""
    calls: dict[tuple[str, str], dict[str, str]]
    """(function, what is asked) -> column -> cell."""
    columns: dict[tuple[str, str, str], tuple[str, ...]]
    """(table, act, role) -> the columns that this role is granted; "all", "all but ...": told from the table's own."""
    words: dict[str, tuple[str, ...]]
    """Glossary: a word and the labels that it stands for."""

    def meaning(self, cell: str, labels: Collection[str], where: str) -> frozenset[str]:
        """The labels that a cell stands for, of those that there are. Raises MatrixError at a word without meaning."""
        found: set[str] = set()
        for word in [] if cell == NOTHING else cell.split():
            if word == ALL:
                found |= set(labels)
            elif word in labels:
                found.add(word)
            elif set(self.words.get(word, ())) & set(labels):
                found |= set(self.words[word]) & set(labels)
            else:
                raise MatrixError(
                    f"{FILE.name}: {where}: {word!r} is neither a row of the world nor a word explained"
                )
        return frozenset(found)


def load(text: str | None = None) -> Matrix:
    """The matrix of this version. Raises MatrixError naming the row that cannot be read."""
    sections = _sections(text if text is not None else FILE.read_text("utf-8"))
    return Matrix(
        tables=_cells(sections["Tables"], ("table", "act")),
        calls=_cells(sections["Functions"], ("function", "asked")),
        columns=_columns(sections["Columns"]),
        words={row["word"]: tuple(row["stands for"].split()) for row in sections["Words"]},
    )


def _sections(text: str) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {"Tables": [], "Functions": [], "Columns": [], "Words": []}
    heading, header = "", list[str]()
    for line in text.splitlines():
        if line.startswith("## "):
            heading, header = line[3:].strip(), []
        elif line.startswith("|") and heading in found:
            cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
            if not header:
                header = cells
            elif set("".join(cells)) - set("-:"):
                if len(cells) != len(header):
                    raise MatrixError(
                        f"{FILE.name}: {heading}: {cells[0]} has {len(cells)} cells, not {len(header)}"
                    )
                found[heading].append(dict(zip(header, cells, strict=True)))
    return found


def _cells(rows: list[dict[str, str]], key: tuple[str, str]) -> dict[tuple[str, str], dict[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        missing = set(ROLES) - set(row)
        if missing:
            raise MatrixError(f"{FILE.name}: there is no column {', '.join(sorted(missing))}")
        for subject, act in product(_subjects(row[key[0]]), _parts(row[key[1]])):
            if (subject, act) in found:
                raise MatrixError(f"{FILE.name}: {subject}, {act} stands in two rows")
            found[subject, act] = {column: row[column] for column in ROLES}
    return found


def _subjects(cell: str) -> list[str]:
    """``public, private: name(types)`` is a function of both schemas."""
    schemas, colon, name = cell.partition(": ")
    return [f"{schema}.{name}" for schema in _parts(schemas)] if colon else [cell]


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(",")]


def _columns(rows: list[dict[str, str]]) -> dict[tuple[str, str, str], tuple[str, ...]]:
    found: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for row in rows:
        for act, role in product(_parts(row["act"]), _parts(row["role"])):
            if (row["table"], act, role) in found:
                raise MatrixError(f"{FILE.name}: columns of {row['table']}, {act}, {role} stand in two rows")
            found[row["table"], act, role] = tuple(row["columns"].split())
    return found


def tables_of(matrix: Matrix) -> Mapping[str, set[str]]:
    """Table -> the acts that the matrix says something of."""
    found: dict[str, set[str]] = {}
    for table, act in matrix.tables:
        found.setdefault(table, set()).add(act)
    return found
