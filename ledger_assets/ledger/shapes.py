"""The shape of a cell's JSON, checked before anything is made of it.

What belongs here: which JSON a declared rule expects, and turning a list of parsed cells into a Polars
column. What does not: what a value means (``tables.cells``).

Invariant: a cell of another shape (an error object, a number where a text should be, one bad element of a
list, text that Postgres cannot hold) becomes NULL *and* a refusal with its reason, never one without the
other. The check is on the set of types, so that it costs nothing where all is well; only a column with a
stranger is walked cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import chain
from types import NoneType
from typing import Any

import polars as pl

from ledger_assets.tables.fields import Rule


class Number(str):
    """A JSON number's own digits: a float would round what has more than 15 of them."""

    __slots__ = ()


class Shape(StrEnum):
    """What a cell's JSON must be."""

    TEXT = "a text"
    NUMBER = "a number"
    FLAG = "true or false"
    TEXTS = "a list of texts"
    LINKS = "a list of record ids"
    FILES = "a list of attachments"


SHAPES: Mapping[Rule, Shape] = {
    Rule.SAME: Shape.TEXT,
    Rule.TRIMMED: Shape.TEXT,
    Rule.OPTION: Shape.TEXT,
    Rule.REFERENCE: Shape.TEXT,
    Rule.DATE: Shape.TEXT,
    Rule.TIMESTAMP: Shape.TEXT,
    Rule.NUMBER: Shape.NUMBER,
    Rule.CHECKBOX: Shape.FLAG,
    Rule.TEXTS: Shape.TEXTS,
    Rule.LINK: Shape.LINKS,
    Rule.FILES: Shape.FILES,
}

FILE = pl.Struct(
    {
        "attachment_id": pl.String,
        "file_name": pl.String,
        "content_type": pl.String,
        "size_bytes": pl.Int64,
    }
)
DTYPES: Mapping[Shape, Any] = {
    Shape.TEXT: pl.String(),
    Shape.NUMBER: pl.String(),
    Shape.FLAG: pl.Boolean(),
    Shape.TEXTS: pl.List(pl.String()),
    Shape.LINKS: pl.List(pl.String()),
    Shape.FILES: pl.List(FILE),
}
RECORD_ID = re.compile("rec[A-Za-z0-9]{10,30}")
ATTACHMENT_ID = re.compile("att[A-Za-z0-9]{10,30}")
"""Ids are named in reasons: what only looks like one could be somebody's words."""
UNSTORABLE = "text that Postgres cannot hold (U+0000 or half a character)"

Refusals = list[tuple[int, str]]
"""Position of the cell in the list, and why it was refused."""


def column(name: str, values: list[Any], shape: Shape) -> tuple[pl.Series, Refusals]:
    """The cells (parsed JSON, None where absent) as a column of :data:`DTYPES`, and which were refused."""
    if shape is Shape.FILES:
        values, refusals = _sift(values, _file_problem)
        return _files(name, values), refusals
    series = _whole(name, values, shape)
    if series is not None:
        return series, []
    values, refusals = _sift(values, PROBLEMS[shape])
    return pl.Series(name, values, dtype=DTYPES[shape]), refusals


def _whole(name: str, values: list[Any], shape: Shape) -> pl.Series | None:
    """The column when every cell has the shape; None when one has not, whichever."""
    types = set(map(type, values)) - {NoneType}
    if not types <= {EXPECTED[shape]}:
        return None
    try:
        if shape not in LISTS:
            series = pl.Series(name, values, dtype=DTYPES[shape])
            return None if shape is Shape.TEXT and series.str.contains("\0", literal=True).any() else series
        cells = [value for value in values if value is not None]
        if not set(map(type, chain.from_iterable(cells))) <= {str}:
            return None
        lists = _lists(name, values)
    except UnicodeEncodeError:
        return None
    if lists is not None and shape is Shape.LINKS:
        return lists if lists.explode().str.contains(f"^{RECORD_ID.pattern}$").all() else None
    return lists


def _lists(name: str, values: list[list[str] | None]) -> pl.Series | None:
    """Lists of texts by joining and splitting: 15 times as fast as Polars' own way from Python lists. None
    when the separator (which no text may hold) or an empty list spoils it."""
    joined = [None if value is None else "\0".join(value) for value in values]
    series = pl.Series(name, joined, dtype=pl.String).str.split("\0")
    whole = series.list.len().sum() == sum(len(value) for value in values if value is not None)
    return series if whole else None


