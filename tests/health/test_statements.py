"""Slow queries: by id, figures and table names, and never by what stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from ledger_assets.demo import postgres
from ledger_assets.demo.postgres import Cluster
from ledger_assets.health import statements
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply
from tests.health.hands import Make

CANARY = "the river remembers"


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server that keeps statistics of statements, as Supabase's does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(postgres.SETTINGS, "shared_preload_libraries", "pg_stat_statements")
        made = Cluster(tmp_path_factory.mktemp("counting"), durable=False)
        made.start()
    made.ensure_database("counted")
    with connect(made.url("counted"), application_name="test") as connection:
        apply(connection)
    with psycopg.connect(made.admin_url("counted"), autocommit=True) as admin:
        admin.execute("create extension pg_stat_statements schema extensions")
    yield made
    made.stop()


def test_slow_queries_of_the_app_are_told_by_their_tables_and_never_by_their_text(
    counting: Cluster, context: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(counting.admin_url("counted"), autocommit=True) as admin:
        admin.execute("select extensions.pg_stat_statements_reset()")
        admin.execute("set role authenticated")
        for _ in range(6):
            admin.execute(f"select public.stories_page(search => '{CANARY}')")
            admin.execute(f"do $$ begin perform '{CANARY} of the quotes'; end $$")
        admin.execute("set role none")
        for _ in range(6):  # a load: it may take its time
            admin.execute("select count(*) from public.themes")
    with connect(counting.url("counted"), application_name="test") as connection:
        seen = replace(context(), connection=connection)
        assert statements.slow_queries(seen).state == "ok"
        monkeypatch.setattr(statements, "MEAN_WARN", 0.0)
        warned = statements.slow_queries(seen)
        monkeypatch.setattr(statements, "MEAN_BAD", 0.0)
        found = statements.slow_queries(seen)
    assert (warned.state, found.state) == ("warn", "bad")
    assert "public.stories_page" in found.value
    assert "in 6 calls" in found.value
    assert CANARY not in found.value
    assert "public.quotes" not in found.value  # a word of a literal is no table that was read
    assert "public.themes" not in found.value


def test_without_the_extension_it_is_not_known_and_says_how_to_have_it(context: Make) -> None:
    found = statements.slow_queries(context())
    assert found.state == "unknown"
    assert "create extension pg_stat_statements" in found.remedy


def test_an_extension_that_is_not_loaded_is_told(
    context: Make, conn: psycopg.Connection, cluster: Cluster
) -> None:
    with psycopg.connect(cluster.admin_url(conn.info.dbname), autocommit=True) as admin:
        admin.execute("create extension pg_stat_statements schema extensions")
    found = statements.slow_queries(context())
    assert found.state == "unknown"
    assert "shared_preload_libraries" in found.remedy


@pytest.mark.parametrize(
    "statement",
    [
        "select * from public.themes where name = 'of the quotes' and id = $1",
        "do $$ begin delete from quotes; end $$ -- themes",
        "do $x$ quotes $$ quotes $x$; select from themes where a = $1 and b = $2",
        "set application_name = 'it''s quotes' /* themes */",
    ],
)
def test_a_name_within_a_literal_is_no_name(statement: str) -> None:
    known = {"quotes": "public.quotes", "themes": "public.themes"}
    assert statements._mentioned(statement, known) == ["public.themes"]
