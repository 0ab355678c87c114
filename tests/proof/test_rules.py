"""The proof's own reading of every rule, in SQL, cell by cell; and that no cell whatever makes it raise."""

from __future__ import annotations

import itertools
import json
from typing import Any

import psycopg
from psycopg import sql

from ledger_assets.proof.rules import holds, untouched
from ledger_assets.tables.fields import Rule

YES, NO = True, False
OPTIONS = {"Public": "open", "public": "other"}

CASES: list[tuple[Rule, Any, str, bool]] = [
    (Rule.SAME, " a ", "' a '::text", YES),
    (Rule.SAME, " a ", "'a'::text", NO),
    (Rule.SAME, "é", "'e\u0301'::text", NO),
    (Rule.SAME, 1, "'1'::text", NO),
    (Rule.SAME, "", "''::text", YES),
    (Rule.SAME, "x", "null::text", NO),
    (Rule.TRIMMED, "\u00a0 a\u2003\n", "'a'::text", YES),
    (Rule.TRIMMED, "\u200ba", "'a'::text", NO),
    (Rule.TRIMMED, " \u3000", "null::text", YES),
    (Rule.TRIMMED, " \u3000", "''::text", NO),
    (Rule.TRIMMED, "a b", "'ab'::text", NO),
    (Rule.CHECKBOX, True, "true", YES),
    (Rule.CHECKBOX, True, "false", NO),
    (Rule.CHECKBOX, "true", "true", NO),
    (Rule.NUMBER, 3, "3::integer", YES),
    (Rule.NUMBER, 3.5, "4::integer", NO),
    (Rule.NUMBER, "3", "3::integer", NO),
    (Rule.NUMBER, 0.1, "0.10::numeric", YES),
    (Rule.NUMBER, 9007199254740993, "9007199254740992::bigint", NO),
    (Rule.DATE, "2024-02-29", "date '2024-02-29'", YES),
    (Rule.DATE, "2024-02-30", "date '2024-03-01'", NO),
    (Rule.DATE, "2024-02-29T00:00:00Z", "date '2024-02-29'", NO),
    (Rule.TIMESTAMP, "2025-03-04T05:06:07.123Z", "timestamptz '2025-03-04 05:06:07.123+00'", YES),
    (Rule.TIMESTAMP, "2025-03-04T05:06:07.123Z", "timestamptz '2025-03-04 05:06:07+00'", NO),
    (Rule.TIMESTAMP, "2025-03-04T05:06:07Z", "timestamptz '2025-03-04 15:06:07+10'", YES),
    (Rule.TIMESTAMP, "2025-03-04T05:06:07+10:30", "timestamptz '2025-03-03 18:36:07+00'", YES),
    (Rule.TIMESTAMP, "2025-03-04T05:06:07+10:30", "timestamptz '2025-03-04 05:06:07+00'", NO),
    (Rule.TIMESTAMP, "2025-03-04T05:06:07-03:00", "timestamptz '2025-03-04 08:06:07+00'", YES),
    (Rule.TIMESTAMP, "2025-03-04T05:06:07", "timestamptz '2025-03-04 05:06:07+00'", NO),
    (Rule.TIMESTAMP, "2025-03-04T05:06:07.1234567Z", "timestamptz '2025-03-04 05:06:07.123457+00'", NO),
    (Rule.OPTION, "Public", "'open'::text", YES),
    (Rule.OPTION, "public", "'open'::text", NO),
    (Rule.OPTION, "PUBLIC", "'open'::text", NO),
    (Rule.OPTION, "PUBLIC", "null::text", NO),
    (Rule.TEXTS, ["a", "b, c"], "array['a', 'b, c']", YES),
    (Rule.TEXTS, ["a", "b, c"], "array['b, c', 'a']", NO),
    (Rule.TEXTS, ["a", None], "array['a', null]", YES),
    (Rule.TEXTS, "a", "array['a']", NO),
]


def test_a_column_holds_what_the_rule_makes_of_the_cell(conn: psycopg.Connection) -> None:
    """Written from the rule's definition alone."""
    for rule, cell, column, expected in CASES:
        assert _holds(conn, rule, cell, column) is expected, (rule, cell, column)


COLUMNS = {
    Rule.SAME: "'x'::text", Rule.TRIMMED: "'x'::text", Rule.CHECKBOX: "true", Rule.NUMBER: "1::integer",
    Rule.DATE: "date '2025-01-01'", Rule.TIMESTAMP: "timestamptz '2025-01-01'", Rule.OPTION: "'x'::text",
    Rule.TEXTS: "array['x']",
}  # fmt: skip
ODD = (
    True, 0, -1.5, 1e300, "", "x", "2025-13-45", "2025-02-30T25:61:61.000Z", "2025-01-01T00:00:00+99:99", "infinity", "NaN",
    [], [None], [[]], {}, {"error": "#ERROR!"}, {"specialValue": "Infinity"}, {"id": "rec"}, None,
)  # fmt: skip


def test_no_cell_makes_a_rule_raise(conn: psycopg.Connection) -> None:
    """One odd cell must not take the proof of all others away."""
    for (rule, column), cell in itertools.product(COLUMNS.items(), ODD):
        assert _holds(conn, rule, cell, column) in {True, False}


def test_a_rule_that_changed_nothing_left_the_cell_the_same(conn: psycopg.Connection) -> None:
    """Trimming a text without white space normalises nothing."""
    cell, column = sql.SQL("'\"a\"'::jsonb"), sql.SQL("'a'::text")
    row = conn.execute(sql.SQL("select {}").format(untouched(Rule.TRIMMED, cell, column))).fetchone()
    assert row == (True,)
    cell = sql.SQL("'\" a\"'::jsonb")
    row = conn.execute(sql.SQL("select {}").format(untouched(Rule.TRIMMED, cell, column))).fetchone()
    assert row == (False,)


def _holds(conn: psycopg.Connection, rule: Rule, cell: Any, column: str) -> bool:
    value = sql.SQL("{}::jsonb").format(sql.Literal(json.dumps(cell, ensure_ascii=False)))
    expression = holds(rule, value, sql.SQL("(" + column + ")"), OPTIONS, None)
    row = conn.execute(sql.SQL("select {}").format(expression)).fetchone()
    assert row is not None
    return bool(row[0])
