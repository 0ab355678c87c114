"""The proof's own SQL for each :class:`Rule`: does this column hold what the rule makes of this cell, and may the rule
refuse it at all?

What belongs here: two boolean expressions per rule. What does not: the transform that the ledger step uses;
these are written from the rule's definition alone, so that a fault there cannot hide here.

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

_IS_TEXT = "jsonb_typeof({cell}) = 'string'"

_IS_INTEGER = r"""(jsonb_typeof({cell}) = 'number'
  and {raw} ~ ('"' || {field} || '":\s*-?[0-9]{{1,18}}\s*[,}}]'))"""
"""Digits as they were delivered: jsonb writes 1e3 as 1000, which the rule refuses."""

_IS_DAY = r"""case when {text} ~ '^\d{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])' and left({text}, 4) <> '0000' then
    right(left({text}, 10), 2)::int <= extract(day from
      make_date(left({text}, 4)::int, right(left({text}, 7), 2)::int, 1) + interval '1 month - 1 day')
  else false end"""

_IS_DATE = "(" + _IS_TEXT + " and length({text}) = 10 and " + _IS_DAY + ")"

_IS_MOMENT = (
    "("
    + _IS_TEXT
    + r""" and {text} ~
    '^\d{{4}}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{{1,6}})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$'
  and """
    + _IS_DAY
    + ")"
)

_ARE_TEXTS = """(jsonb_typeof({cell}) = 'array' and not exists (
  select from jsonb_array_elements(case jsonb_typeof({cell}) when 'array' then {cell} else '[]' end) e
  where jsonb_typeof(e) <> 'string'))"""

_ARE_LINKS = """(jsonb_typeof({cell}) = 'array' and not exists (
  select from jsonb_array_elements(case jsonb_typeof({cell}) when 'array' then {cell} else '[]' end) e
  where jsonb_typeof(e) <> 'string' or e #>> '{{}}' !~ '^rec[A-Za-z0-9]{{10,30}}$'))"""

_ARE_FILES = """(jsonb_typeof({cell}) = 'array' and not exists (
  select from jsonb_array_elements(case jsonb_typeof({cell}) when 'array' then {cell} else '[]' end) e
  where jsonb_typeof(e) <> 'object' or coalesce(e ->> 'id', '') !~ '^att[A-Za-z0-9]{{10,30}}$'
     or coalesce(jsonb_typeof(e -> 'filename'), 'null') not in ('string', 'null')
     or coalesce(jsonb_typeof(e -> 'type'), 'null') not in ('string', 'null')
     or coalesce(jsonb_typeof(e -> 'size'), 'null') not in ('number', 'null')
     or coalesce(e ->> 'size', '0') !~ '^[0-9]{{1,18}}$'))"""

_ACCEPTED = {
    Rule.SAME: _IS_TEXT,
    Rule.TRIMMED: _IS_TEXT,
    Rule.REFERENCE: _IS_TEXT,
    Rule.OPTION: _IS_TEXT,
    Rule.CHECKBOX: "jsonb_typeof({cell}) = 'boolean'",
    Rule.NUMBER: _IS_INTEGER,
    Rule.DATE: _IS_DATE,
    Rule.TIMESTAMP: _IS_MOMENT,
    Rule.TEXTS: _ARE_TEXTS,
    Rule.LINK: _ARE_LINKS,
    Rule.FILES: _ARE_FILES,
}

_MAPPED = """(jsonb_typeof({cell}) = 'string' and exists (
  select from proof_mapping m left join {references} x on x.name = m.name and x.source_deleted_at is null
  where m.target = {name} and m.source = {cell} #>> '{{}}' and (m.name is null or x.id is not null)))"""

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


def accepts(
    rule: Rule, cell: sql.Composable, field_id: str, raw: sql.Composable, options: Mapping[str, str]
) -> sql.Composed:
    """True when ``cell`` has what ``rule`` makes a value of: no finding may refuse it. Never NULL.

    ``raw``: the record's exact text. That the field is not lossy is for the caller to ask.
    """
    expression = sql.SQL(_ACCEPTED[rule]).format(
        cell=cell, text=sql.SQL("({} #>> '{{}}')").format(cell), raw=raw, field=sql.Literal(field_id)
    )
    if rule is Rule.OPTION and options:
        expression = sql.SQL("{} and {} #>> '{{}}' = any ({})").format(
            expression, cell, sql.SQL("array[{}]").format(sql.SQL(", ").join(map(_literal, options)))
        )
    return sql.SQL("({}) is true").format(expression)


def text_of(rule: Rule, cell: sql.Composable) -> sql.Composed:
    """The text that ``rule`` makes of an accepted ``cell``: '' where nothing is left of it."""
    form = "btrim({cell} #>> '{{}}', {spaces})" if rule is Rule.TRIMMED else "({cell} #>> '{{}}')"
    return sql.SQL(form).format(cell=cell, spaces=sql.Literal(SPACES))


def mapped(cell: sql.Composable, references: str) -> sql.Composed:
    """True when a reviewed mapping file says which row of ``references`` (or that none) the text means."""
    expression = sql.SQL(_MAPPED).format(
        cell=cell, references=sql.Identifier("public", references), name=sql.Literal(references)
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


def _literal(text: str) -> sql.Literal:
    """``text`` in a statement that is executed with parameters: a sign of per cent would be read as one of theirs."""
    return sql.Literal(text.replace("%", "%%"))


def _option(cell: sql.Composable, column: sql.Composable, options: Mapping[str, str]) -> sql.Composed:
    if not options:
        return sql.SQL(_TEXT).format(cell=cell, column=column)
    pairs = sql.SQL(" ").join(
        sql.SQL("when {} then {}").format(_literal(name), _literal(value)) for name, value in options.items()
    )
    return sql.SQL(
        "(jsonb_typeof({cell}) = 'string' and {column}::text = case {cell} #>> '{{}}' {pairs} end)"
    ).format(cell=cell, column=column, pairs=pairs)
