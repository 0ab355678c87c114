"""The proof's own SQL for each :class:`Rule`: does this column hold what the rule makes of this cell?

What belongs here: one boolean expression per rule. What does not: the transform that the ledger step uses;
this is written from the rule's definition alone, so that a fault there cannot hide here.

Invariant: no expression can raise on any cell. Nothing is cast from a cell before its JSON type is known, and
dates and times are compared as text written from the column: a cell like ``2025-02-30`` is a difference, not
an error.
"""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from ledger_assets.tables.fields import Rule

SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
"""White space as Unicode has it (property White_Space)."""

_TEXT = "(jsonb_typeof({cell}) = 'string' and {column}::text = {cell} #>> '{{}}')"

_TRIMMED = """(jsonb_typeof({cell}) = 'string'
  and {column}::text is not distinct from nullif(btrim({cell} #>> '{{}}', {spaces}), ''))"""

_CHECKBOX = "(jsonb_typeof({cell}) = 'boolean' and {column}::text = {cell} #>> '{{}}')"

_NUMBER = "(jsonb_typeof({cell}) = 'number' and {column}::numeric = ({cell} #>> '{{}}')::numeric)"

_DATE = "(jsonb_typeof({cell}) = 'string' and to_char({column}, 'YYYY-MM-DD') = {cell} #>> '{{}}')"

_TIMESTAMP = r"""(jsonb_typeof({cell}) = 'string'
  and {cell} #>> '{{}}' ~ '^\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{{1,6}})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$'
  and to_char(({column} at time zone 'UTC')
              + coalesce(substring({cell} #>> '{{}}' from '([+-](?:[01]\d|2[0-3]):[0-5]\d)$'), '00:00')::interval,
              'YYYY-MM-DD"T"HH24:MI:SS.US')
      = left({cell} #>> '{{}}', 19) || '.'
        || rpad(coalesce(substring({cell} #>> '{{}}' from '\.(\d{{1,6}})'), ''), 6, '0'))"""

_TEXTS = "(jsonb_typeof({cell}) = 'array' and to_jsonb({column}) = {cell})"

_REFERENCE = """(jsonb_typeof({cell}) = 'string' and exists (
  select from proof_mapping m left join {references} x on x.name = m.name and x.source_deleted_at is null
  where m.target = {name} and m.source = {cell} #>> '{{}}' and (m.name is null or x.id is not null)
    and x.id is not distinct from {column}))"""
"""A text that a person decided to mean no row has NULL in both."""

_FIXED = {
    Rule.SAME: _TEXT,
    Rule.TRIMMED: _TRIMMED,
    Rule.CHECKBOX: _CHECKBOX,
    Rule.NUMBER: _NUMBER,
    Rule.DATE: _DATE,
    Rule.TIMESTAMP: _TIMESTAMP,
    Rule.TEXTS: _TEXTS,
    Rule.REFERENCE: _REFERENCE,
}

ALTERING = frozenset({Rule.TRIMMED, Rule.OPTION})
"""Rules that may change the text itself; where they did not, the verdict is "same"."""


def holds(
    rule: Rule,
    cell: sql.Composable,
    column: sql.Composable,
    options: Mapping[str, str],
    references: str | None,
) -> sql.Composed:
    """True when ``column`` holds what ``rule`` makes of ``cell``; never NULL."""
    if rule is Rule.OPTION:
        expression = _option(cell, column, options)
    else:
        expression = sql.SQL(_FIXED[rule]).format(
            cell=cell,
            column=column,
            spaces=sql.Literal(SPACES),
            references=sql.Identifier("public", references or ""),
            name=sql.Literal(references),
        )
    return sql.SQL("({}) is true").format(expression)


def untouched(rule: Rule, cell: sql.Composable, column: sql.Composable) -> sql.Composed | sql.SQL:
    """True when the column, which holds what the rule demands, says the very same as the cell."""
    if rule in ALTERING:
        return sql.SQL("({column}::text = {cell} #>> '{{}}') is true").format(column=column, cell=cell)
    return sql.SQL("false") if rule is Rule.REFERENCE else sql.SQL("true")


def empty(rule: Rule, column: sql.Composable) -> sql.Composed:
    """True when the column holds what it must where there is no cell."""
    form = "{} is false" if rule is Rule.CHECKBOX else "{} is null"
    return sql.SQL(form).format(column)


def _option(cell: sql.Composable, column: sql.Composable, options: Mapping[str, str]) -> sql.Composed:
    if not options:
        return sql.SQL(_TEXT).format(cell=cell, column=column)
    pairs = sql.SQL(" ").join(
        sql.SQL("when {} then {}").format(sql.Literal(name), sql.Literal(value))
        for name, value in options.items()
    )
    return sql.SQL(
        "(jsonb_typeof({cell}) = 'string' and {column}::text = case {cell} #>> '{{}}' {pairs} end)"
    ).format(cell=cell, column=column, pairs=pairs)
