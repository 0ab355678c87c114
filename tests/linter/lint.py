"""Run ``rules.sql`` as Supabase runs its linter: with the schemas of the API set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg

RULES = Path(__file__).with_name("rules.sql")


@dataclass(frozen=True, order=True)
class Finding:
    """One row of the linter."""

    rule: str
    level: str
    object: str
    detail: str


def lint(connection: psycopg.Connection, exposed: str = "public") -> list[Finding]:
    """What the rules find; without ``exposed`` the rules of exposed schemas find nothing."""
    connection.execute("select set_config('pgrst.db_schemas', %s, false)", (exposed,))
    with connection.cursor() as cursor:
        cursor.execute("set local search_path = ''")
        return [Finding(*row) for row in cursor.execute(RULES.read_bytes()).fetchall()]
