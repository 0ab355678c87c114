"""The exact text of each element of a list in a response body, as Airtable sent it.

Parsed JSON has already lost it (1e400, duplicate keys, ``\\u0000``, white space), so the text is walked with
the standard library's ``raw_decode``, which tells where a value ends. Nothing here knows HTTP or the store.

Invariant: a body is either taken whole or refused (:class:`BadBody`): never a part of its records.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn, TypeGuard

from ledger_assets.errors import SourceError


class BadBody(SourceError):
    """A response body that is not what the API promises: cut off, not JSON, or of another structure."""


@dataclass(frozen=True)
class RecordSlice:
    """One record: ``raw`` is its exact text, ``comment_count`` 0 when none was asked for."""

    id: str
    created_time: str
    raw: str
    comment_count: int = 0


@dataclass(frozen=True)
class RecordPage:
    """The records of one response and the offset of the next page (None: this was the last)."""

    records: tuple[RecordSlice, ...]
    offset: str | None


@dataclass(frozen=True)
class CommentPage:
    """The comments of one response, each as its exact text, and the offset of the next page."""

    comments: tuple[str, ...]
    offset: str | None


class Number(str):
    """A JSON number as its text: int() refuses more than 4,300 digits, float() makes 1e400 infinite."""

    __slots__ = ()


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


_HEAD = re.compile(r'\{"id":"([A-Za-z0-9]+)","createdTime":"([^"\\]*)",')
_decoder = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_refuse_constant)


def parse(text: str) -> Any:
    """The value of a JSON text, numbers as :class:`Number`. Raises :class:`BadBody`."""
    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError):
        raise BadBody("the answer is not JSON") from None


def is_text(value: Any) -> TypeGuard[str]:
    """Whether the parsed value was a JSON string."""
    return isinstance(value, str) and not isinstance(value, Number)


def whole_number(value: Any) -> int | None:
    """The parsed value as a size or a count, None when it is none."""
    return int(value) if isinstance(value, Number) and value.isdecimal() and len(value) < 16 else None


def record_page(text: str) -> RecordPage:
    """The records of a list-records response. Raises :class:`BadBody`."""
    elements, rest = _walk(text, "records")
    return RecordPage(tuple(_record(value, raw) for value, raw in elements), _offset(rest))


def comment_page(text: str) -> CommentPage:
    """The comments of a list-comments response. Raises :class:`BadBody`."""
    elements, rest = _walk(text, "comments")
    if not all(isinstance(value, dict) for value, _ in elements):
        raise BadBody("the answer's comments are not objects")
    return CommentPage(tuple(raw for _, raw in elements), _offset(rest))


def record(raw: str) -> RecordSlice:
    """The record of an exact text that is already kept. Raises :class:`BadBody`."""
    return _record(parse(raw), raw)


def head(raw: str) -> tuple[str, str]:
    """Id and createdTime of a record's exact text that is already kept. Written as Airtable writes them, they are
    read without the rest.
    """
    usual = _HEAD.match(raw)
    if usual is not None:
        return usual[1], usual[2]
    found = record(raw)
    return found.id, found.created_time


def _record(value: Any, raw: str) -> RecordSlice:
    if not isinstance(value, dict):
        raise BadBody("the answer's records are not objects")
    record_id, created = value.get("id"), value.get("createdTime")
    if not (is_text(created) and isinstance(value.get("fields"), dict)):
        raise BadBody("a record of the answer lacks createdTime or fields")
    # It becomes part of addresses and formulas.
    if not (is_text(record_id) and record_id.isascii() and record_id.isalnum()):
        raise BadBody("a record of the answer has no id that is one")
    count = whole_number(value.get("commentCount", Number(0)))
    if count is None:
        raise BadBody("a record of the answer has no readable commentCount")
    return RecordSlice(record_id, created, raw, count)


def _offset(rest: dict[str, Any]) -> str | None:
    offset = rest.get("offset")
    if offset is not None and not (is_text(offset) and offset):
        raise BadBody("the answer's offset is not text")
    return offset


def _walk(text: str, name: str) -> tuple[list[tuple[Any, str]], dict[str, Any]]:
    """The elements of list ``name`` of the top-level object with their exact texts, and its other values."""
    elements: list[tuple[Any, str]] | None = None
    rest: dict[str, Any] = {}
    try:
        at = _expect(text, _skip(text, 0), "{")
        while text[at] != "}":
            key, at = _decoder.raw_decode(text, at)
            at = _skip(text, _expect(text, _skip(text, at), ":"))
            if key in rest or (key == name and elements is not None):
                raise BadBody(f"the answer has {key if key == name else 'a key'} twice")
            if key == name:
                elements, at = _elements(text, at)
            elif isinstance(key, str):
                rest[key], at = _decoder.raw_decode(text, at)
            else:
                raise BadBody("the answer is not JSON")
            at = _next(text, at, "}")
        if _skip(text, at + 1) != len(text):
            raise BadBody("the answer goes on after its end")
    except (ValueError, IndexError, RecursionError):
        raise BadBody("the answer is cut off or not JSON") from None
    if elements is None:
        raise BadBody(f"the answer has no {name}")
    return elements, rest


def _elements(text: str, at: int) -> tuple[list[tuple[Any, str]], int]:
    found: list[tuple[Any, str]] = []
    at = _expect(text, at, "[")
    while text[at] != "]":
        value, end = _decoder.raw_decode(text, at)
        found.append((value, text[at:end]))
        at = _next(text, end, "]")
    return found, at + 1


def _next(text: str, at: int, close: str) -> int:
    """Where the next element starts, or where ``close`` stands; a comma before ``close`` is refused."""
    at = _skip(text, at)
    if text[at] == close:
        return at
    at = _expect(text, at, ",")
    if text[at] == close:
        raise ValueError("a comma before the end")
    return at


def _expect(text: str, at: int, character: str) -> int:
    """Where the next thing starts after ``character``, which must stand at ``at``."""
    if text[at] != character:
        raise ValueError(f"{character} expected")
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    end = len(text)
    while at < end and text[at] in " \t\r\n":
        at += 1
    return at
