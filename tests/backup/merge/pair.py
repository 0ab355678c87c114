"""The two databases of a test, and what can be asked of both.

Invariant: a fingerprint here is made by other SQL than the product's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from ledger_assets.backup.merge import Mode, Restored, apply
from tests.schema.world import World

_TABLES = """
select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'airtable', 'migration', 'audit', 'private') and c.relkind = 'r' order by 1
"""
OWN_TRACE = ("audit.log", "migration.undo", "migration.undo_rows")
"""What a restore itself writes."""


@dataclass
class Pair:
    """``world`` writes to the live one, as its owner, each statement for itself."""

    live: psycopg.Connection
    scratch: psycopg.Connection
    world: World
    live_url: str
    scratch_url: str

    def apply(self, mode: Mode, **more: Any) -> Restored:
        return apply(self.scratch, self.live, mode, snapshot="backup-1-full", who="a tester", **more)

    def contents(
        self, conn: psycopg.Connection | None = None, without: Iterable[str] = OWN_TRACE
    ) -> dict[str, list[str]]:
        """Every row of every table, as text."""
        conn = conn or self.live
        with conn.transaction():
            names = [r[0] for r in conn.execute(_TABLES) if r[0] not in without]
            return {
                name: [
                    r[0]
                    for r in conn.execute(
                        sql.SQL("select t::text from {} t order by 1").format(
                            sql.Identifier(*name.split("."))
                        )
                    )
                ]
                for name in names
            }

    def damage(self, statement: str, *values: object) -> None:
        """As somebody with the owner's rights, past every trigger of ours that tells the loader."""
        with self.world.owner.transaction():
            self.world.owner.execute(
                "set local migration.writer = 'on'; set local migration.mode = 'restore'"
            )
            self.world.owner.execute(statement.encode(), values or None)
            self.world.owner.execute("select private.refresh_all()")


def objects(conn: psycopg.Connection) -> list[tuple[Any, ...]]:
    """Oids of everything that a restore by renaming would have made anew."""
    with conn.transaction():
        return conn.execute(
            "select 'class', oid::bigint, relname::text, relfilenode::bigint, relacl::text from pg_class "
            "where relnamespace in "
            "(select oid from pg_namespace where nspname in ('public', 'airtable', 'migration', 'audit', 'private')) "
            "union all select 'policy', oid, polname, null, null from pg_policy "
            "union all select 'constraint', oid, conname, null, null from pg_constraint "
            "union all select 'trigger', oid, tgname, null, tgenabled::text from pg_trigger "
            "union all select 'publication', oid, prrelid::regclass::text, null, null from pg_publication_rel order by 1, 2"
        ).fetchall()