def _sift(values: list[Any], problem: Callable[[Any], str | None]) -> tuple[list[Any], Refusals]:
    reasons = [None if value is None else problem(value) for value in values]
    sound = [None if reason else value for value, reason in zip(values, reasons, strict=True)]
    return sound, [(i, reason) for i, reason in enumerate(reasons) if reason]


def _text_problem(value: Any) -> str | None:
    if type(value) is not str:
        return _instead(Shape.TEXT, value)
    return None if _storable(value) else UNSTORABLE


def _number_problem(value: Any) -> str | None:
    return None if type(value) is Number else _instead(Shape.NUMBER, value)


def _flag_problem(value: Any) -> str | None:
    return None if type(value) is bool else _instead(Shape.FLAG, value)


def _texts_problem(value: Any) -> str | None:
    if type(value) is not list:
        return _instead(Shape.TEXTS, value)
    return next((f"in a list: {p}" for p in map(_text_problem, value) if p), None)


def _links_problem(value: Any) -> str | None:
    sound = type(value) is list and all(type(v) is str and RECORD_ID.fullmatch(v) for v in value)
    return None if sound else _instead(Shape.LINKS, value)


def _file_problem(value: Any) -> str | None:
    if type(value) is not list or not all(type(v) is dict and _is_attachment_id(v.get("id")) for v in value):
        return _instead(Shape.FILES, value)
    texts = [v.get(key) for v in value for key in ("filename", "type")]
    if not all(text is None or (type(text) is str and _storable(text)) for text in texts):
        return "an attachment without a readable name or type"
    sizes = [v.get("size") for v in value]
    sound = all(
        s is None or (type(s) is Number and s.isascii() and s.isdigit() and len(s) < 19) for s in sizes
    )
    return None if sound else "an attachment whose size is no whole number"


def _files(name: str, values: list[list[dict[str, Any]] | None]) -> pl.Series:
    """Attachments as lists of :data:`FILE`, through one flat frame."""
    flat = [(i, file) for i, value in enumerate(values) for file in value or ()]
    frame = pl.DataFrame(
        {
            "cell": [i for i, _ in flat],
            "attachment_id": [file["id"] for _, file in flat],
            "file_name": [file.get("filename") for _, file in flat],
            "content_type": [file.get("type") for _, file in flat],
            "size_bytes": [None if file.get("size") is None else int(file["size"]) for _, file in flat],
        },
        schema={"cell": pl.Int64} | {field.name: field.dtype for field in FILE.fields},
    )
    grouped = frame.group_by("cell").agg(pl.struct(pl.exclude("cell")).alias(name))
    cells = pl.DataFrame({"cell": pl.Series(range(len(values)), dtype=pl.Int64)})
    return cells.join(grouped, on="cell", how="left", maintain_order="left")[name]


def _is_attachment_id(value: Any) -> bool:
    return type(value) is str and ATTACHMENT_ID.fullmatch(value) is not None


def _storable(text: str) -> bool:
    return "\0" not in text and (text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text))


def _instead(expected: Shape, value: Any) -> str:
    """Says what stands there, by type only. Airtable's own error objects are named: they are common."""
    if type(value) is dict and set(value) <= {"error", "specialValue"}:
        found = "an error of Airtable's"
    else:
        found = JSON_TYPES.get(type(value), "something else")
    return f"expected {expected}, found {found}"


LISTS = frozenset({Shape.TEXTS, Shape.LINKS})
EXPECTED: Mapping[Shape, type] = {
    Shape.TEXT: str,
    Shape.NUMBER: Number,
    Shape.FLAG: bool,
    Shape.TEXTS: list,
    Shape.LINKS: list,
}
PROBLEMS: Mapping[Shape, Callable[[Any], str | None]] = {
    Shape.TEXT: _text_problem,
    Shape.NUMBER: _number_problem,
    Shape.FLAG: _flag_problem,
    Shape.TEXTS: _texts_problem,
    Shape.LINKS: _links_problem,
}
JSON_TYPES: Mapping[type, str] = {
    str: "a text",
    Number: "a number",
    bool: "true or false",
    list: "a list of something else",
    dict: "an object",
}
