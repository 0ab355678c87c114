"""Supabase's own linter rules (splinter), run by a tool that is not ours: the Postgres Language Server carries their SQL.

``tests/linter`` is our own writing of the rules, newer ones included; this is the judge of it. Each rule that the tool has
is first seen to find a fault planted for it: run without the API's schemas, half of them are always content.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ledger_assets.demo.postgres import Cluster
from tests.linter.canaries import CANARIES, TABLE, policy
from tests.linter.test_linter import INFO

pytestmark = pytest.mark.system

TOOL = "@postgres-language-server/cli@0.25.5"
RULES = {
    "unindexedForeignKeys": "0001_unindexed_foreign_keys",
    "authUsersExposed": "0002_auth_users_exposed",
    "authRlsInitplan": "0003_auth_rls_initplan",
    "noPrimaryKey": "0004_no_primary_key",
    "unusedIndex": "0005_unused_index",
    "multiplePermissivePolicies": "0006_multiple_permissive_policies",
    "policyExistsRlsDisabled": "0007_policy_exists_rls_disabled",
    "rlsEnabledNoPolicy": "0008_rls_enabled_no_policy",
    "duplicateIndex": "0009_duplicate_index",
    "securityDefinerView": "0010_security_definer_view",
    "functionSearchPathMutable": "0011_function_search_path_mutable",
    "rlsDisabledInPublic": "0013_rls_disabled_in_public",
    "extensionInPublic": "0014_extension_in_public",
    "rlsReferencesUserMetadata": "0015_rls_references_user_metadata",
    "materializedViewInApi": "0016_materialized_view_in_api",
    "foreignTableInApi": "0017_foreign_table_in_api",
    "unsupportedRegTypes": "0018_unsupported_reg_types",
    "fkeyToAuthUnique": "0021_fkey_to_auth_unique",
    "sensitiveColumnsExposed": "0023_sensitive_columns_exposed",
    "rlsPolicyAlwaysTrue": "0024_rls_policy_always_true",
}
"""The tool's names of Supabase's rules."""
GRANTED = "; grant select on public.canary to anon"
CANARIES_HERE = {
    "0002_auth_users_exposed": "create view public.canary as select id from auth.users" + GRANTED,
    "0003_auth_rls_initplan": policy("for select to authenticated using (owner = auth.uid())"),
    "0010_security_definer_view": CANARIES["0010_security_definer_view"][0] + GRANTED,
    "0013_rls_disabled_in_public": TABLE + GRANTED,
    "0017_foreign_table_in_api": CANARIES["0017_foreign_table_in_api"][0] + GRANTED,
}
"""Ours are the stricter rules: what these tell without a grant, the tool tells only of what somebody may read."""


@dataclass(frozen=True)
class Found:
    """One line of the tool: its rule, by our name where it has one, its level, and what it says."""

    rule: str
    level: str
    message: str


class Linted:
    """A migrated database, and the tool pointed at it."""

    def __init__(self, cluster: Cluster, tool: Path, database: str) -> None:
        self.admin_url = cluster.admin_url(database)
        self._tool = tool

    def lint(self) -> list[Found]:
        """Run the tool as the superuser, as the dashboard does."""
        command = [str(self._tool), "dblint", "--reporter=json", "--max-diagnostics=none"]
        done = subprocess.run(
            command,
            env={"DATABASE_URL": self.admin_url, "PATH": "/usr/bin:/bin"},
            cwd=self._tool.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        return [_found(one) for one in json.loads(done.stdout)["diagnostics"]]


def _found(one: dict[str, str]) -> Found:
    name = one["category"].rpartition("/")[2]
    return Found(RULES.get(name, name), one["severity"], one["message"].replace("\\`", "`"))


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tool")
    install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), TOOL]
    subprocess.run(install, check=True, capture_output=True)
    return folder / "node_modules" / ".bin" / "postgres-language-server"


@pytest.fixture
def linted(cluster: Cluster, migrated_template: str, tool: Path) -> Iterator[Linted]:
    name = "splinter"
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(migrated_template)
            )
        )
        # Without it the rules of exposed schemas find nothing.
        admin.execute(
            sql.SQL("alter database {} set pgrst.db_schemas = 'public'").format(sql.Identifier(name))
        )
    yield Linted(cluster, tool, name)
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def test_the_real_linter_finds_no_error_and_no_warning(linted: Linted) -> None:
    found = linted.lint()
    assert [one for one in found if one.level != "info"] == []
    assert [one for one in found if one.rule not in INFO or not INFO[one.rule].match(_object(one))] == []


@pytest.mark.parametrize("rule", sorted(RULES.values()))
def test_the_real_linter_finds_the_fault_planted_for_the_rule(linted: Linted, rule: str) -> None:
    statements, planted = CANARIES[rule]
    statements = CANARIES_HERE.get(rule, statements)
    before = set(linted.lint())
    with psycopg.connect(linted.admin_url) as admin:
        admin.execute(statements.encode())
    new = [one for one in set(linted.lint()) - before if one.rule == rule]
    assert [one for one in new if planted.removesuffix("()").rpartition(".")[2] in one.message], new


def _object(one: Found) -> str:
    """The table that the tool names."""
    return re.findall(r"`(\w+\.\w+)`", one.message)[-1]
