"""The proof's SQL files, and the few shapes that all of its queries share. No query of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import LiteralString

from psycopg import sql

from ledger_assets.proof.verdicts import Named

FOLDER = Path(__file__).parent / "sql"


@cache
def statement(name: str) -> sql.SQL:
    """The SQL of ``sql/<name>.sql``; braces are places for ``format``."""
    text: LiteralString = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return sql.SQL(text)


def public(table: str) -> sql.Identifier:
    """A target table."""
    return sql.Identifier("public", table)


def record_columns(field_ids: Iterable[str]) -> sql.Composed:
    """``c``: the cells of a raw record ``r`` as columns named by field id, its jsonb read (and de-toasted)
    once."""
    columns = sql.SQL(", ").join(sql.SQL("{} jsonb").format(sql.Identifier(field)) for field in field_ids)
    return sql.SQL("cross join lateral jsonb_to_record(r.fields) as c ({})").format(columns)


def named(count: int, ids: Sequence[str] | None) -> Named:
    """A count and its sample of ids as a query returns them."""
    return Named(count, tuple(sorted(i for i in ids or () if i is not None)))
