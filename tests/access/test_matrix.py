"""The matrix's own file: what cannot be read must not read as "nothing"."""

from __future__ import annotations

import psycopg
import pytest

from ledger_assets.access.acts import ADDITIONS, CHANGES
from ledger_assets.access.calls import CALLS
from ledger_assets.access.matrix import FILE, MatrixError, load
from ledger_assets.access.run import check_access
from ledger_assets.access.trials import world

TEXT = FILE.read_text("utf-8")


def _line(beginning: str) -> str:
    return next(line for line in TEXT.splitlines() if line.replace(" ", "").startswith(beginning))


def test_every_row_of_the_world_can_be_read_written_and_called() -> None:
    matrix, tables = load(), {table for table in world() if table != "auth.users"}
    assert tables == set(CHANGES) == set(ADDITIONS)
    assert {(function, asked) for function, questions in CALLS.items() for asked in questions} == set(
        matrix.calls
    )


def test_a_misspelt_word_is_an_error_and_not_nothing(conn: psycopg.Connection) -> None:
    line = _line("|public.stories|read|")
    with pytest.raises(MatrixError, match=r"public\.stories, read: 'everyon' is neither"):
        check_access(conn, load(TEXT.replace(line, line.replace("everyone", "everyon", 1))))


def test_a_word_that_names_no_row_of_the_table_is_an_error(conn: psycopg.Connection) -> None:
    line = _line("|public.profiles|read|")
    with pytest.raises(MatrixError, match=r"'told' is neither"):
        check_access(conn, load(TEXT.replace(line, line.replace("| owner", "| told ", 1))))


def test_an_act_that_nothing_tries_is_an_error(conn: psycopg.Connection) -> None:
    line = _line("|public.profiles|read|")
    with pytest.raises(MatrixError, match=r"nothing in access/acts\.py tries it"):
        check_access(conn, load(TEXT.replace(line, line + "\n" + line.replace("| read", "| sell", 1))))


def test_a_row_that_stands_twice_is_an_error() -> None:
    line = _line("|public.profiles|read|")
    with pytest.raises(MatrixError, match=r"public\.profiles, read stands in two rows"):
        load(TEXT.replace(line, f"{line}\n{line}"))


def test_a_row_with_a_cell_too_few_is_an_error() -> None:
    line = _line("|public.profiles|read|")
    with pytest.raises(MatrixError, match=r"public\.profiles has 13 cells, not 14"):
        load(TEXT.replace(line, line.rsplit("|", 2)[0] + "|"))
