"""Supabase's linter finds no ERROR and no WARN in a migrated database, and it is proven that every rule runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from ledger_assets.demo.postgres import Cluster

from .canaries import CANARIES, EXPOSED
from .lint import RULES, lint

INFO = {
    # Nobody has used a database that was made a second ago.
    "0005_unused_index": re.compile(r"."),
    # Nobody but the service role and the owner (of private: the owner alone) reads these: a policy would only open them.
    "0008_rls_enabled_no_policy": re.compile(r"(airtable|audit|migration|private)\."),
}
"""What may be told at level INFO: rule, and which objects."""


@pytest.fixture
def admin(cluster: Cluster, migrated_template: str) -> Iterator[psycopg.Connection]:
    """The superuser in a migrated database, for planting; nothing of it stays."""
    with psycopg.connect(cluster.admin_url(migrated_template)) as connection:
        yield connection
        connection.rollback()


def test_no_error_no_warning_and_only_known_information(conn: psycopg.Connection) -> None:
    found = lint(conn)
    assert [one for one in found if one.level != "INFO"] == []
    assert [one for one in found if one.rule not in INFO or not INFO[one.rule].match(one.object)] == []


def test_the_list_of_allowed_information_is_needed(conn: psycopg.Connection) -> None:
    assert {one.rule for one in lint(conn)} == set(INFO)


@pytest.mark.parametrize("rule", CANARIES)
def test_a_planted_fault_is_found(admin: psycopg.Connection, rule: str) -> None:
    statements, planted = CANARIES[rule]
    admin.execute("set local role postgres")
    before = {one for one in lint(admin) if one.rule == rule}
    admin.execute("reset role")
    admin.execute(statements.encode())
    admin.execute("set local role postgres")
    new = {one for one in lint(admin) if one.rule == rule} - before
    assert {one.object for one in new} == {planted}


def test_every_rule_has_a_canary() -> None:
    assert set(re.findall(r"select '(\d{4}_\w+)'", RULES.read_text("utf-8"))) == set(CANARIES)


@pytest.mark.parametrize("rule", EXPOSED)
def test_without_the_schemas_of_the_api_a_rule_finds_nothing(admin: psycopg.Connection, rule: str) -> None:
    """The trap: a linter that is run without this setting is always content."""
    admin.execute(CANARIES[rule][0].encode())
    assert rule in {one.rule for one in lint(admin)}
    assert rule not in {one.rule for one in lint(admin, exposed="")}
