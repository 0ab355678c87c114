"""The same on Debian's Postgres 15, the oldest that is supported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger_assets.demo.postgres import Cluster
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply as apply_migrations
from tests.backup.merge import test_people, test_restore, test_shapes
from tests.backup.merge.conftest import a_pair, make_filled
from tests.backup.merge.pair import Pair

pytestmark = pytest.mark.system
PROGRAMS = Path("/usr/lib/postgresql/15/bin")
CASES: tuple[Callable[[Pair], None], ...] = (
    test_restore.test_after_truncate_the_lost_rows_come_back_and_newer_ones_stay,
    test_restore.test_exact_changes_back_what_differs_and_removes_what_is_newer,
    test_restore.test_unique_values_that_changed_hands_are_handed_back,
    test_restore.test_a_lost_audit_comes_back_beside_newer_lines,
    test_people.test_everything_of_one_person_comes_back_and_nothing_of_others,
    test_people.test_an_erasure_takes_the_way_back_s_rows_too,
)


@pytest.fixture(scope="module")
def cluster15(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    assert PROGRAMS.is_dir(), f"{PROGRAMS} is missing: apt-get install postgresql-15"
    cluster = Cluster(tmp_path_factory.mktemp("cluster15"), bin_folder=PROGRAMS, durable=False)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def template15(cluster15: Cluster) -> str:
    cluster15.ensure_database("migrated")
    with connect(cluster15.url("migrated"), application_name="tests") as connection:
        apply_migrations(connection)
    return make_filled(cluster15, "migrated")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_15(cluster15: Cluster, template15: str, case: Callable[[Pair], None]) -> None:
    with a_pair(cluster15, template15) as pair:
        assert pair.live.info.server_version // 10000 == 15
        case(pair)


def test_shapes_on_15(cluster15: Cluster, template15: str) -> None:
    with a_pair(cluster15, template15) as pair:
        test_shapes.in_both(pair, test_shapes.SHAPES)
        test_shapes.test_odd_values_are_changed_back_and_forth(pair)
