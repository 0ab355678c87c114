"""Hands for the access tests: the check on either connection, and what a check must leave as it was.

What belongs here: what more than one file of tests needs. What does not: expectations.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from ledger_assets.access.report import AccessReport
from ledger_assets.access.run import check_access
from ledger_assets.demo.postgres import Cluster
from ledger_assets.load.connect import connect

_TABLES = """
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'airtable', 'migration', 'audit', 'auth') and c.relkind = 'r' order by 1, 2
"""


def checked(cluster: Cluster, url: str) -> AccessReport:
    """The check as somebody who may act as every role: the superuser of the test's cluster."""
    with connect(cluster.admin_url(url.rsplit("/", 1)[1].split("?")[0]), application_name="tests") as admin:
        return check_access(admin)


def contents(connection: psycopg.Connection) -> dict[str, str]:
    """A fingerprint of every row of every table, and of the functions that there are."""
    found = {}
    with connection.transaction():
        for schema, table in connection.execute(_TABLES).fetchall():
            row = connection.execute(
                sql.SQL(
                    "select count(*) || ' ' || coalesce(md5(string_agg(t::text, '' order by t::text)), '') from {} t"
                ).format(sql.Identifier(schema, table))
            ).fetchone()
            assert row is not None
            found[f"{schema}.{table}"] = row[0]
        row = connection.execute(
            "select md5(string_agg(oid::regprocedure || proacl::text, ',' order by oid)) from pg_proc"
        ).fetchone()
        assert row is not None
        found["functions"] = row[0]
    return found
