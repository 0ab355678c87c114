"""The schema on the oldest Postgres that is supported: applied again, upgraded, and a walk through its acts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger_assets.demo.postgres import Cluster
from tests.schema import (
    test_accounts,
    test_audit,
    test_claims,
    test_freeze,
    test_own_stories,
    test_search,
    test_value,
)
from tests.schema.upgrading import applied_again, upgraded
from tests.schema.world import World

pytestmark = pytest.mark.system

PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def cluster15(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    assert PROGRAMS.is_dir(), f"{PROGRAMS} is missing: apt-get install postgresql-15"
    cluster = Cluster(tmp_path_factory.mktemp("cluster15"), bin_folder=PROGRAMS, durable=False)
    cluster.start()
    yield cluster
    cluster.stop()


def test_every_statement_runs_again_and_changes_nothing(cluster15: Cluster) -> None:
    applied_again(cluster15, "applied_again")


def test_an_older_versions_rows_come_through_unchanged(cluster15: Cluster) -> None:
    upgraded(cluster15, "upgraded")


@pytest.mark.parametrize(
    "behaviour",
    [
        test_accounts.test_with_a_storytellers_request_no_word_is_left,
        test_accounts.test_every_account_of_a_full_world_can_be_deleted,
        test_audit.test_the_loader_leaves_none,
        test_claims.test_a_claim_waits_for_a_steward_who_is_not_the_claimer,
        test_freeze.test_a_signed_in_person_is_refused_even_where_no_row_would_be_hit,
        test_own_stories.test_the_api_answers_with_the_new_story,
        test_search.test_who_may_see_a_story_changes_without_its_text_being_read,
        test_search.test_words_of_every_kind_are_found_without_reading_a_text,
        test_value.test_two_sessions_cannot_share_more_than_there_is,
    ],
)
def test_it_behaves_as_on_the_newest(cluster15: Cluster, behaviour: object) -> None:
    name = behaviour.__name__[:60]  # type: ignore[attr-defined]  # it is a test function
    upgraded(cluster15, name, rows=False)
    with psycopg.connect(cluster15.url(name), autocommit=True) as owner:
        assert owner.info.server_version // 10000 == 15
        behaviour(World(owner, cluster15.admin_url(name)))  # type: ignore[operator]  # it is a test function
