"""What jsonb can hold of a record's exact text, and the names of the fields in which something had to give
way.

jsonb refuses NUL characters, lone surrogates and numbers beyond numeric; all three are lawful JSON and have
been seen. They become U+FFFD and null in ``fields``; the record's ``raw`` keeps them.

Invariant: the result is accepted by ``::jsonb`` for any JSON text; a field not named as lossy is unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

WHOLE_DIGITS = 131_071
FRACTION_DIGITS = 16_383
"""numeric's limits: digits before the point less one, digits after it."""

_COUNT = r'"commentCount":\s*[0-9]{1,9}'
_USUAL = re.compile(rf'\{{"id":\s*"[^"\\]*",\s*"createdTime":\s*"[^"\\]*",\s*(?:{_COUNT},\s*)?"fields":\s*')
"""How Airtable writes a record; anything else goes the long way (5 times as long) and comes to the same."""
_USUAL_END = re.compile(rf"\s*(?:,\s*{_COUNT}\s*)?\}}")
_DOUBTFUL = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""An escape that may be one jsonb refuses: NUL, or half of a surrogate pair."""
_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|NaN|-?Infinity')
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|.)")
_LONE = re.compile(r"\\u(?:0000|[dD][89a-fA-F]..)")


class _OddError(ValueError):
    """A number that jsonb refuses, met on the way."""


def _number(text: str) -> None:
    if not fits_numeric(text):
        raise _OddError


def _constant(_: str) -> None:
    raise _OddError


_STRICT = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_constant)
_LENIENT = json.JSONDecoder(parse_int=str, parse_float=str)


def fields_json(raw: str) -> tuple[str, list[str]]:
    """The text of the record's ``fields`` as jsonb accepts it, and the names of the fields that changed."""
    usual = _USUAL.match(raw)
    if usual is not None and not ("\\u" in raw and _DOUBTFUL.search(raw)):
        try:
            _, end = _STRICT.raw_decode(raw, usual.end())
        except _OddError:
            end = -1
        if end > 0 and _USUAL_END.fullmatch(raw, end):
            return raw[usual.end() : end], []
    return _cleaned(member(raw, "fields") or "{}")


def member(raw: str, name: str) -> str | None:
    """The exact text of the top-level member ``name``."""
    found = [raw[start:end] for key, start, end in _members(raw) if key == name]
    # Of a name that stands there twice, JSON readers and jsonb take the last.
    return found[-1] if found else None


def fits_numeric(text: str) -> bool:
    """True when Postgres' numeric holds the JSON number."""
    if len(text) < 16 and "e" not in text and "E" not in text:
        return True
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and number.adjusted() <= WHOLE_DIGITS and -exponent <= FRACTION_DIGITS


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    """Key, start and end of each member of the object that ``text`` is."""
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        key, at = _LENIENT.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _LENIENT.raw_decode(text, start)
        yield key, start, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _cleaned(fields: str) -> tuple[str, list[str]]:
    parts, lossy = [], []
    for key, start, end in _members(fields):
        name, value = json.dumps(key), fields[start:end]
        clean_name, clean_value = _TOKEN.sub(_token, name), _TOKEN.sub(_token, value)
        parts.append(f"{clean_name}:{clean_value}")
        if (clean_name, clean_value) != (name, value):
            lossy.append(json.loads(clean_name))
    return "{" + ",".join(parts) + "}", lossy


def _token(match: re.Match[str]) -> str:
    token = match[0]
    if token[0] == '"':
        return _ESCAPE.sub(_escape, token) if "\\u" in token else token
    if token[-1] in "Ny":
        return "null"
    return token if fits_numeric(token) else "null"


def _escape(match: re.Match[str]) -> str:
    escape = match[0]
    return "\\ufffd" if len(escape) == 6 and _LONE.match(escape) else escape
