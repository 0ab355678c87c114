"""``filterByFormula``, as far as this project and the clients' tests need it.

AND, OR, NOT, RECORD_ID(), CREATED_TIME(), LAST_MODIFIED_TIME(), IS_AFTER, IS_BEFORE, IS_SAME, DATETIME_PARSE,
TRUE(), FALSE(), {Field}, strings, numbers and comparisons. Anything else is refused with 422, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ledger_assets.demo.api_errors import ApiError, unprocessable


@dataclass(frozen=True)
class Record:
    """What a formula may ask of a record; ``values`` by field name."""

    id: str
    created: str
    modified: str
    values: Mapping[str, Any]


Expression = Callable[[Record], Any]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)|\{(?P<field>[^}]+)\}"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<sign>>=|<=|!=|[=<>(),]))"""
)
_ONE_ID = re.compile(r"""\s*RECORD_ID\(\)\s*=\s*['"](rec\w+)['"]\s*""")


def record_ids(formula: str) -> list[str] | None:
    """The ids, where the formula only asks for records by id, which an index answers; else None."""
    inner = formula.strip()
    if inner.upper().startswith("OR(") and inner.endswith(")"):
        inner = inner[3:-1]
    matches = [_ONE_ID.fullmatch(part) for part in inner.split(",")]
    return [m.group(1) for m in matches if m] if all(matches) else None


def parse(formula: str) -> Expression:
    """The formula as a function. Raises 422 INVALID_FILTER_BY_FORMULA."""
    tokens = _tokens(formula)
    expression = _comparison(tokens)
    if tokens:
        raise _invalid("unexpected text at its end")
    return expression


def _invalid(reason: str) -> ApiError:
    return unprocessable(
        "INVALID_FILTER_BY_FORMULA", f"The formula for filtering records is invalid: {reason}"
    )


def _tokens(formula: str) -> list[tuple[str, str]]:
    found = []
    position = 0
    formula = formula.rstrip()
    while position < len(formula):
        match = _TOKEN.match(formula, position)
        if match is None or match.lastgroup is None:
            raise _invalid("Invalid formula")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return found[::-1]


def _comparison(tokens: list[tuple[str, str]]) -> Expression:
    left = _operand(tokens)
    if not tokens or tokens[-1][1] not in _COMPARE or tokens[-1][0] != "sign":
        return left
    compare = _COMPARE[tokens.pop()[1]]
    right = _operand(tokens)
    return lambda record: compare(left(record), right(record))


def _operand(tokens: list[tuple[str, str]]) -> Expression:
    if not tokens:
        raise _invalid("it ends too early")
    kind, text = tokens.pop()
    if kind == "text":
        value = re.sub(r"\\(.)", r"\1", text[1:-1])
        return lambda _: value
    if kind == "number":
        number = float(text)
        return lambda _: number
    if kind == "field":
        return lambda record: record.values.get(text, "")
    if kind == "sign" and text == "(":
        inner = _comparison(tokens)
        _expect(tokens, ")")
        return inner
    return _call(text.upper(), tokens)


def _call(name: str, tokens: list[tuple[str, str]]) -> Expression:
    _expect(tokens, "(")
    arguments: list[Expression] = []
    while tokens and tokens[-1] != ("sign", ")"):
        arguments.append(_comparison(tokens))
        if tokens and tokens[-1] == ("sign", ","):
            tokens.pop()
    _expect(tokens, ")")
    function = _FUNCTIONS.get(name)
    if function is None:
        raise _invalid(f"function {name} is not known to the local server")
    return lambda record: function(record, [argument(record) for argument in arguments])


def _expect(tokens: list[tuple[str, str]], sign: str) -> None:
    if not tokens or tokens.pop() != ("sign", sign):
        raise _invalid(f"{sign} is missing")


def _time(value: Any) -> datetime:
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        raise _invalid("a time is not ISO 8601") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _less(left: Any, right: Any) -> bool:
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left < right
    return _time(left) < _time(right)


def _same(left: Any, right: Any) -> bool:
    return bool(left == right)


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": _same,
    "!=": lambda left, right: not _same(left, right),
    "<": _less,
    ">": lambda left, right: _less(right, left),
    "<=": lambda left, right: not _less(right, left),
    ">=": lambda left, right: not _less(left, right),
}
_FUNCTIONS: Mapping[str, Callable[[Record, list[Any]], Any]] = {
    "AND": lambda _, values: all(values),
    "OR": lambda _, values: any(values),
    "NOT": lambda _, values: not values[0],
    "TRUE": lambda *_: True,
    "FALSE": lambda *_: False,
    "RECORD_ID": lambda record, _: record.id,
    "CREATED_TIME": lambda record, _: record.created,
    "LAST_MODIFIED_TIME": lambda record, _: record.modified,
    "DATETIME_PARSE": lambda _, values: values[0],
    "IS_AFTER": lambda _, values: _less(values[1], values[0]),
    "IS_BEFORE": lambda _, values: _less(values[0], values[1]),
    "IS_SAME": lambda _, values: _time(values[0]) == _time(values[1]),
}
