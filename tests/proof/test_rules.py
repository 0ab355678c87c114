"""The proof's own reading of every rule, in SQL, cell by cell; and that no cell whatever makes it raise."""

from __future__ import annotations

import itertools
import json
from typing import Any

import psycopg
from psycopg import sql

from ledger_assets.proof.rules import accepts, holds, untouched
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
    for rule, cell in itertools.product(Rule, ODD):
        assert _accepts(conn, rule, cell) in {True, False}


ACCEPTED: dict[Rule, list[Any]] = {
    Rule.SAME: ["", "x"], Rule.TRIMMED: [" x "], Rule.REFERENCE: ["x"], Rule.OPTION: ["Public", "public"],
    Rule.CHECKBOX: [True, False], Rule.NUMBER: [0, -7, 999999999999999999], Rule.DATE: ["2024-02-29", "0001-01-01"],
    Rule.TIMESTAMP: ["2024-02-29T23:59:59Z", "2025-01-01T00:00:00.123456+10:30"], Rule.TEXTS: [[], ["a", ""]],
    Rule.LINK: [[], ["recABCDEFGHIJKLMN"]],
    Rule.FILES: [[], [{"id": "attABCDEFGHIJKLMN"}], [{"id": "attABCDEFGHIJKLMN", "filename": "x", "type": "y", "size": 1}]],
}  # fmt: skip
REFUSED: dict[Rule, list[Any]] = {
    Rule.SAME: [1, True, ["x"], {"error": "#ERROR!"}], Rule.TRIMMED: [1], Rule.REFERENCE: [["x"]],
    Rule.OPTION: ["PUBLIC", "Public ", 1], Rule.CHECKBOX: ["true", 1],
    Rule.NUMBER: [1.5, 1000000000000000000, "1", {"specialValue": "NaN"}],
    Rule.DATE: ["2025-02-29", "2025-04-31", "2025-00-01", "0000-01-01", "2025-1-1", "2025-01-01\n", "2025-01-01T00:00:00Z"],
    Rule.TIMESTAMP: ["2025-02-29T00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01T00:60:00Z", "2025-01-01T00:00:00",
                     "2025-01-01T00:00:00.1234567Z", "2025-01-01T00:00:00+24:00", "2025-01-01"],
    Rule.TEXTS: ["a", [1], [None], [["a"]], {"a": "b"}],
    Rule.LINK: ["recABCDEFGHIJKLMN", ["rec"], [1], [None], ["recABCDEFGHIJKL\n"]],
    Rule.FILES: ["att", [1], [{}], [{"id": "att"}], [{"id": "attABCDEFGHIJKLMN", "filename": 1}],
                 [{"id": "attABCDEFGHIJKLMN", "size": 1.5}], [{"id": "attABCDEFGHIJKLMN", "size": "1"}]],
}  # fmt: skip


def test_a_rule_accepts_what_it_makes_a_value_of_and_nothing_else(conn: psycopg.Connection) -> None:
    """Only what it does not accept may be refused by a finding."""
    for rule in Rule:
        assert [cell for cell in ACCEPTED[rule] if not _accepts(conn, rule, cell)] == [], rule
        assert [cell for cell in REFUSED[rule] if _accepts(conn, rule, cell)] == [], rule


def test_an_option_may_hold_a_sign_of_per_cent(conn: psycopg.Connection) -> None:
    """Statements of the proof have parameters: there a bare sign is taken for one."""
    cell, options = sql.SQL("""'"100%% so"'::jsonb"""), {"100% so": "all %s"}
    kept = holds(Rule.OPTION, cell, sql.SQL("'all %%s'::text"), options, None)
    taken = accepts(Rule.OPTION, cell, "fld", sql.SQL("''"), options)
    row = conn.execute(sql.SQL("select {}, {}, %(x)s::text").format(kept, taken), {"x": "x"}).fetchone()
    assert row == (True, True, "x")


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


def _accepts(conn: psycopg.Connection, rule: Rule, cell: Any) -> bool:
    text = json.dumps(cell, ensure_ascii=False)
    value, raw = (
        sql.SQL("{}::jsonb").format(sql.Literal(text)),
        sql.Literal(f'{{"fields":{{"fldX":{text}}}}}'),
    )
    expression = accepts(rule, value, "fldX", raw, OPTIONS if rule is Rule.OPTION else {})
    row = conn.execute(sql.SQL("select {}").format(expression)).fetchone()
    assert row is not None
    return bool(row[0])
