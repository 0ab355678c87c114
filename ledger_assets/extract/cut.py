"""Cells and links cut out of a record's exact text; what is left stays as Airtable sent it, character by character.

What belongs here: the text. What does not: which cells must go, and why (``leave_out``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from ledger_assets.extract.slices import BadBody, Number

_decoder = json.JSONDecoder(parse_int=Number, parse_float=Number)
_SPACE = " \t\r\n"
Member = tuple[str, int, int, int]
"""A member of an object: its name, where the name, the value and what follows begin."""


def cut(raw: str, wanted: Callable[[str, Any], bool | list[str]]) -> tuple[str, list[str]]:
    """The record's text with the cells that ``wanted(field, value)`` keeps, and the names of the others and of the
    changed ones. A list as the answer takes the place of the cell's value; an empty one removes it.
    """
    try:
        (outer,) = [one for one in _members(raw, _skip(raw, 0)) if one[0] == "fields"]
        kept, changed = [], []
        for name, start, at, end in _members(raw, outer[2]):
            answer = wanted(name, _decoder.raw_decode(raw, at)[0])
            if answer is True:
                kept.append(raw[start:end])
                continue
            changed.append(name)
            if answer:
                kept.append(raw[start:at] + json.dumps(answer, separators=(",", ":")))
    except (ValueError, IndexError, RecursionError):
        raise BadBody("a record's text is not one") from None
    if not changed:
        return raw, []
    return f"{raw[: outer[2]]}{{{','.join(kept)}}}{raw[outer[3] :]}", changed


def _members(text: str, at: int) -> Iterator[Member]:
    """The members of the object at ``at``. Raises ValueError or IndexError."""
    at = _skip(text, _expect(text, at, "{"))
    while text[at] != "}":
        start = at
        name, at = _decoder.raw_decode(text, at)
        value = _skip(text, _expect(text, _skip(text, at), ":"))
        _, end = _decoder.raw_decode(text, value)
        yield str(name), start, value, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _expect(text: str, at: int, character: str) -> int:
    if text[at] != character:
        raise ValueError(f"{character} expected")
    return at + 1


def _skip(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at
