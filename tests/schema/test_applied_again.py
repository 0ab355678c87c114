"""Migrations applied to what is there already: a second time by their bare text, and over an older version's rows."""

from __future__ import annotations

from ledger_assets.demo.postgres import Cluster
from tests.schema.upgrading import applied_again, upgraded


def test_every_statement_runs_again_and_changes_nothing(cluster: Cluster) -> None:
    applied_again(cluster, "applied_again")


def test_an_older_versions_rows_come_through_unchanged(cluster: Cluster) -> None:
    upgraded(cluster, "upgraded")
