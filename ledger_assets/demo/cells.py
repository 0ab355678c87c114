"""The stored form of a record's cells: JSON text per cell, kept exactly, rendered by name or by id.

A record's cells are stored as one text ``<K>fldA<K>:<json>,<K>fldB<K>:<json>`` where <K> is the raw character
U+0002, and the start of an attachment's address is the raw character U+0001. Neither can stand unescaped in
JSON, so that both are replaced in a whole page of records at once, without parsing it.

Invariants: the JSON text of a cell goes out as it came in (``1e400``, ``\\u0000``, lone surrogates); an empty
cell has no text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

KEY = "\x02"
FILES = "\x01"

Cells = dict[str, str]
"""Field id -> JSON text."""

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_escaping_encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_decoder = json.JSONDecoder(strict=False)
_KEYS = re.compile(f"{KEY}([^{KEY}]+){KEY}")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Raw(str):
    """A JSON text that is to stay as it is."""

    __slots__ = ()


def encode(value: object) -> str:
    """``value`` as JSON text (a :class:`Raw` is one). Raises ValueError for numbers that JSON does not know."""
    if isinstance(value, Raw):
        return str(value)
    text = _encoder.encode(value)
    return _escaping_encoder.encode(value) if _SURROGATE.search(text) else text


def decode(text: str) -> Any:
    """The value of a cell's JSON text."""
    return _decoder.decode(text)


def is_empty(value: object) -> bool:
    """True for a value that Airtable leaves out: null, "", [], an unticked checkbox."""
    return value is None or value is False or value in ("", [])


def pack(cells: Mapping[str, str]) -> str:
    """The stored form."""
    return ",".join([f"{KEY}{field}{KEY}:{text}" for field, text in cells.items()])


def unpack(stored: str) -> Cells:
    """The cells of the stored form."""
    parts = stored.split(KEY)
    return {parts[i]: parts[i + 1][1:].removesuffix(",") for i in range(1, len(parts), 2)}


def render(text: str, files: str, names: Mapping[str, str] | None) -> str:
    """Stored form to JSON: addresses start with ``files``; keys are ids, or ``names`` (as JSON texts)."""
    if FILES in text:
        text = text.replace(FILES, files)
    if names is None:
        return text.replace(KEY, '"')
    return _KEYS.sub(lambda match: names[match.group(1)], text)


def elements(text: str) -> Iterator[str]:
    """The elements of a JSON list, as the texts they are."""
    position = 1
    while text[position] != "]":
        start = position
        _, position = _decoder.raw_decode(text, position)
        yield text[start:position]
        if text[position] == ",":
            position += 1


def links(cells: Mapping[str, str], field: str) -> list[str]:
    """The record ids in a link cell, in order."""
    text = cells.get(field)
    return [] if text is None else text[2:-2].split('","')
