"""Cutting SQL files into statements, each with its line."""

import pytest

from ledger_assets.load.schema import SHIM, migrations
from ledger_assets.load.script import split_statements


@pytest.mark.parametrize(
    "statement",
    [
        "select ';'",
        "select E'it\\'s; here', 'it''s; there'",
        'select 1 as "a;b"',
        "do $$ begin perform 1; end $$",
        "create function f() returns int language sql as $body$ select 1; select '$$;' $body$",
        "select 1 -- not; here\n + 2",
        "select 1 /* nor; /* inside; */ here; */ + 2",
        "create rule r as on insert to t do (delete from u; delete from v)",
        "select $1",
    ],
)
def test_a_semicolon_inside_does_not_end_a_statement(statement: str) -> None:
    assert [found.text for found in split_statements(f"{statement};\nselect 2;\n")] == [statement, "select 2"]


def test_a_statement_knows_the_line_of_its_first_word() -> None:
    text = "-- about\n\nselect 1;\n\n/* two\nlines */ select\n 2;\n-- the end\n"
    found = split_statements(text)
    assert [statement.first_line for statement in found] == [3, 6]
    assert found[1].line_at(found[1].text.index("2")) == 7


def test_no_statement_is_lost_or_cut_in_our_own_files() -> None:
    """Put together again, the pieces are the file but for semicolons and blank lines."""
    for text in (*(migration.text for migration in migrations()), SHIM.read_text("utf-8")):
        pieces = "".join(statement.text for statement in split_statements(text))
        assert "".join(pieces.replace(";", "").split()) == "".join(text.replace(";", "").split())
